output "url" {
  description = "URL of the page."
  value       = aws_lambda_function_url.status.function_url
}
