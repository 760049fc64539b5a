# The watchdog: alarms on Lambda's free metrics, sent through a topic of this region, so that they do not depend on the home region.

module "watchdog" {
  source = "../topic"

  name        = "${var.name}-watchdog"
  subscribers = var.watchers
}

locals {
  seconds  = { "1m" = 60, "2m" = 120, "5m" = 300, "10m" = 600, "15m" = 900, "30m" = 1800, "1h" = 3600 }
  lengths  = [for interval in keys(var.shards) : local.seconds[interval]]
  shortest = min(local.lengths...)
  longest  = max(local.lengths...)
}

resource "aws_cloudwatch_metric_alarm" "silent" {
  alarm_name        = "${local.function_name}-silent"
  alarm_description = "Portpulse has not been invoked in ${var.region} for three intervals: no checks run there. See the rules ${var.name}-*, and the queue ${module.function.dead_letters.name}."
  namespace         = "AWS/Lambda"
  metric_name       = "Invocations"
  dimensions        = { FunctionName = module.function.lambda.function_name }
  statistic         = "Sum"

  # The shortest interval that has monitors.
  period              = local.shortest
  evaluation_periods  = 3
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"

  alarm_actions = [module.watchdog.arn]
  ok_actions    = [module.watchdog.arn]
}

resource "aws_cloudwatch_metric_alarm" "failing" {
  alarm_name        = "${local.function_name}-failing"
  alarm_description = "Portpulse's checker in ${var.region} fails: it could not write results or publish notifications. See the log group ${module.function.names.log_group}."
  namespace         = "AWS/Lambda"
  metric_name       = "Errors"
  dimensions        = { FunctionName = module.function.lambda.function_name }
  statistic         = "Sum"

  # Two failures within two of the longest intervals: detects a group that always fails, and ignores a single failure.
  period              = max(600, 2 * local.longest)
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 2
  treat_missing_data  = "notBreaching"

  alarm_actions = [module.watchdog.arn]
  ok_actions    = [module.watchdog.arn]
}
