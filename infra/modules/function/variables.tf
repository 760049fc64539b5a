variable "name" {
  description = "Name of the Lambda."
  type        = string
}

variable "region" {
  description = "The region that it runs in: that of its provider."
  type        = string
}

variable "description" {
  description = "What the Lambda is for."
  type        = string
}

variable "home" {
  description = "The home region, its table, and the table's key if it has one of its own."
  type = object({
    region      = string
    table_name  = string
    kms_key_arn = optional(string)
  })
}

variable "table_access" {
  description = "What its statements let it do with the table, `read` or `write`: so much it may do with the table's key."
  type        = string

  validation {
    condition     = contains(["read", "write"], var.table_access)
    error_message = "`table_access` is read or write."
  }
}

variable "function" {
  description = "The Lambda: its zip, architecture (arm64 or x86_64), memory in MB, time limit in seconds, reserved concurrency (-1: none), environment variables beside Portpulse's own, and for how many days CloudWatch keeps its log."
  type = object({
    zip                  = string
    architecture         = optional(string, "arm64")
    memory_mb            = optional(number, 128)
    timeout_seconds      = optional(number, 60)
    reserved_concurrency = optional(number, -1)
    environment          = optional(map(string), {})
    log_retention_days   = optional(number, 14)
  })

  validation {
    condition     = contains(["arm64", "x86_64"], var.function.architecture)
    error_message = "`architecture` is arm64 or x86_64."
  }

  validation {
    condition     = var.function.memory_mb >= 128 && var.function.memory_mb <= 10240
    error_message = "`memory_mb` is from 128 to 10240."
  }

  validation {
    condition     = length([for name in keys(var.function.environment) : name if startswith(name, "PORTPULSE_")]) == 0
    error_message = "`environment` may not name PORTPULSE_ variables: they are set here."
  }

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.function.log_retention_days)
    error_message = "`log_retention_days` is one of the periods that CloudWatch offers: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731."
  }
}

variable "settings" {
  description = "Portpulse's own environment variables, beside the table and its region."
  type        = map(string)
}

variable "statements" {
  description = "What it may do beside what every function may, in IAM's words: each allows its actions on the resources that it names."
  type = list(object({
    Sid       = string
    Action    = list(string)
    Resource  = list(string)
    Condition = optional(map(map(list(string))))
  }))

  validation {
    condition     = !contains(flatten(var.statements[*].Resource), "*")
    error_message = "A statement names its resources: `*` is none."
  }
}

variable "asynchronous" {
  description = "For a function that is invoked asynchronously: how often one that fails is tried again, and for how many seconds. What has not been done by then goes to a dead-letter queue."
  type        = object({ retries = number, longest_seconds = number })
  default     = null
}

variable "vpc" {
  description = "The subnets and security groups to run in, if it is to run in a VPC."
  type        = object({ subnet_ids = list(string), security_group_ids = list(string) })
  default     = null

  validation {
    condition     = try(length(var.vpc.subnet_ids) > 0 && length(var.vpc.security_group_ids) > 0, var.vpc == null)
    error_message = "A VPC has at least one subnet and one security group."
  }
}
