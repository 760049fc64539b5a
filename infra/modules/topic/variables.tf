variable "name" {
  description = "Name of the topic."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,256}$", var.name))
    error_message = "`name` must have 1 to 256 letters, digits, `_` and `-`."
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
    error_message = "The endpoint of a subscriber must be an address such as oncall@example.com for email, a number such as +15550100 for sms, or a URL that starts with https:// for https."
  }

  validation {
    condition     = alltrue([for word in flatten(values(var.subscribers)[*].severities) : contains(["critical", "warning", "info"], word)])
    error_message = "A severity must be critical, warning or info."
  }
}
