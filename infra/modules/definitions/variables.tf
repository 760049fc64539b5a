variable "definitions" {
  description = "The definitions file, as text; null without a file."
  type        = string
  default     = null
}

variable "monitors" {
  description = "More monitors: a map from ids to maps of the same fields. A field that is null is absent."
  type        = any
  default     = {}
}

variable "locations" {
  description = "Locations of this deployment."
  type        = list(string)
}

variable "agents" {
  description = "Agents of this deployment. They reach what their networks reach: private addresses, IPv6 and port 25."
  type        = list(string)
  default     = []
}

variable "networks" {
  description = "Locations in a VPC, and what it reaches. Lambda functions in others reach neither IPv6, nor port 25, nor private addresses."
  type        = map(object({ ipv6 = optional(bool, false), port_25 = optional(bool, false) }))
  default     = {}
}
