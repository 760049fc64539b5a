variable "definitions" {
  description = "The definitions file, as text."
  type        = string
}

variable "presets" {
  description = "What services and tiers bring along: the content of presets.json."
  type        = any

  validation {
    condition     = can(keys(var.presets.default)) && can(keys(var.presets.tiers)) && can(keys(var.presets.services))
    error_message = "`presets` has `default`, `tiers` and `services`."
  }
}

variable "regions" {
  description = "The regions that check."
  type        = list(string)
}

variable "vpc_regions" {
  description = "Those of them whose checker runs in a VPC, and so reaches port 25, IPv6 and private addresses as far as that VPC does."
  type        = list(string)
  default     = []
}
