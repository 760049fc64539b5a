variable "name" {
  description = "Name of the deployment, in front of every resource's name."
  type        = string
}

variable "region" {
  description = "The region that this checker runs in: that of the provider it is given."
  type        = string
}

variable "shards" {
  description = "The number of shards of each interval that has monitors, such as { 1m = 1, 5m = 2 }."
  type        = map(number)

  validation {
    condition     = alltrue([for interval in keys(var.shards) : contains(["1m", "2m", "5m", "10m", "15m", "30m", "1h"], interval)])
    error_message = "Intervals are 1m, 2m, 5m, 10m, 15m, 30m and 1h."
  }
}

variable "home" {
  description = "What all checkers share: the region of table and topic, the table, its key if it has one of its own, the topic."
  type = object({
    region      = string
    table_name  = string
    table_arn   = string
    kms_key_arn = optional(string)
    topic_arn   = string
  })
}

variable "function" {
  description = "The Lambda: its zip, architecture (arm64 or x86_64), memory in MB, time limit in seconds, reserved concurrency (-1: none), environment variables beside Portpulse's own, for how many days CloudWatch keeps its log, and metrics in that log (off or emf)."
  type = object({
    zip                  = string
    architecture         = optional(string, "arm64")
    memory_mb            = optional(number, 128)
    timeout_seconds      = optional(number, 60)
    reserved_concurrency = optional(number, -1)
    environment          = optional(map(string), {})
    log_retention_days   = optional(number, 14)
    metrics              = optional(string, "off")
  })

  validation {
    condition     = contains(["off", "emf"], var.function.metrics)
    error_message = "`metrics` is off or emf."
  }

  validation {
    condition     = var.function.timeout_seconds >= 45 && var.function.timeout_seconds <= 900
    error_message = "`timeout_seconds` is from 45 to 900: a check may take 30 s, and what it finds is written after it."
  }
}

variable "vpc" {
  description = "The subnets and security groups to run in, for private targets and port 25. They must reach DynamoDB and SNS in the home region."
  type        = object({ subnet_ids = list(string), security_group_ids = list(string) })
  default     = null
}

variable "watchers" {
  description = "Who hears that the checker itself is silent or failing: protocol and endpoint, by a name."
  type        = map(object({ protocol = string, endpoint = string }))
  default     = {}
}
