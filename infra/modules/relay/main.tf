# The relay: a Lambda in the home region that posts the notifications of the alert topic to the destinations, and keeps
# undelivered ones in a dead-letter queue.

locals {
  function_name = "${var.name}-relay"
  # Lambda measures the variables as JSON, in bytes. https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
  environment_bytes = floor(length(base64encode(jsonencode(module.function.lambda.environment))) * 3 / 4)
}

module "function" {
  source = "../function"

  name        = local.function_name
  region      = var.home.region
  description = "Posts the notifications of Portpulse to chats, pagers and webhooks."
  home        = var.home
  # A minute allows four attempts of ten seconds and the pauses between them.
  function = merge(var.function, { memory_mb = 128, timeout_seconds = 60 })
  settings = { PORTPULSE_RELAY = var.destinations }
  # Deliveries are recorded, so a retry posts only to the destinations that failed. Lambda retries after one and after two
  # minutes; events that still fail go to the dead-letter queue.
  asynchronous = { retries = 2, max_age_seconds = 6 * 3600 }

  table_access = "write"
  statements   = local.statements
}

resource "aws_lambda_permission" "topic" {
  statement_id  = "alerts"
  action        = "lambda:InvokeFunction"
  function_name = module.function.lambda.function_name
  principal     = "sns.amazonaws.com"
  source_arn    = var.home.topic_arn
}

resource "aws_sns_topic_subscription" "relay" {
  topic_arn = var.home.topic_arn
  protocol  = "lambda"
  endpoint  = module.function.lambda.arn

  # Every notification has a severity; messages of other publishers have none.
  filter_policy = jsonencode({ severity = ["critical", "warning", "info"] })
  # Messages that SNS could not deliver to the function.
  redrive_policy = jsonencode({ deadLetterTargetArn = module.function.dead_letters.arn })

  depends_on = [aws_lambda_permission.topic, aws_sqs_queue_policy.topic]
}

resource "aws_sqs_queue_policy" "topic" {
  queue_url = module.function.dead_letters.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "SendUndeliveredMessages"
      Effect    = "Allow"
      Action    = "sqs:SendMessage"
      Principal = { Service = "sns.amazonaws.com" }
      Resource  = module.function.dead_letters.arn
      Condition = { ArnEquals = { "aws:SourceArn" = var.home.topic_arn } }
    }]
  })
}

resource "aws_cloudwatch_metric_alarm" "undelivered" {
  alarm_name        = "${local.function_name}-undelivered"
  alarm_description = "Portpulse's relay could not deliver a notification to a destination. See the log group ${module.function.names.log_group}, and the queue ${module.function.dead_letters.name}; the alarm ends when the queue is empty."
  namespace         = "AWS/SQS"
  metric_name       = "ApproximateNumberOfMessagesVisible"
  dimensions        = { QueueName = module.function.dead_letters.name }
  statistic         = "Maximum"

  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  # SQS stops reporting on a queue that is unused for six hours: the alarm stays as it is.
  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html
  treat_missing_data = "ignore"

  alarm_actions = [var.watchdog_arn]
  ok_actions    = [var.watchdog_arn]
}

# Sooner than the alarm of the queue, to which Lambda sends a notification only after its retries.
resource "aws_cloudwatch_metric_alarm" "failing" {
  alarm_name        = "${local.function_name}-failing"
  alarm_description = "Portpulse's relay fails: it could not post to a destination, and tries again. See the log group ${module.function.names.log_group}."
  namespace         = "AWS/Lambda"
  metric_name       = "Errors"
  dimensions        = { FunctionName = module.function.lambda.function_name }
  statistic         = "Sum"

  # A single failure is repeated a minute later and is not reported.
  period              = 600
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 2
  treat_missing_data  = "notBreaching"

  alarm_actions = [var.watchdog_arn]
  ok_actions    = [var.watchdog_arn]
}
