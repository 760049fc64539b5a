output "names" {
  description = "What to look for: the names of the Lambda and of its log group, and the URL of the queue of invocations that failed or came too late."
  value       = module.function.names
}

output "unconfirmed" {
  description = "Subscribers of the dead-man's switch who have not yet confirmed, as of the last refresh."
  value       = module.watchdog.unconfirmed
}

output "watchdog_arn" {
  description = "ARN of the dead-man's switch's topic in this region."
  value       = module.watchdog.arn
}
