variable "name" {
  description = "Name of the topic."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,256}$", var.name))
    error_message = "`name` must have 1 to 256 letters, digits, `_` and `-`."
  }
}

variable "kms_key_arn" {
  description = "ARN of the customer managed key, in the region of the topic, that encrypts messages at rest; null for none."
  type        = string
  default     = null

  validation {
    # An alias in another account, or the AWS managed key, would keep CloudWatch from publishing.
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "`kms_key_arn` must be the ARN of a KMS key in the region of the topic."
  }
}

variable "subscribers" {
  description = "Subscribers, by a name of your choice: protocol, endpoint, and optional filters by severity or tag (with both, both must match)."
  type = map(object({
    protocol   = string
    endpoint   = string
    severities = optional(list(string), [])
    tags       = optional(list(string), [])
  }))
  default = {}

  validation {
    condition     = alltrue([for who in var.subscribers : contains(["email", "sms", "https"], who.protocol)])
    error_message = "The protocol of a subscriber must be email, sms or https."
  }

  validation {
    condition = alltrue([for who in var.subscribers : can(regex({
      email = "^[^@ ]+@[^@ ]+$"
      sms   = "^\\+[1-9][0-9]{6,14}$"
      https = "^https://"
    }[who.protocol], who.endpoint))])
    error_message = "The endpoint of a subscriber must be an address such as oncall@example.com for email, a number such as +447700900123 for sms, or a URL that starts with https:// for https."
  }

  validation {
    condition     = alltrue([for word in flatten(values(var.subscribers)[*].severities) : contains(["critical", "warning", "info"], word)])
    error_message = "A severity must be critical, warning or info."
  }

  # SNS keeps one subscription for each endpoint: the second resource would adopt it, or fail if its filters differ.
  # https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
  validation {
    condition     = length(distinct([for who in var.subscribers : "${who.protocol} ${who.protocol == "https" ? who.endpoint : lower(who.endpoint)}"])) == length(var.subscribers)
    error_message = "Two subscribers have the same endpoint, and SNS keeps only one subscription for each. Combine them: list the severities and tags of both."
  }
}
