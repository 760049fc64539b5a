variable "name" {
  description = "Name of this deployment: in front of the name of everything it makes. Two deployments in one account need two names."
  type        = string
  default     = "portpulse"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,23}$", var.name))
    error_message = "`name` has 2 to 24 of a-z, 0-9 and `-`, and begins with a letter."
  }
}

variable "home_region" {
  description = "Where the table and the alert topic are. It need not be one that checks. Changing it makes a new, empty table."
  type        = string

  validation {
    condition     = can(regex("^(us-(east|west)-[12]|ca-central-1|sa-east-1|eu-(central-1|north-1|west-[123])|ap-(northeast-[123]|south-1|southeast-[12]))$", var.home_region))
    error_message = "`home_region` is one of the 17 regions that every account has, such as eu-west-1: regions.tf lists them."
  }
}

variable "regions" {
  description = "Where checks are made from. An outage is told when more than half of them see it, so three or more, and an odd number, serve best."
  type        = list(string)

  validation {
    condition     = length(var.regions) > 0 && length(distinct(var.regions)) == length(var.regions) && alltrue([for region in var.regions : can(regex("^(us-(east|west)-[12]|ca-central-1|sa-east-1|eu-(central-1|north-1|west-[123])|ap-(northeast-[123]|south-1|southeast-[12]))$", region))])
    error_message = "`regions` names at least one, each once, of the 17 regions that every account has: regions.tf lists them."
  }
}

variable "monitors_file" {
  description = "The definitions file; ./monitors.yaml beside this configuration if absent."
  type        = string
  default     = null

  validation {
    condition     = try(fileexists(var.monitors_file), var.monitors_file == null)
    error_message = "`monitors_file` names no file."
  }
}

variable "relay_file" {
  description = "The file of the relay's destinations; ./relay.yaml beside this configuration if absent. Without a destination, no relay is made."
  type        = string
  default     = null

  validation {
    condition     = try(fileexists(var.relay_file), var.relay_file == null)
    error_message = "`relay_file` names no file."
  }
}

variable "status" {
  description = <<-EOT
    The status page, if there is to be one: `access` is public (anybody; names, verdicts, uptime and maintenance that is
    on; `announce_maintenance` adds that ahead) or private (everything). A private page is for whoever has the `token`,
    kept in Parameter Store in the home region and named by ssm:/path, or without a token for whoever AWS knows and lets
    invoke it. `reserved_concurrency` keeps a busy page from taking the concurrency that the checkers need: by default 5
    where anybody may ask and the account's quota in the home region is 200 or more, otherwise none, for a new account
    cannot reserve any. -1 is none, whatever the quota, and asks for none.
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
  description = "Customer managed keys, in the home region, that encrypt the secrets which the relay and the status page read. The keys that AWS manages need not be named."
  type        = list(string)
  default     = []
}

variable "subscribers" {
  description = <<-EOT
    Who is alerted, by a name of your choice: protocol (email, sms or https) and endpoint, and, if they are not to hear
    everything, the severities (critical, warning, info) or tags they hear of; with both, both must match.
    An SMS subscriber without severities hears only what is critical.
    `watchdog` says whether they also hear that a checker itself is silent or failing; by default everyone who hears
    what is critical, except by SMS, whose sandbox is apart in each region.
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
  description = "How the table is paid for: `on_demand`, or `always_free`, which provisions within the 25 read and 25 write units that AWS gives an account for nothing, and throttles what goes beyond."
  type        = string
  default     = "on_demand"
}

variable "always_free_units" {
  description = "What `always_free` provisions, at most 25 each. The free units are an account's, not a table's."
  type        = object({ read = number, write = number })
  default     = { read = 25, write = 25 }
}

variable "point_in_time_recovery" {
  description = "Whether the table can be restored to any second of the last 35 days. Billed by the gigabyte stored."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the table. Turn it off and apply before `terraform destroy`."
  type        = bool
  default     = true
}

variable "kms_key_arn" {
  description = "Customer managed key, in the home region, that encrypts the table. Without one, a key that AWS owns does, at no charge."
  type        = string
  default     = null
}

variable "architecture" {
  description = "Processor of the Lambdas: arm64, a fifth cheaper, or x86_64."
  type        = string
  default     = "arm64"
}

variable "zip" {
  description = "The checker's zip; ./dist/checker-ARCHITECTURE.zip beside this configuration if absent."
  type        = string
  default     = null
}

variable "relay_zip" {
  description = "The relay's zip; ./dist/relay-ARCHITECTURE.zip beside this configuration if absent."
  type        = string
  default     = null
}

variable "status_zip" {
  description = "The status page's zip; ./dist/status-ARCHITECTURE.zip beside this configuration if absent."
  type        = string
  default     = null
}

variable "memory_mb" {
  description = "The checker's memory in MB, from 128. Lambda gives processor time in proportion: a group of 400 checks over TLS wants 512."
  type        = number
  default     = 128
}

variable "timeout_seconds" {
  description = "The checker's time limit in seconds, from 45."
  type        = number
  default     = 60
}

variable "reserved_concurrency" {
  description = "Concurrency reserved for the checker in each region, -1 for none. A new account has 10 in all and cannot reserve any."
  type        = number
  default     = -1
}

variable "environment" {
  description = "Environment variables of every Lambda beside Portpulse's own, such as { RUST_LOG = \"debug\" }."
  type        = map(string)
  default     = {}
}

variable "metrics" {
  description = "Whether checkers write metrics for CloudWatch into their logs: off, or emf (six a group and region, 0.30 USD each a month beyond the first ten of an account)."
  type        = string
  default     = "off"

  validation {
    condition     = contains(["off", "emf"], var.metrics)
    error_message = "`metrics` is off or emf."
  }
}

variable "log_retention_days" {
  description = "How long CloudWatch keeps the Lambdas' logs."
  type        = number
  default     = 14
}

variable "vpc" {
  description = "For regions whose checker is to run in a VPC, by region: its subnets and security groups. Needed for private targets, IPv6 and port 25."
  type        = map(object({ subnet_ids = list(string), security_group_ids = list(string) }))
  default     = {}

  validation {
    condition     = alltrue([for region in keys(var.vpc) : can(regex("^[a-z]+-[a-z]+-[1-3]$", region))])
    error_message = "`vpc` is a map by region, such as { eu-west-1 = { subnet_ids = [...], security_group_ids = [...] } }."
  }
}

variable "dashboard" {
  description = "Whether there is a CloudWatch dashboard of Portpulse itself, in the home region. An account has three for nothing; each further one costs 3 USD a month."
  type        = bool
  default     = true
}

variable "tags" {
  description = "Tags on everything that takes them."
  type        = map(string)
  default     = {}
}
