# The alarms of a checker. Runs with another time of deployment have a state of their own, because the time is kept.

mock_provider "aws" { source = "../../tests/mocks" }
mock_provider "aws" {
  alias  = "home"
  source = "../../tests/mocks"
}

variables {
  name   = "portpulse"
  region = "eu-west-1"
  shards = { "1m" = 1, "5m" = 6 }
  home = {
    region      = "eu-west-2"
    table_name  = "portpulse"
    table_arn   = "arn:aws:dynamodb:eu-west-2:123456789012:table/portpulse"
    kms_key_arn = "arn:aws:kms:eu-west-2:123456789012:key/1"
    topic_arn   = "arn:aws:sns:eu-west-2:123456789012:portpulse-alerts"
  }
  function = { zip = "../../tests/fixtures/checker.bin" }
  watchers = { team = { protocol = "email", endpoint = "team@example.com" } }
}

run "watchdog_alarms_on_silence_and_errors" {
  override_resource {
    target = terraform_data.deployed
    values = { output = "2026-02-28T23:58:07Z" }
  }

  assert {
    # 1772323087, and a minute for the first tick, and five.
    condition     = contains([for query in aws_cloudwatch_metric_alarm.silent.metric_query : query.expression], "IF(EPOCH(invoked) < 1772323447, 1, FILL(invoked, 0))")
    error_message = "A minute without an invocation must count as missing at once, but none before the first tick: ${jsonencode(aws_cloudwatch_metric_alarm.silent.metric_query)}"
  }
  assert {
    condition     = one(flatten([for query in aws_cloudwatch_metric_alarm.silent.metric_query : query.metric])).period == 60 && aws_cloudwatch_metric_alarm.silent.evaluation_periods == 5 && aws_cloudwatch_metric_alarm.silent.treat_missing_data == "breaching"
    error_message = "Five minutes without an invocation must trigger an alarm."
  }
  assert {
    condition     = [aws_cloudwatch_metric_alarm.failing.metric_name, aws_cloudwatch_metric_alarm.failing.period, aws_cloudwatch_metric_alarm.failing.threshold] == ["Errors", 600, 2]
    error_message = "Two errors within two of the longest intervals must trigger an alarm."
  }
  assert {
    condition = alltrue([
      for alarm in [aws_cloudwatch_metric_alarm.silent, aws_cloudwatch_metric_alarm.failing] :
      alarm.alarm_actions == toset([module.watchdog.arn]) && alarm.ok_actions == toset([module.watchdog.arn])
    ])
    error_message = "Both alarms must notify this region's topic, also when they end."
  }
  assert {
    condition     = [aws_cloudwatch_metric_alarm.failing.dimensions, one(flatten([for query in aws_cloudwatch_metric_alarm.silent.metric_query : query.metric])).dimensions] == [tomap({ FunctionName = "portpulse-checker" }), tomap({ FunctionName = "portpulse-checker" })]
    error_message = "Both alarms must monitor the checker."
  }
}

run "hourly_group_alone_alarms_after_three_hours" {
  state_key = "hourly"
  variables { shards = { "1h" = 1 } }
  override_resource {
    target = terraform_data.deployed
    values = { output = "2028-02-29T00:00:00Z" }
  }

  assert {
    condition     = one(flatten([for query in aws_cloudwatch_metric_alarm.silent.metric_query : query.metric])).period == 3600 && aws_cloudwatch_metric_alarm.silent.evaluation_periods == 3
    error_message = "Three hours without an invocation must trigger an alarm."
  }
  assert {
    # 1835395200, an hour, and five minutes.
    condition     = contains([for query in aws_cloudwatch_metric_alarm.silent.metric_query : query.expression], "IF(EPOCH(invoked) < 1835399100, 1, FILL(invoked, 0))")
    error_message = "No invocation is expected in the first hour: ${jsonencode(aws_cloudwatch_metric_alarm.silent.metric_query)}"
  }
}

run "start_of_year_is_converted" {
  state_key = "year"
  override_resource {
    target = terraform_data.deployed
    values = { output = "2027-01-01T12:30:00Z" }
  }

  assert {
    condition     = local.expected == 1798806600 + 60 + 300
    error_message = "The Unix time must be correct at the start of a year: ${local.expected}"
  }
}
