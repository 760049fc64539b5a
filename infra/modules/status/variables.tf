variable "name" {
  description = "Prefix of all resource names."
  type        = string
}

variable "region" {
  description = "Region of the page; the region of its provider."
  type        = string
}

variable "home" {
  description = "Home region, table, and customer managed key of the table."
  type = object({
    region      = string
    table_name  = string
    table_arn   = string
    kms_key_arn = optional(string)
  })
}

variable "groups" {
  description = "All groups that have monitors, such as 1m#0."
  type        = set(string)
}

variable "access" {
  description = "Readers: `public`, everybody sees names, statuses, uptime and current maintenance; `private`, holders of the token (without a token: authorized IAM principals) see everything."
  type        = string

  validation {
    condition     = contains(["public", "private"], var.access)
    error_message = "`access` must be public or private."
  }
}

variable "announce_maintenance" {
  description = "Whether a public page shows planned maintenance, during which notifications wait."
  type        = bool
  default     = false
}

variable "page" {
  description = "The appearance of the page, as YAML: title, logo, header, links, groups, announcements and the objective of reports."
  type        = string
  default     = null

  validation {
    condition     = var.page == null || (can(yamldecode(var.page)) && length(jsonencode(try(yamldecode(var.page), ""))) <= 3000)
    error_message = "The page file must be valid YAML of at most 3,000 bytes; `portpulse local --page FILE` names its mistakes."
  }
}

variable "capacity" {
  description = "Capacity mode of the table: `on_demand` or `always_free`, which has too few read units for a public page."
  type        = string
}

variable "token" {
  description = "Name of the parameter with the token of a private page: ssm:/path, in the home region."
  type        = string
  default     = null

  validation {
    # The value is not shown, because it may be the token itself.
    condition     = try(can(regex("^ssm:/[A-Za-z0-9_./-]+$", var.token)), false) || var.token == null
    error_message = "`token` must name a parameter of Parameter Store: store the token there, and write ssm:/its/path."
  }
}

variable "actions" {
  description = "Whether readers with the token can acknowledge incidents, silence monitors and add notes from the page: its role may then write silences, acknowledgements and notes."
  type        = bool
  default     = false
}

variable "report_topic" {
  description = "The topic, in the home region, that gets the report of each month, and its customer managed key; null for no reports."
  type = object({
    arn         = string
    kms_key_arn = optional(string)
  })
  default = null
}

variable "secret_key_arns" {
  description = "ARNs of customer managed keys, in the home region, that encrypt the token. AWS managed keys need not be listed."
  type        = list(string)
  default     = []
}

variable "function" {
  description = "Settings of the Lambda: zip, architecture (arm64 or x86_64), memory in MB, reserved concurrency (-1: none; by default 5 if unsigned requests are accepted and the account's quota is 200 or more), additional environment variables, log retention in days, and permissions boundary of the role."
  type = object({
    zip                  = string
    url                  = optional(string)
    sha256               = optional(string)
    architecture         = optional(string, "arm64")
    memory_mb            = optional(number, 128)
    reserved_concurrency = optional(number)
    environment          = optional(map(string), {})
    log_retention_days   = optional(number, 14)
    permissions_boundary = optional(string)
  })
}
