output "url" {
  description = "Address of the page."
  value       = aws_lambda_function_url.status.function_url
}

output "function_name" {
  description = "Name of the Lambda."
  value       = aws_lambda_function.status.function_name
}

output "log_group" {
  description = "Name of its log group."
  value       = aws_cloudwatch_log_group.status.name
}
