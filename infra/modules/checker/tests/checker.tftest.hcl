# One region's checker: exactly what it is told, what it may do, and when it runs.
#
# It stands with its module, not with the other tests: `terraform validate` in infra/ also validates each module that a
# test there names, on its own, and one that takes a second provider from its caller never passes that.

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

run "the_lambda" {

  assert {
    condition = module.function.lambda.environment == tomap({
      PORTPULSE_TABLE       = "portpulse"
      PORTPULSE_HOME_REGION = "eu-west-2"
      PORTPULSE_TOPIC_ARN   = "arn:aws:sns:eu-west-2:123456789012:portpulse-alerts"
      PORTPULSE_METRICS     = "off"
    })
    error_message = "The environment is these four variables, none of which names another region: metrics are off unless asked for."
  }
  assert {
    condition     = [module.function.lambda.function_name, module.function.lambda.filename, module.function.lambda.memory_size, module.function.lambda.timeout] == ["portpulse-checker", "../../tests/fixtures/checker.bin", 128, 60]
    error_message = "The zip given, with 128 MB and a minute."
  }
  assert {
    condition     = [module.function.dead_letters.retries, module.function.dead_letters.longest_seconds] == [0, 60]
    error_message = "A stale tick does not run."
  }
}

run "the_policy" {

  assert {
    condition = jsondecode(module.function.policy).Statement == [
      { Sid = "ReadTable", Effect = "Allow", Action = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"], Resource = ["arn:aws:dynamodb:eu-west-2:123456789012:table/portpulse"] },
      {
        Sid       = "WriteWhatItFinds", Effect = "Allow", Action = ["dynamodb:PutItem"], Resource = ["arn:aws:dynamodb:eu-west-2:123456789012:table/portpulse"]
        Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["group#*", "fleet", "results#*", "hourly#*", "daily#*", "banners#*", "incidents#*"] }, Null = { "dynamodb:LeadingKeys" = ["false"] } }
      },
      { Sid = "Alert", Effect = "Allow", Action = ["sns:Publish"], Resource = ["arn:aws:sns:eu-west-2:123456789012:portpulse-alerts"] },
      { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/function:*"] },
      { Sid = "SendDeadLetters", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = ["arn:aws:sqs:eu-west-1:123456789012:queue"] },
      {
        Sid       = "UseTheTablesKey", Effect = "Allow", Action = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"], Resource = ["arn:aws:kms:eu-west-2:123456789012:key/1"]
        Condition = { StringEquals = { "kms:ViaService" = ["dynamodb.eu-west-2.amazonaws.com"] } }
      },
    ]
    error_message = "The checker may do exactly this: ${module.function.policy}"
  }
}

run "the_schedule" {

  assert {
    condition = { for key, rule in aws_cloudwatch_event_rule.interval : rule.name => rule.schedule_expression } == {
      "portpulse-1m-0" = "cron(* * * * ? *)"
      "portpulse-5m-0" = "cron(0/5 * * * ? *)"
      "portpulse-5m-1" = "cron(0/5 * * * ? *)"
    }
    error_message = "A rule for each interval, and another for the sixth shard."
  }
  assert {
    condition = { for key, target in aws_cloudwatch_event_target.shard : key => "${target.rule} ${target.target_id}" } == {
      "1m#0" = "portpulse-1m-0 shard-0"
      "5m#0" = "portpulse-5m-0 shard-0"
      "5m#1" = "portpulse-5m-0 shard-1"
      "5m#2" = "portpulse-5m-0 shard-2"
      "5m#3" = "portpulse-5m-0 shard-3"
      "5m#4" = "portpulse-5m-0 shard-4"
      "5m#5" = "portpulse-5m-1 shard-5"
    }
    error_message = "A target for each shard, five at most in a rule."
  }
  assert {
    condition     = one(aws_cloudwatch_event_target.shard["5m#5"].input_transformer).input_paths == tomap({ time = "$.time" }) && one(aws_cloudwatch_event_target.shard["5m#5"].input_transformer).input_template == "{\"time\":<time>,\"interval\":\"5m\",\"shard\":5}"
    error_message = "The event says which tick and which group."
  }
  assert {
    condition     = alltrue([for target in aws_cloudwatch_event_target.shard : one(target.retry_policy).maximum_event_age_in_seconds == 60])
    error_message = "EventBridge, too, gives up before the tick is stale."
  }
  assert {
    condition     = toset(values(aws_lambda_permission.schedule)[*].statement_id) == toset(["rule-1m-0", "rule-5m-0", "rule-5m-1"]) && alltrue([for each in aws_lambda_permission.schedule : each.principal == "events.amazonaws.com"])
    error_message = "Each rule, and nobody else, may invoke it."
  }
}

run "what_the_table_says_of_it" {
  variables { shards = { "1m" = 1, "5m" = 2 } }

  assert {
    condition = { for group, each in aws_dynamodb_table_item.expected : group => jsondecode(each.item) } == {
      "1m#0" = { pk = { S = "group#1m#0" }, sk = { S = "expects#eu-west-1" } }
      "5m#0" = { pk = { S = "group#5m#0" }, sk = { S = "expects#eu-west-1" } }
      "5m#1" = { pk = { S = "group#5m#1" }, sk = { S = "expects#eu-west-1" } }
    }
    error_message = "On the board of each group it is listed, by an item that carries nothing but its keys."
  }
  assert {
    condition     = alltrue([for each in aws_dynamodb_table_item.expected : each.table_name == "portpulse" && each.hash_key == "pk" && each.range_key == "sk"])
    error_message = "In the one table."
  }
}

run "the_watchdog" {

  assert {
    condition = [
      aws_cloudwatch_metric_alarm.silent.metric_name, aws_cloudwatch_metric_alarm.silent.period, aws_cloudwatch_metric_alarm.silent.evaluation_periods,
      aws_cloudwatch_metric_alarm.silent.treat_missing_data
    ] == ["Invocations", 60, 3, "breaching"]
    error_message = "Three of the shortest intervals without an invocation are an alarm."
  }
  assert {
    condition     = [aws_cloudwatch_metric_alarm.failing.metric_name, aws_cloudwatch_metric_alarm.failing.period, aws_cloudwatch_metric_alarm.failing.threshold] == ["Errors", 600, 2]
    error_message = "Two errors in two of the longest intervals are an alarm."
  }
  assert {
    condition = alltrue([
      for alarm in [aws_cloudwatch_metric_alarm.silent, aws_cloudwatch_metric_alarm.failing] :
      alarm.alarm_actions == toset([module.watchdog.arn]) && alarm.ok_actions == toset([module.watchdog.arn]) && alarm.dimensions == tomap({ FunctionName = "portpulse-checker" })
    ])
    error_message = "Both are told in this region, also when they end."
  }
}

run "in_a_vpc" {
  variables { vpc = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] } }

  assert {
    condition     = module.function.lambda.subnet_ids == ["subnet-1"]
    error_message = "It runs in the subnets given."
  }
}

run "too_short_a_time_limit_is_refused" {
  command = plan
  variables { function = { zip = "../../tests/fixtures/checker.bin", timeout_seconds = 30 } }
  expect_failures = [var.function]
}

run "an_interval_that_eventbridge_cannot_align_is_refused" {
  command = plan
  variables { shards = { "7m" = 1 } }
  expect_failures = [var.shards]
}
