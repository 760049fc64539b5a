output "names" {
  description = "What to look for: the names of the Lambda and of its log group, and the URL of the queue of what could not be delivered."
  value       = module.function.names

  precondition {
    condition     = local.environment_bytes <= 4096
    error_message = "The destinations and the relay's other settings take ${local.environment_bytes} bytes; Lambda takes 4096. Shorten the names of secrets, or name fewer tags, monitors or destinations."
  }
}
