variable "name" {
  description = "Name of the Lambda."
  type        = string
}

variable "region" {
  description = "Region of the Lambda; the region of its provider."
  type        = string
}

variable "description" {
  description = "Description of the Lambda."
  type        = string
}

variable "home" {
  description = "Home region, table, and customer managed key of the table."
  type = object({
    region      = string
    table_name  = string
    kms_key_arn = optional(string)
  })
}

variable "table_access" {
  description = "Access of its statements to the table, `read` or `write`: the same access is granted to the key of the table."
  type        = string

  validation {
    condition     = contains(["read", "write"], var.table_access)
    error_message = "`table_access` must be read or write."
  }
}

variable "function" {
  description = "Settings of the Lambda: zip, architecture (arm64 or x86_64), memory in MB, timeout in seconds, reserved concurrency (-1: none), additional environment variables, log retention in days, and permissions boundary of the role. With `url` and `sha256`, the zip is downloaded to its path."
  type = object({
    zip                  = string
    url                  = optional(string)
    sha256               = optional(string)
    architecture         = optional(string, "arm64")
    memory_mb            = optional(number, 128)
    timeout_seconds      = optional(number, 60)
    reserved_concurrency = optional(number, -1)
    environment          = optional(map(string), {})
    log_retention_days   = optional(number, 14)
    permissions_boundary = optional(string)
  })

  validation {
    condition     = contains(["arm64", "x86_64"], var.function.architecture)
    error_message = "`architecture` must be arm64 or x86_64."
  }

  validation {
    condition     = var.function.memory_mb >= 128 && var.function.memory_mb <= 10240
    error_message = "`memory_mb` must be 128 to 10240."
  }

  validation {
    condition     = length([for name in keys(var.function.environment) : name if startswith(name, "PORTPULSE_")]) == 0
    error_message = "`environment` must not contain PORTPULSE_ variables: this module sets them."
  }

  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
  validation {
    condition = alltrue([
      for name in keys(var.function.environment) :
      !can(regex("^(AWS_(REGION|DEFAULT_REGION|EXECUTION_ENV|ACCESS_KEY|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|LAMBDA_(FUNCTION_NAME|FUNCTION_MEMORY_SIZE|FUNCTION_VERSION|INITIALIZATION_TYPE|LOG_GROUP_NAME|LOG_STREAM_NAME|RUNTIME_API))|LAMBDA_(TASK_ROOT|RUNTIME_DIR)|_HANDLER|_X_AMZN_TRACE_ID)$", name))
    ])
    error_message = "`environment` must not contain variables that Lambda sets, such as AWS_REGION."
  }

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.function.log_retention_days)
    error_message = "`log_retention_days` must be a period that CloudWatch supports: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731."
  }
}

variable "settings" {
  description = "Environment variables of Portpulse, beside table and region."
  type        = map(string)
}

variable "statements" {
  description = "Additional IAM statements; each allows its actions on its resources."
  type = list(object({
    Sid       = string
    Action    = list(string)
    Resource  = list(string)
    Condition = optional(map(map(list(string))))
  }))

  validation {
    condition     = !contains(flatten(var.statements[*].Resource), "*")
    error_message = "A statement must name its resources: `*` is not allowed."
  }
}

variable "asynchronous" {
  description = "For asynchronous invocations: number of retries and maximum age in seconds. Events that fail go to a dead-letter queue."
  type        = object({ retries = number, max_age_seconds = number })
  default     = null
}

variable "may_join_vpc" {
  description = "Whether the function can be in a VPC, now or later: its role may then manage the network interfaces of Lambda."
  type        = bool
  default     = false
}

variable "vpc" {
  description = "Subnets and security groups; null to run outside a VPC."
  type        = object({ subnet_ids = list(string), security_group_ids = list(string), ipv6 = optional(bool, false) })
  default     = null

  validation {
    condition     = try(length(var.vpc.subnet_ids) > 0 && length(var.vpc.security_group_ids) > 0, var.vpc == null)
    error_message = "`vpc` must have at least one subnet and one security group."
  }
}
