# Attribute by attribute: with whole resources, every plan would show the attributes that AWS computes.

output "lambda" {
  description = "The Lambda: its ARN and its settings."
  value = {
    arn           = aws_lambda_function.this.arn
    function_name = aws_lambda_function.this.function_name
    filename      = aws_lambda_function.this.filename
    memory_size   = aws_lambda_function.this.memory_size
    timeout       = aws_lambda_function.this.timeout
    environment   = one(aws_lambda_function.this.environment).variables
    reserved      = aws_lambda_function.this.reserved_concurrent_executions
    ipv6          = [for vpc in aws_lambda_function.this.vpc_config : vpc.ipv6_allowed_for_dual_stack]
    subnet_ids    = flatten([for vpc in aws_lambda_function.this.vpc_config : tolist(vpc.subnet_ids)])
  }
}

output "role" {
  description = "Name of the role."
  value       = aws_iam_role.this.name
}

output "policy" {
  description = "Policy of the role, as JSON."
  value       = aws_iam_role_policy.this.policy
}

output "dead_letters" {
  description = "Dead-letter queue and retry settings; null unless the function is invoked asynchronously."
  value = one([
    for index, queue in aws_sqs_queue.dead_letters : {
      arn             = queue.arn
      name            = queue.name
      url             = queue.url
      retries         = aws_lambda_function_event_invoke_config.this[index].maximum_retry_attempts
      max_age_seconds = aws_lambda_function_event_invoke_config.this[index].maximum_event_age_in_seconds
    }
  ])
}

output "names" {
  description = "Names of the Lambda and its log group, and the URL of its dead-letter queue."
  value = {
    function_name = aws_lambda_function.this.function_name
    log_group     = aws_cloudwatch_log_group.this.name
    dead_letters  = one(aws_sqs_queue.dead_letters[*].url)
  }
}
