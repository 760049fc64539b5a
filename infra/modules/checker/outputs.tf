output "names" {
  description = "Names of the Lambda and its log group, and the URL of its dead-letter queue."
  value       = module.function.names
}

output "unconfirmed" {
  description = "Unconfirmed subscribers of the watchdog, as of the last refresh."
  value       = module.watchdog.unconfirmed
}

output "unauthenticated" {
  description = "Email subscribers of the watchdog whose confirmation was not authenticated, as of the last refresh."
  value       = module.watchdog.unauthenticated
}

output "watchdog_arn" {
  description = "ARN of the watchdog's topic in this region."
  value       = module.watchdog.arn
}
