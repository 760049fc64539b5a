variable "definitions" {
  description = "The definitions file, as text."
  type        = string
}

variable "presets" {
  description = "Values that services and tiers set: the content of presets.json."
  type        = any

  validation {
    condition     = can(keys(var.presets.default)) && can(keys(var.presets.tiers)) && can(keys(var.presets.services))
    error_message = "`presets` must have `default`, `tiers` and `services`."
  }
}

variable "regions" {
  description = "Regions that run a checker."
  type        = list(string)
}

variable "vpc_regions" {
  description = "Regions whose checker runs in a VPC, and can reach port 25, IPv6 and private addresses if the VPC does."
  type        = list(string)
  default     = []
}
