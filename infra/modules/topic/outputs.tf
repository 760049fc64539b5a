output "arn" {
  description = "ARN of the topic."
  value       = aws_sns_topic.this.arn
}

output "unconfirmed" {
  description = "Unconfirmed subscribers, as of the last refresh."
  value       = [for name, subscription in aws_sns_topic_subscription.this : name if subscription.pending_confirmation]
}

output "unauthenticated" {
  description = "Email subscribers whose confirmation was not authenticated, as of the last refresh: whoever opens the link at the end of a message ends the subscription."
  value       = [for name, subscription in aws_sns_topic_subscription.this : name if subscription.protocol == "email" && !subscription.pending_confirmation && !subscription.confirmation_was_authenticated]
}

output "name" {
  description = "Name of the topic."
  value       = aws_sns_topic.this.name
}

output "settings" {
  description = "Settings and subscribers of the topic, for tests."
  value = {
    name    = aws_sns_topic.this.name
    key_arn = aws_sns_topic.this.kms_master_key_id
    subscribers = {
      for name, each in aws_sns_topic_subscription.this : name => { protocol = each.protocol, endpoint = each.endpoint, filter_policy = each.filter_policy }
    }
  }
}
