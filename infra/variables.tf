variable "name" {
  description = "Prefix of all resource names. Each deployment in an account needs its own."
  type        = string
  default     = "portpulse"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,23}$", var.name))
    error_message = "`name` must have 2 to 24 characters of a-z, 0-9 and `-`, and begin with a letter."
  }
}

variable "home_region" {
  description = "Region of the table and the alert topic. It need not run a checker. Changing it creates a new, empty table."
  type        = string

  validation {
    condition     = can(regex("^(us-(east|west)-[12]|ca-central-1|sa-east-1|eu-(central-1|north-1|west-[123])|ap-(northeast-[123]|south-1|southeast-[12]))$", var.home_region))
    error_message = "`home_region` must be one of the 17 regions that are enabled by default, such as eu-west-1: regions.tf lists them."
  }
}

variable "regions" {
  description = "Regions that run a checker. An incident opens when more than half of them see the failure: use an odd number, three or more."
  type        = list(string)

  validation {
    condition     = length(var.regions) > 0 && length(distinct(var.regions)) == length(var.regions) && alltrue([for region in var.regions : can(regex("^(us-(east|west)-[12]|ca-central-1|sa-east-1|eu-(central-1|north-1|west-[123])|ap-(northeast-[123]|south-1|southeast-[12]))$", region))])
    error_message = "`regions` must name at least one of the 17 regions that are enabled by default, each once: regions.tf lists them."
  }
}

variable "monitors_file" {
  description = "Path of the definitions file; ./monitors.yaml beside this configuration by default."
  type        = string
  default     = null

  validation {
    condition     = try(fileexists(var.monitors_file), var.monitors_file == null)
    error_message = "`monitors_file` does not exist."
  }
}

variable "relay_file" {
  description = "Path of the relay's destinations file; ./relay.yaml beside this configuration by default. Without a destination, no relay is created."
  type        = string
  default     = null

  validation {
    condition     = try(fileexists(var.relay_file), var.relay_file == null)
    error_message = "`relay_file` does not exist."
  }
}

variable "status" {
  description = <<-EOT
    The status page; null for none. `access` is public (everybody sees names, statuses, uptime and current maintenance;
    `announce_maintenance` adds planned maintenance) or private (everything). A private page requires the `token` that is
    stored in Parameter Store in the home region and named by ssm:/path; without a token, it requires IAM permissions to
    invoke the function. `reserved_concurrency` protects the concurrency that the checkers need: by default 5 if unsigned
    requests are accepted and the account's quota in the home region is 200 or more, otherwise none, because a new account
    cannot reserve any. -1 reserves none and does not read the quota.
  EOT
  type = object({
    access               = string
    token                = optional(string)
    announce_maintenance = optional(bool, false)
    memory_mb            = optional(number, 128)
    reserved_concurrency = optional(number)
  })
  default = null
}

variable "secret_key_arns" {
  description = "ARNs of customer managed keys, in the home region, that encrypt the secrets of the relay and the status page. AWS managed keys need not be listed."
  type        = list(string)
  default     = []
}

variable "subscribers" {
  description = <<-EOT
    Subscribers of the alert topic, by a name of your choice: protocol (email, sms or https), endpoint, and optional filters by
    severity (critical, warning, info) or tag; with both, both must match. An SMS subscriber without severities receives only
    critical notifications. `watchdog` subscribes to the alarms of the checkers too; by default all subscribers of critical
    notifications, except SMS, which has a separate sandbox in each region.
  EOT
  type = map(object({
    protocol   = string
    endpoint   = string
    severities = optional(list(string))
    tags       = optional(list(string), [])
    watchdog   = optional(bool)
  }))
  default = {}
}

variable "capacity" {
  description = "Capacity mode of the table: `on_demand`, or `always_free`, which provisions within the 25 read and 25 write units of the free tier and throttles requests above them."
  type        = string
  default     = "on_demand"
}

variable "always_free_units" {
  description = "Units that `always_free` provisions, at most 25 each. The free tier applies to the whole account."
  type        = object({ read = number, write = number })
  default     = { read = 25, write = 25 }
}

variable "point_in_time_recovery" {
  description = "Whether point-in-time recovery of the last 35 days is enabled. Billed by the gigabyte stored."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Whether deletion protection of the table is enabled. Disable it and apply before `terraform destroy`."
  type        = bool
  default     = true
}

variable "kms_key_arn" {
  description = "ARN of the customer managed key, in the home region, that encrypts the table. By default an AWS owned key, free of charge."
  type        = string
  default     = null
}

variable "architecture" {
  description = "Architecture of the Lambdas: arm64, a fifth cheaper, or x86_64."
  type        = string
  default     = "arm64"
}

variable "zip" {
  description = "Path of the checker's zip; ./dist/checker-ARCHITECTURE.zip by default."
  type        = string
  default     = null
}

variable "relay_zip" {
  description = "Path of the relay's zip; ./dist/relay-ARCHITECTURE.zip by default."
  type        = string
  default     = null
}

variable "status_zip" {
  description = "Path of the status page's zip; ./dist/status-ARCHITECTURE.zip by default."
  type        = string
  default     = null
}

variable "memory_mb" {
  description = "Memory of the checker in MB, 128 or more. Processor time is proportional: a group of 400 checks over TLS needs 512."
  type        = number
  default     = 128
}

variable "timeout_seconds" {
  description = "Timeout of the checker in seconds, 45 or more."
  type        = number
  default     = 60
}

variable "reserved_concurrency" {
  description = "Reserved concurrency of the checker in each region, -1 for none. A new account has a quota of 10 and cannot reserve any."
  type        = number
  default     = -1
}

variable "environment" {
  description = "Additional environment variables of all Lambdas, such as { RUST_LOG = \"debug\" }."
  type        = map(string)
  default     = {}
}

variable "metrics" {
  description = "CloudWatch metrics in the checkers' logs: off, or emf (six for each group and region, 0.30 USD each a month after the first ten of an account)."
  type        = string
  default     = "off"

  validation {
    condition     = contains(["off", "emf"], var.metrics)
    error_message = "`metrics` must be off or emf."
  }
}

variable "log_retention_days" {
  description = "Retention of the Lambdas' logs in days."
  type        = number
  default     = 14
}

variable "vpc" {
  description = "Subnets and security groups by region, for checkers in a VPC. Required for private targets, IPv6 and port 25."
  type        = map(object({ subnet_ids = list(string), security_group_ids = list(string) }))
  default     = {}

  validation {
    condition     = alltrue([for region in keys(var.vpc) : can(regex("^[a-z]+-[a-z]+-[1-3]$", region))])
    error_message = "`vpc` must be a map by region, such as { eu-west-1 = { subnet_ids = [...], security_group_ids = [...] } }."
  }
}

variable "dashboard" {
  description = "Whether to create a CloudWatch dashboard of Portpulse itself in the home region. Three dashboards are free in an account; each further one costs 3 USD a month."
  type        = bool
  default     = true
}

variable "tags" {
  description = "Tags of all resources that support tags."
  type        = map(string)
  default     = {}
}
