variable "names" {
  description = "Names of the secrets, each ssm:/path or secretsmanager:name."
  type        = list(string)

  validation {
    condition     = alltrue([for name in var.names : can(regex("^(ssm:/|secretsmanager:)[A-Za-z0-9_./+=@-]*$", name))])
    error_message = "A secret must be named by ssm:/path or secretsmanager:name."
  }
}

variable "key_arns" {
  description = "ARNs of customer managed keys, in the home region, that encrypt the secrets. AWS managed keys need not be listed."
  type        = list(string)
}

variable "region" {
  description = "The home region, which has the secrets."
  type        = string
}

variable "table_arn" {
  description = "ARN of the table in the home region, for partition and account."
  type        = string
}
