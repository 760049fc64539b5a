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
  description = "The Lambda: its zip, architecture (arm64 or x86_64), memory in MB, time limit in seconds, reserved concurrency (-1: none), environment variables beside Portpulse's own, and metrics in its log (off or emf)."
  type = object({
    zip                  = string
    architecture         = optional(string, "arm64")
    memory_mb            = optional(number, 128)
    timeout_seconds      = optional(number, 60)
    reserved_concurrency = optional(number, -1)
    environment          = optional(map(string), {})
    metrics              = optional(string, "off")
  })

  validation {
    condition     = contains(["off", "emf"], var.function.metrics)
    error_message = "`metrics` is off or emf."
  }

  validation {
    condition     = contains(["arm64", "x86_64"], var.function.architecture)
    error_message = "`architecture` is arm64 or x86_64."
  }

  validation {
    condition     = var.function.memory_mb >= 128 && var.function.memory_mb <= 10240
    error_message = "`memory_mb` is from 128 to 10240."
  }

  validation {
    condition     = var.function.timeout_seconds >= 45 && var.function.timeout_seconds <= 900
    error_message = "`timeout_seconds` is from 45 to 900: a check may take 30 s, and what it finds is written after it."
  }

  validation {
    condition     = length([for name in keys(var.function.environment) : name if startswith(name, "PORTPULSE_")]) == 0
    error_message = "`environment` may not name PORTPULSE_ variables: they are set here."
  }
}

variable "log_retention_days" {
  description = "How long CloudWatch keeps the function's log."
  type        = number
  default     = 14

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_retention_days)
    error_message = "`log_retention_days` is one of the periods that CloudWatch offers: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731."
  }
}

variable "vpc" {
  description = "The subnets and security groups to run in, for private targets and port 25. They must reach DynamoDB and SNS in the home region."
  type        = object({ subnet_ids = list(string), security_group_ids = list(string) })
  default     = null

  validation {
    condition     = try(length(var.vpc.subnet_ids) > 0 && length(var.vpc.security_group_ids) > 0, var.vpc == null)
    error_message = "A VPC has at least one subnet and one security group."
  }
}

variable "watchers" {
  description = "Who hears that the checker itself is silent or failing: protocol and endpoint, by a name."
  type        = map(object({ protocol = string, endpoint = string }))
  default     = {}
}
