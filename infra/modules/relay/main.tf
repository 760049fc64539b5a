# The relay: a Lambda in the home region that takes what the alert topic tells on to the destinations, and keeps what
# it could not deliver.

locals {
  function_name = "${var.name}-relay"
  # Lambda measures the variables as JSON, in bytes. https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
  environment_bytes = floor(length(base64encode(jsonencode(module.function.lambda.environment))) * 3 / 4)
}

module "function" {
  source = "../function"

  name        = local.function_name
  region      = var.home.region
  description = "Takes what Portpulse tells on to chats, pagers and webhooks."
  home        = var.home
  # A minute is for four attempts of ten seconds, and the pauses in between.
  function = merge(var.function, { memory_mb = 128, timeout_seconds = 60 })
  settings = { PORTPULSE_RELAY = var.destinations }
  # What was delivered is noted, so a retry tells only whom the first try did not reach. Lambda tries again after one and
  # after two minutes; what then has not arrived everywhere is kept.
  asynchronous = { retries = 2, longest_seconds = 6 * 3600 }

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

  # Every notification has a severity; what somebody else publishes there has none.
  filter_policy = jsonencode({ severity = ["critical", "warning", "info"] })
  # What SNS itself could not hand to the function.
  redrive_policy = jsonencode({ deadLetterTargetArn = module.function.dead_letters.arn })

  depends_on = [aws_lambda_permission.topic, aws_sqs_queue_policy.topic]
}

resource "aws_sqs_queue_policy" "topic" {
  queue_url = module.function.dead_letters.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TheTopicSendsWhatItCouldNotDeliver"
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
  alarm_description = "Portpulse's relay could not tell a destination what it should have heard. See the log group ${module.function.names.log_group}, and the queue ${module.function.dead_letters.name}; the alarm ends when that is empty."
  namespace         = "AWS/SQS"
  metric_name       = "ApproximateNumberOfMessagesVisible"
  dimensions        = { QueueName = module.function.dead_letters.name }
  statistic         = "Maximum"

  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"

  alarm_actions = [var.watchdog_arn]
  ok_actions    = [var.watchdog_arn]
}
