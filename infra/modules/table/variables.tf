variable "name" {
  description = "Name of the table."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,255}$", var.name))
    error_message = "A table's name has 3 to 255 letters, digits and `_.-`."
  }
}

variable "capacity" {
  description = "How the table is paid for: `on_demand`, or `always_free`, which provisions within the 25 read and 25 write units that AWS gives an account for nothing, and throttles what goes beyond."
  type        = string
  default     = "on_demand"

  validation {
    condition     = contains(["on_demand", "always_free"], var.capacity)
    error_message = "`capacity` is on_demand or always_free."
  }
}

variable "always_free_units" {
  description = "What `always_free` provisions. The free units are an account's, not a table's: lower this where other tables use them too."
  type        = object({ read = number, write = number })
  default     = { read = 25, write = 25 }

  validation {
    condition = alltrue([
      for units in [var.always_free_units.read, var.always_free_units.write] : units >= 1 && units <= 25 && floor(units) == units
    ])
    error_message = "`always_free_units` are whole numbers from 1 to 25: beyond 25 they are no longer free."
  }
}

variable "point_in_time_recovery" {
  description = "Whether the table can be restored to any second of the last 35 days. Billed by the gigabyte stored."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the table. Turn it off and apply before `terraform destroy`."
  type        = bool
  default     = true
}

variable "kms_key_arn" {
  description = "Customer managed key that encrypts the table. Without one it is encrypted with a key that AWS owns, at no charge."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "`kms_key_arn` is the ARN of a KMS key in the home region."
  }
}

variable "items" {
  description = "Items that it is to hold, by a name: each in DynamoDB's JSON, with `pk` and `sk`."
  type        = map(string)
  default     = {}
}
