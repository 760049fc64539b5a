output "table" {
  description = "Name of the table, in the home region."
  value       = module.portpulse.table
}

output "topic_arn" {
  description = "ARN of the alert topic."
  value       = module.portpulse.topic_arn
}

output "groups" {
  description = "The group of each monitor, such as 1m#0."
  value       = module.portpulse.groups
}

output "checkers" {
  description = "The Lambda, its log group and its dead-letter queue, by region."
  value       = module.portpulse.checkers
}

output "relay" {
  description = "The relay's Lambda, log group and dead-letter queue; null without destinations."
  value       = module.portpulse.relay
}

output "status_url" {
  description = "URL of the status page; null without one."
  value       = module.portpulse.status_url
}

output "dashboard" {
  description = "URL of the CloudWatch dashboard; null without one."
  value       = module.portpulse.dashboard
}

output "unconfirmed" {
  description = "Unconfirmed subscriptions, by region of the topic, as of the last refresh."
  value       = module.portpulse.unconfirmed
}
