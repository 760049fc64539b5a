# One region's checker: the Lambda, and what it is allowed to do.

locals {
  function_name = "${var.name}-checker"
  # Roles are global: two regions' checkers need two names.
  role_name = "${var.name}-checker-${var.region}"
}

resource "aws_lambda_function" "checker" {
  function_name                  = local.function_name
  description                    = "Checks the ports that Portpulse watches, from ${var.region}."
  role                           = aws_iam_role.checker.arn
  runtime                        = "provided.al2023"
  handler                        = "bootstrap"
  architectures                  = [var.function.architecture]
  filename                       = var.function.zip
  source_code_hash               = fileexists(var.function.zip) ? filebase64sha256(var.function.zip) : null
  memory_size                    = var.function.memory_mb
  timeout                        = var.function.timeout_seconds
  reserved_concurrent_executions = var.function.reserved_concurrency

  environment {
    variables = merge(var.function.environment, {
      PORTPULSE_TABLE       = var.home.table_name
      PORTPULSE_HOME_REGION = var.home.region
      PORTPULSE_TOPIC_ARN   = var.home.topic_arn
      PORTPULSE_METRICS     = var.function.metrics
    })
  }

  dynamic "vpc_config" {
    for_each = var.vpc[*]
    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  lifecycle {
    precondition {
      condition     = fileexists(var.function.zip)
      error_message = "There is no zip of the checker at ${var.function.zip}. Build it first, at the top of the repository: infra/build ${var.function.architecture}"
    }
  }

  # Lambda tries the role and the queue when the function is made, and would make a log group without retention.
  depends_on = [aws_iam_role_policy.checker, aws_cloudwatch_log_group.checker]
}

# A stale tick must not run: the next one is due before a retry.
resource "aws_lambda_function_event_invoke_config" "checker" {
  function_name                = aws_lambda_function.checker.function_name
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 60

  destination_config {
    on_failure {
      destination = aws_sqs_queue.dead_letters.arn
    }
  }
}

resource "aws_cloudwatch_log_group" "checker" {
  name              = "/aws/lambda/${local.function_name}"
  retention_in_days = var.log_retention_days
}

# Invocations that failed or came too late.
resource "aws_sqs_queue" "dead_letters" {
  name                      = "${local.function_name}-dead-letters"
  message_retention_seconds = 14 * 86400
  sqs_managed_sse_enabled   = true
}
