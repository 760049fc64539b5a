# The relay: a Lambda in the home region that takes what the alert topic tells on to the destinations, and keeps what
# it could not deliver.

locals {
  function_name = "${var.name}-relay"
  environment = merge(var.function.environment, {
    PORTPULSE_TABLE       = var.home.table_name
    PORTPULSE_HOME_REGION = var.home.region
    PORTPULSE_RELAY       = var.destinations
  })
  # Lambda measures the variables as JSON, in bytes. https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
  environment_bytes = floor(length(base64encode(jsonencode(local.environment))) * 3 / 4)
}

resource "aws_lambda_function" "relay" {
  function_name    = local.function_name
  description      = "Takes what Portpulse tells on to chats, pagers and webhooks."
  role             = aws_iam_role.relay.arn
  runtime          = "provided.al2023"
  handler          = "bootstrap"
  architectures    = [var.function.architecture]
  filename         = var.function.zip
  source_code_hash = fileexists(var.function.zip) ? filebase64sha256(var.function.zip) : null
  memory_size      = 128
  # Four attempts of ten seconds, and the pauses in between.
  timeout = 60

  environment {
    variables = local.environment
  }

  lifecycle {
    precondition {
      condition     = fileexists(var.function.zip)
      error_message = "There is no zip of the relay at ${var.function.zip}. Build it first, at the top of the repository: infra/build ${var.function.architecture}"
    }

    precondition {
      condition     = local.environment_bytes <= 4096
      error_message = "The destinations and the relay's other settings take ${local.environment_bytes} bytes; Lambda takes 4096. Shorten the names of secrets, or name fewer tags, monitors or destinations."
    }
  }

  # Lambda tries the role and the queue when the function is made, and would make a log group without retention.
  depends_on = [aws_iam_role_policy.relay, aws_cloudwatch_log_group.relay]
}

# What was delivered is noted, so a retry tells only whom the first try did not reach. Lambda tries again after one and
# after two minutes; what then has not arrived everywhere is kept.
resource "aws_lambda_function_event_invoke_config" "relay" {
  function_name                = aws_lambda_function.relay.function_name
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 6 * 3600

  destination_config {
    on_failure {
      destination = aws_sqs_queue.dead_letters.arn
    }
  }
}

resource "aws_lambda_permission" "topic" {
  statement_id  = "alerts"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.relay.function_name
  principal     = "sns.amazonaws.com"
  source_arn    = var.home.topic_arn
}

resource "aws_sns_topic_subscription" "relay" {
  topic_arn = var.home.topic_arn
  protocol  = "lambda"
  endpoint  = aws_lambda_function.relay.arn

  # Every notification has a severity; what somebody else publishes there has none.
  filter_policy = jsonencode({ severity = ["critical", "warning", "info"] })
  # What SNS itself could not hand to the function.
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead_letters.arn })

  depends_on = [aws_lambda_permission.topic, aws_sqs_queue_policy.topic]
}

resource "aws_cloudwatch_log_group" "relay" {
  name              = "/aws/lambda/${local.function_name}"
  retention_in_days = var.log_retention_days
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${local.function_name}-dead-letters"
  message_retention_seconds = 14 * 86400
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_policy" "topic" {
  queue_url = aws_sqs_queue.dead_letters.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TheTopicSendsWhatItCouldNotDeliver"
      Effect    = "Allow"
      Action    = "sqs:SendMessage"
      Principal = { Service = "sns.amazonaws.com" }
      Resource  = aws_sqs_queue.dead_letters.arn
      Condition = { ArnEquals = { "aws:SourceArn" = var.home.topic_arn } }
    }]
  })
}

resource "aws_cloudwatch_metric_alarm" "undelivered" {
  alarm_name        = "${local.function_name}-undelivered"
  alarm_description = "Portpulse's relay could not tell a destination what it should have heard. See the log group ${aws_cloudwatch_log_group.relay.name}, and the queue ${aws_sqs_queue.dead_letters.name}; the alarm ends when that is empty."
  namespace         = "AWS/SQS"
  metric_name       = "ApproximateNumberOfMessagesVisible"
  dimensions        = { QueueName = aws_sqs_queue.dead_letters.name }
  statistic         = "Maximum"

  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"

  alarm_actions = [var.watchdog_arn]
  ok_actions    = [var.watchdog_arn]
}
