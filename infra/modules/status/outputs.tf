output "browser_url" {
  description = "URL of the page if a browser can open it; null if the page requires IAM permissions."
  value       = local.authorization == "NONE" ? trimsuffix(aws_lambda_function_url.status.function_url, "/") : null
}

output "url" {
  description = "URL of the page."
  value       = aws_lambda_function_url.status.function_url
}
