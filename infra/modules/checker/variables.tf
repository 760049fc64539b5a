variable "name" {
  description = "Prefix of all resource names."
  type        = string
}

variable "region" {
  description = "Region of the checker; the region of its provider."
  type        = string
}

variable "shards" {
  description = "Number of shards of each interval that has monitors, such as { 1m = 1, 5m = 2 }."
  type        = map(number)

  validation {
    condition     = alltrue([for interval in keys(var.shards) : contains(["10s", "15s", "20s", "30s", "1m", "2m", "5m", "10m", "15m", "30m", "1h"], interval)])
    error_message = "An interval must be 10s, 15s, 20s, 30s, 1m, 2m, 5m, 10m, 15m, 30m or 1h."
  }
}

variable "home" {
  description = "Shared resources of the home region: region, table, customer managed key of the table, alert topic and its customer managed key, the address of the status page, the names and customer managed keys of the monitors' secrets, and the standby, if there is one."
  type = object({
    region          = string
    table_name      = string
    table_arn       = string
    kms_key_arn     = optional(string)
    topic_arn       = string
    topic_key_arn   = optional(string)
    page_url        = optional(string)
    secrets         = optional(list(string), [])
    secret_key_arns = optional(list(string), [])
    standby = optional(object({
      region        = string
      table_name    = string
      table_arn     = string
      topic_arn     = string
      topic_key_arn = optional(string)
    }))
  })
}

variable "keys" {
  description = "ARNs of customer managed keys by region: that of this region encrypts the watchdog's topic."
  type        = map(string)
  default     = {}
}

variable "function" {
  description = "Settings of the Lambda: zip, architecture (arm64 or x86_64), memory in MB, timeout in seconds, reserved concurrency (-1: none), additional environment variables, log retention in days, permissions boundary of the role, and metrics in the log (off or emf)."
  type = object({
    zip                  = string
    url                  = optional(string)
    sha256               = optional(string)
    architecture         = optional(string, "arm64")
    memory_mb            = optional(number, 128)
    timeout_seconds      = optional(number, 120)
    reserved_concurrency = optional(number, -1)
    environment          = optional(map(string), {})
    log_retention_days   = optional(number, 14)
    permissions_boundary = optional(string)
    metrics              = optional(string, "off")
  })

  validation {
    condition     = contains(["off", "emf"], var.function.metrics)
    error_message = "`metrics` must be off or emf."
  }

  validation {
    condition     = var.function.timeout_seconds >= 90 && var.function.timeout_seconds <= 900
    error_message = "`timeout_seconds` must be 90 to 900: a check may take 30 s, its retries 45 s, and the results are written afterwards."
  }
}

variable "vpc" {
  description = "Subnets and security groups, for private targets and port 25. They must reach DynamoDB and SNS in the home region, and in that of the standby."
  type        = object({ subnet_ids = list(string), security_group_ids = list(string), ipv6 = optional(bool, false) })
  default     = null
}

variable "watchers" {
  description = "Subscribers of the watchdog, by name: protocol and endpoint."
  type        = map(object({ protocol = string, endpoint = string }))
  default     = {}
}
