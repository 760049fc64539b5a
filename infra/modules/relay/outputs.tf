output "names" {
  description = "Names of the Lambda and its log group, and the URL of its dead-letter queue."
  value       = module.function.names

  precondition {
    condition     = local.environment_bytes <= 4096
    error_message = "The destinations and the other settings of the relay have ${local.environment_bytes} bytes; the maximum of Lambda is 4096. Shorten the names of secrets, or name fewer tags, monitors or destinations."
  }
}
