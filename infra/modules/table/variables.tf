variable "name" {
  description = "Name of the table."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,255}$", var.name))
    error_message = "`name` must have 3 to 255 letters, digits and `_.-`."
  }
}

variable "capacity" {
  description = "Capacity mode of the table: `on_demand`, or `always_free`, which provisions within the 25 read and 25 write units of the free tier and throttles requests above them."
  type        = string
  default     = "on_demand"

  validation {
    condition     = contains(["on_demand", "always_free"], var.capacity)
    error_message = "`capacity` must be on_demand or always_free."
  }
}

variable "always_free_units" {
  description = "Units that `always_free` provisions. The free tier applies to the whole account: lower this if other tables use it."
  type        = object({ read = number, write = number })
  default     = { read = 25, write = 25 }

  validation {
    condition = alltrue([
      for units in [var.always_free_units.read, var.always_free_units.write] : units >= 1 && units <= 25 && floor(units) == units
    ])
    error_message = "`always_free_units` must be whole numbers from 1 to 25: more are not free."
  }
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
  description = "ARN of the customer managed key that encrypts the table. By default an AWS owned key, free of charge."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "`kms_key_arn` must be the ARN of a KMS key in the home region."
  }
}

variable "items" {
  description = "Items of the table, by name: each in DynamoDB's JSON, with `pk` and `sk`."
  type        = map(string)
  default     = {}
}
