# The schedule: an EventBridge rule for each interval that has monitors, a target for each shard.

locals {
  # EventBridge fires once a minute at most. With a shorter interval, an invocation runs the checks of its minute.
  cron = {
    "10s" = "cron(* * * * ? *)"
    "15s" = "cron(* * * * ? *)"
    "20s" = "cron(* * * * ? *)"
    "30s" = "cron(* * * * ? *)"
    "1m"  = "cron(* * * * ? *)"
    "2m"  = "cron(0/2 * * * ? *)"
    "5m"  = "cron(0/5 * * * ? *)"
    "10m" = "cron(0/10 * * * ? *)"
    "15m" = "cron(0/15 * * * ? *)"
    "30m" = "cron(0/30 * * * ? *)"
    "1h"  = "cron(0 * * * ? *)"
  }

  # A rule has at most five targets: the sixth shard of an interval starts another rule.
  targets_per_rule = 5
  targets = merge([
    for interval, shards in var.shards : {
      for shard in range(shards) : "${interval}#${shard}" => {
        interval = interval
        shard    = shard
        rule     = "${interval}-${floor(shard / local.targets_per_rule)}"
      }
    }
  ]...)
  rules = { for target in values(local.targets) : target.rule => target.interval... }
}

resource "aws_cloudwatch_event_rule" "interval" {
  for_each = local.rules

  name                = "${var.name}-${each.key}"
  description         = "Portpulse: monitors with an interval of ${each.value[0]}."
  schedule_expression = local.cron[each.value[0]]

  # No tick before the location is listed: results of an unlisted location do not count.
  depends_on = [aws_dynamodb_table_item.expected]
}

resource "aws_cloudwatch_event_target" "shard" {
  for_each = local.targets

  rule      = aws_cloudwatch_event_rule.interval[each.value.rule].name
  target_id = "shard-${each.value.shard}"
  arn       = module.function.lambda.arn

  # The scheduled time, not the time of delivery, identifies the tick. EventBridge adds the quotes around `<time>`.
  input_transformer {
    input_paths    = { time = "$.time" }
    input_template = "{\"time\":<time>,\"interval\":\"${each.value.interval}\",\"shard\":${each.value.shard}}"
  }

  retry_policy {
    maximum_event_age_in_seconds = 60
    maximum_retry_attempts       = 2
  }

  dead_letter_config {
    arn = module.function.dead_letters.arn
  }
}

resource "aws_lambda_permission" "schedule" {
  for_each = local.rules

  statement_id  = "rule-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = module.function.lambda.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.interval[each.key].arn
}

resource "aws_sqs_queue_policy" "schedule" {
  queue_url = module.function.dead_letters.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "SendUndeliveredEvents"
      Effect    = "Allow"
      Action    = "sqs:SendMessage"
      Principal = { Service = "events.amazonaws.com" }
      Resource  = module.function.dead_letters.arn
      Condition = { ArnEquals = { "aws:SourceArn" = [for rule in aws_cloudwatch_event_rule.interval : rule.arn] } }
    }]
  })
}
