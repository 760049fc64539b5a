variable "destinations" {
  description = "The file of destinations, as text."
  type        = string
}
