output "function_name" {
  description = "Name of the Lambda."
  value       = aws_lambda_function.checker.function_name
}

output "log_group" {
  description = "Name of its log group."
  value       = aws_cloudwatch_log_group.checker.name
}

output "dead_letters" {
  description = "URL of the queue of invocations that failed or came too late."
  value       = aws_sqs_queue.dead_letters.url
}

output "unconfirmed" {
  description = "Subscribers of the dead-man's switch who have not yet confirmed, as of the last refresh."
  value       = module.watchdog.unconfirmed
}

output "watchdog_arn" {
  description = "ARN of the dead-man's switch's topic in this region."
  value       = module.watchdog.arn
}
