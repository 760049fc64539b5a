variable "name" {
  description = "Name of the deployment, in front of every resource's name."
  type        = string
}

variable "home" {
  description = "Where the page is served from and what it reads: the region, the table, its key if it has one of its own."
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
  description = "Who may read: `public`, anybody, names, verdicts, uptime and maintenance that is on; `private`, everything, whoever has the token, or without one whoever AWS knows."
  type        = string

  validation {
    condition     = contains(["public", "private"], var.access)
    error_message = "`access` is public or private."
  }
}

variable "announce_maintenance" {
  description = "Whether a public page tells of maintenance ahead, which says when alerts are going to wait."
  type        = bool
  default     = false
}

variable "capacity" {
  description = "How the table is paid for: `on_demand` or `always_free`, which has no read units to spare for the public."
  type        = string
}

variable "token" {
  description = "Where a private page's token is kept: ssm:/path, in the home region."
  type        = string
  default     = null

  validation {
    # It is not shown, for it may be the token itself.
    condition     = try(can(regex("^ssm:/[A-Za-z0-9_./-]+$", var.token)), false) || var.token == null
    error_message = "`token` names a parameter of Parameter Store: put the token there, and write ssm:/its/path."
  }
}

variable "secret_key_arns" {
  description = "Customer managed keys, in the home region, under which the token may be kept. The key that AWS manages need not be named."
  type        = list(string)
  default     = []
}

variable "function" {
  description = "The Lambda: its zip, architecture (arm64 or x86_64), memory in MB, reserved concurrency (-1: none; by default 5 where anybody may ask and the account's quota is 200 or more), environment variables beside Portpulse's own, and for how many days CloudWatch keeps its log."
  type = object({
    zip                  = string
    architecture         = optional(string, "arm64")
    memory_mb            = optional(number, 128)
    reserved_concurrency = optional(number)
    environment          = optional(map(string), {})
    log_retention_days   = optional(number, 14)
  })
}
