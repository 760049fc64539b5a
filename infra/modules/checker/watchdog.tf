# The watchdog: alarms on Lambda's free metrics, sent through a topic of this region, so that they do not depend on the home region.

module "watchdog" {
  source = "../topic"

  name        = "${var.name}-watchdog"
  kms_key_arn = lookup(var.keys, var.region, null)
  subscribers = var.watchers
}

locals {
  # The time from one invocation to the next.
  seconds = { "10s" = 60, "15s" = 60, "20s" = 60, "30s" = 60, "1m" = 60, "2m" = 120, "5m" = 300, "10m" = 600, "15m" = 900, "30m" = 1800, "1h" = 3600 }
  lengths = [for interval in keys(var.shards) : local.seconds[interval]]
  # Without monitors, the plan fails for another reason.
  shortest = min(concat([3600], local.lengths)...)
  longest  = max(concat([60], local.lengths)...)

  # The Unix time from which invocations are expected: the first tick, and five minutes for the rest of the apply and for
  # EventBridge. Days since 1970 by https://howardhinnant.github.io/date_algorithms.html#days_from_civil
  deployed = [for field in split(" ", formatdate("YYYY M D h m s", terraform_data.deployed.output)) : tonumber(field)]
  year     = local.deployed[0] - (local.deployed[1] <= 2 ? 1 : 0)
  days     = 365 * local.year + floor(local.year / 4) - floor(local.year / 100) + floor(local.year / 400) + floor((153 * ((local.deployed[1] + 9) % 12) + 2) / 5) + local.deployed[2] - 719469
  expected = 86400 * local.days + 3600 * local.deployed[3] + 60 * local.deployed[4] + local.deployed[5] + local.shortest + 300
}

# The time of the first deployment, and of the last change of the shortest interval.
resource "terraform_data" "deployed" {
  input            = timestamp()
  triggers_replace = [local.shortest]

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_cloudwatch_metric_alarm" "silent" {
  alarm_name        = "${local.function_name}-silent"
  alarm_description = "Portpulse has not been invoked in ${var.region} for three intervals, five minutes at least: no checks run there. See the rules ${var.name}-*, and the queue ${module.function.dead_letters.name}."

  # Three of the shortest intervals that have monitors, and five minutes at least: metrics of Lambda may be a minute or two late.
  evaluation_periods  = max(3, ceil(300 / local.shortest))
  comparison_operator = "LessThanThreshold"
  threshold           = 1

  # Without `FILL`, CloudWatch waits for two more intervals, in case that data is late. `EPOCH` is the time of each interval: before the
  # first tick, nothing is missing. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
  metric_query {
    id          = "invocations"
    label       = "Invocations"
    expression  = "IF(EPOCH(invoked) < ${local.expected}, 1, FILL(invoked, 0))"
    return_data = true
  }
  metric_query {
    id = "invoked"
    metric {
      namespace   = "AWS/Lambda"
      metric_name = "Invocations"
      dimensions  = { FunctionName = module.function.lambda.function_name }
      stat        = "Sum"
      period      = local.shortest
    }
  }
  treat_missing_data = "breaching"

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
