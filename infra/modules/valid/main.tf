# Fails the plan if there are diagnostics; waits for the apply if these are known only then.

variable "place" {
  description = "What the diagnostics concern."
  type        = string
}

variable "diagnostics" {
  description = "Diagnostics as lines; empty without any."
  type        = string
}

output "place" {
  description = "What is valid."
  value       = var.place

  precondition {
    condition     = var.diagnostics == ""
    error_message = "The variable `monitors` is invalid:\n${var.diagnostics}"
  }
}
