variable "name" {
  description = "Name of the dashboard."
  type        = string
}

variable "regions" {
  description = "All regions that can run a checker."
  type        = list(string)
}

variable "checker" {
  description = "Name of the checker's Lambda, the same in each region."
  type        = string
}

variable "home" {
  description = "Home region, and the names of its table, alert topic, relay Lambda and the relay's dead-letter queue; the last two null without a relay."
  type = object({
    region       = string
    table        = string
    topic        = string
    relay        = optional(string)
    dead_letters = optional(string)
  })
}
