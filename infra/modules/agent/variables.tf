variable "name" {
  description = "Prefix of all resource names."
  type        = string
}

variable "location" {
  description = "Name of the location that the agent reports for."
  type        = string
}

variable "groups" {
  description = "The groups with monitors that name the location, such as 1m#0."
  type        = list(string)
}

variable "home" {
  description = "Shared resources of the home region: region, table, alert topic, their customer managed keys, the address of the status page, the secrets of the monitors that the agent checks with their keys, and the standby, if there is one."
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

variable "user" {
  description = "Whether to create an IAM user with the policy."
  type        = bool
  default     = false
}

variable "trusted" {
  description = "ARNs of the principals that may assume a role with the policy; no role without any."
  type        = list(string)
  default     = []
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of the user and the role."
  type        = string
  default     = null
}
