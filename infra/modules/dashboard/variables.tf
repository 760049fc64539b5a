variable "name" {
  description = "Name of the dashboard."
  type        = string
}

variable "regions" {
  description = "Every region that may check, whether it does or not."
  type        = list(string)
}

variable "checker" {
  description = "Name of the checker's Lambda, the same in each region."
  type        = string
}

variable "home" {
  description = "The home region, and what is there: the names of the table, of the alert topic and, where there is one, of the relay's Lambda and of its dead-letter queue."
  type = object({
    region       = string
    table        = string
    topic        = string
    relay        = optional(string)
    dead_letters = optional(string)
  })
}
