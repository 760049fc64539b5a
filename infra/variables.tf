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
  description = "Region of the table and the alert topic, and of the default provider. It need not run a checker, and cannot change."
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
  description = "Path of the definitions file, such as \"$${path.module}/monitors.yaml\"; without one, `monitors` has all monitors."
  type        = string
  default     = null

  validation {
    condition     = try(fileexists(var.monitors_file), var.monitors_file == null)
    error_message = "`monitors_file` does not exist."
  }
}

variable "monitors" {
  description = <<-EOT
    More monitors, by id: maps of the fields of the definitions file, such as
    { orders-db = { host = aws_db_instance.orders.address, service = "postgres" } }. The defaults of the file apply. `interval`,
    `tier`, `service`, `hosts` and `ports` must be known at plan; other values may be known only after apply.
  EOT
  type        = any
  default     = {}
}

variable "relay_file" {
  description = "Path of the relay's destinations file, such as \"$${path.module}/relay.yaml\". Without a destination, no relay is created."
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
    invoke the function. With `actions`, holders of the token can acknowledge incidents, silence monitors and add notes from the
    page. With `monthly_report`, the subscribers of the alert topic get the report of each month. `reserved_concurrency` protects the concurrency that the checkers need: by default 5 if unsigned
    requests are accepted and the account's quota in the home region is 200 or more, otherwise none, because a new account
    cannot reserve any. -1 reserves none and does not read the quota. `region` is the region of the page, and of the provider
    `aws.status`; by default the home region. In a region without a checker, the page cannot use the concurrency of a checker.
    `page_file` is the path of a file with title, logo, header text, links, order of groups, announcements and the objective
    of reports, such as "$${path.module}/page.yaml". `url` is the address that notifications link to, for a page behind a domain of your
    own; by default the function URL, unless it requires IAM permissions.
  EOT
  type = object({
    access               = string
    region               = optional(string)
    token                = optional(string)
    announce_maintenance = optional(bool, false)
    actions              = optional(bool, false)
    monthly_report       = optional(bool, false)
    page_file            = optional(string)
    url                  = optional(string)
    memory_mb            = optional(number, 128)
    reserved_concurrency = optional(number)
  })
  default = null
  validation {
    condition     = try(var.status.url, null) == null || can(regex("^https?://[0-9A-Za-z\\[][!$-;=@-\\[\\]-_a-{}~-]{0,190}$", var.status.url))
    error_message = "`status.url` must be the address of a page, such as https://status.example.com, with at most 200 characters and without a query."
  }
}

variable "secret_key_arns" {
  description = "ARNs of customer managed keys, in the home region, that encrypt the secrets of the monitors, the relay and the status page. AWS managed keys need not be listed."
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

variable "topic_key_arns" {
  description = <<-EOT
    ARNs of customer managed keys that encrypt the messages of the topics, by region: the key of the home region encrypts the alert topic.
    The policy of each key must allow cloudwatch.amazonaws.com to use it (kms:Decrypt, kms:GenerateDataKey*): the watchdog publishes to the
    topics too.
  EOT
  type        = map(string)
  default     = {}
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of all roles; null for none. It must allow what the roles allow."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:[a-z-]+:iam::", var.permissions_boundary))
    error_message = "`permissions_boundary` must be the ARN of an IAM policy."
  }
}

variable "sms" {
  description = <<-EOT
    SMS settings of the account in the home region, which apply to all its SMS, also those of other programs; null leaves them unchanged.
    `monthly_usd` is the amount in USD above which SNS sends no SMS in a month, at most the quota of the account (1 until AWS Support raises
    it). `sender_id` is shown as the sender in countries that support it.
  EOT
  type        = object({ monthly_usd = number, sender_id = optional(string) })
  default     = null

  validation {
    condition     = try(can(regex("^[A-Za-z0-9]{1,11}$", coalesce(var.sms.sender_id, "x"))) && var.sms.monthly_usd >= 1, var.sms == null)
    error_message = "`sms` must have a `monthly_usd` of at least 1, and a `sender_id` of at most 11 letters and digits, if any."
  }
}

variable "budget" {
  description = <<-EOT
    Sends email when the costs of the account in a month reach 80 % of `monthly_usd`, and when they are forecast to exceed it; null for
    none. With `tag`, such as { key = "Project", value = "portpulse" }, only resources with this tag count, once the tag is active in the
    billing console. The first two budgets of an account are free.
  EOT
  type        = object({ monthly_usd = number, emails = list(string), tag = optional(object({ key = string, value = string })) })
  default     = null

  validation {
    condition     = try(var.budget.monthly_usd > 0 && length(var.budget.emails) > 0 && length(var.budget.emails) <= 10, var.budget == null)
    error_message = "`budget` must have a positive `monthly_usd`, and 1 to 10 `emails`."
  }
}

variable "architecture" {
  description = "Architecture of the Lambdas: arm64, a fifth cheaper, or x86_64."
  type        = string
  default     = "arm64"
}

variable "release" {
  description = <<-EOT
    Downloads the zips of a release: the URL of the folder that has checker-ARCHITECTURE.zip, relay-ARCHITECTURE.zip and
    status-ARCHITECTURE.zip, and the SHA-256 of each by its file name, as SHA256SUMS lists them. Requires sh, curl, and sha256sum or
    shasum where Terraform runs; the zips are kept in .portpulse beside the root configuration.
  EOT
  type        = object({ url = string, sha256 = map(string) })
  default     = null

  validation {
    condition     = try(can(regex("^(https://|http://127\\.0\\.0\\.1[:/])", var.release.url)) && alltrue([for sum in values(var.release.sha256) : can(regex("^[0-9a-f]{64}$", sum))]), var.release == null)
    error_message = "`release` must have a URL that starts with https://, and for each zip its SHA-256 in 64 hexadecimal digits."
  }
}

variable "zip" {
  description = "Path of the checker's zip, if it is not that of `release`; dist/checker-ARCHITECTURE.zip of this directory by default, where infra/build writes it."
  type        = string
  default     = null
}

variable "relay_zip" {
  description = "Path of the relay's zip, like `zip`."
  type        = string
  default     = null
}

variable "status_zip" {
  description = "Path of the status page's zip, like `zip`."
  type        = string
  default     = null
}

variable "memory_mb" {
  description = "Memory of the checker in MB, 128 or more. Processor time is proportional: a group of 400 checks over TLS needs 512."
  type        = number
  default     = 128
}

variable "timeout_seconds" {
  description = "Timeout of the checker in seconds, 90 or more: a check with its retries takes up to 75 s, and with an interval below a minute an invocation lasts a minute."
  type        = number
  default     = 120
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
  description = <<-EOT
    Subnets and security groups by region, for checkers in a VPC. Required for private targets, IPv6 and port 25. `ipv6`: the subnets are
    dual-stack and reach the internet by IPv6. `port_25`: AWS has lifted the block of port 25 for the address of the VPC's NAT gateway.
  EOT
  type = map(object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
    ipv6               = optional(bool, false)
    port_25            = optional(bool, false)
  }))
  default = {}

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
