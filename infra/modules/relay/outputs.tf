output "function_name" {
  description = "Name of the Lambda."
  value       = aws_lambda_function.relay.function_name
}

output "log_group" {
  description = "Name of its log group."
  value       = aws_cloudwatch_log_group.relay.name
}

output "dead_letters" {
  description = "URL of the queue of what could not be delivered."
  value       = aws_sqs_queue.dead_letters.url
}
