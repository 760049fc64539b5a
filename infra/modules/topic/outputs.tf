output "arn" {
  description = "ARN of the topic."
  value       = aws_sns_topic.this.arn
}

output "unconfirmed" {
  description = "Unconfirmed subscribers, as of the last refresh."
  value       = [for name, subscription in aws_sns_topic_subscription.this : name if subscription.pending_confirmation]
}
