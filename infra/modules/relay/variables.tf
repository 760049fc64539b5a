variable "name" {
  description = "Name of the deployment, in front of every resource's name."
  type        = string
}

variable "home" {
  description = "Where the relay runs and what it shares with the checkers: the region, the table, its key if it has one of its own, the topic."
  type = object({
    region      = string
    table_name  = string
    table_arn   = string
    kms_key_arn = optional(string)
    topic_arn   = string
  })
}

variable "destinations" {
  description = "The destinations as the relay reads them: JSON that holds the names of secrets, and no secret."
  type        = string
}

variable "secrets" {
  description = "The names of the secrets that it reads, each ssm:/path or secretsmanager:name."
  type        = list(string)

  validation {
    condition     = alltrue([for name in var.secrets : can(regex("^(ssm:/|secretsmanager:)[A-Za-z0-9_./+=@-]*$", name))])
    error_message = "A secret is named by ssm:/path or secretsmanager:name."
  }
}

variable "secret_key_arns" {
  description = "Customer managed keys, in the home region, under which secrets are kept. The keys that AWS manages need not be named."
  type        = list(string)
  default     = []
}

variable "function" {
  description = "The Lambda: its zip, architecture (arm64 or x86_64), environment variables beside Portpulse's own, and for how many days CloudWatch keeps its log."
  type = object({
    zip                = string
    architecture       = optional(string, "arm64")
    environment        = optional(map(string), {})
    log_retention_days = optional(number, 14)
  })
}

variable "watchdog_arn" {
  description = "The topic, in the home region, that hears of what could not be delivered."
  type        = string
}
