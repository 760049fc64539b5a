variable "name" {
  description = "Prefix of all resource names."
  type        = string
}

variable "home" {
  description = "Shared resources of the home region: region, table, customer managed key of the table, alert topic."
  type = object({
    region      = string
    table_name  = string
    table_arn   = string
    kms_key_arn = optional(string)
    topic_arn   = string
  })
}

variable "destinations" {
  description = "Destinations as the relay reads them: JSON with names of secrets, without secrets."
  type        = string
}

variable "secrets" {
  description = "Names of the secrets that the relay reads, each ssm:/path or secretsmanager:name."
  type        = list(string)

  validation {
    condition     = alltrue([for name in var.secrets : can(regex("^(ssm:/|secretsmanager:)[A-Za-z0-9_./+=@-]*$", name))])
    error_message = "A secret must be named by ssm:/path or secretsmanager:name."
  }
}

variable "secret_key_arns" {
  description = "ARNs of customer managed keys, in the home region, that encrypt the secrets. AWS managed keys need not be listed."
  type        = list(string)
  default     = []
}

variable "function" {
  description = "Settings of the Lambda: zip, architecture (arm64 or x86_64), additional environment variables, log retention in days, and permissions boundary of the role."
  type = object({
    zip                  = string
    url                  = optional(string)
    sha256               = optional(string)
    architecture         = optional(string, "arm64")
    environment          = optional(map(string), {})
    log_retention_days   = optional(number, 14)
    permissions_boundary = optional(string)
  })
}

variable "watchdog_arn" {
  description = "ARN of the topic, in the home region, for the alarms of the relay."
  type        = string
}
