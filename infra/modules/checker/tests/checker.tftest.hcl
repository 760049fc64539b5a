# The checker of one region: its environment, permissions, schedule, items and alarms.
#
# These tests are in their module, not in infra/tests: `terraform validate` in infra/ also validates, on its own, each module
# that a test there names, and always rejects a module that takes a second provider from its caller.

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

run "lambda_has_home_resources_and_defaults" {

  assert {
    condition = module.function.lambda.environment == tomap({
      PORTPULSE_TABLE       = "portpulse"
      PORTPULSE_HOME_REGION = "eu-west-2"
      PORTPULSE_TOPIC_ARN   = "arn:aws:sns:eu-west-2:123456789012:portpulse-alerts"
      PORTPULSE_METRICS     = "off"
      PORTPULSE_PAGE_URL    = ""
    })
    error_message = "The environment must be exactly these five variables: no other region is named, metrics are off by default, and there is no page."
  }
  assert {
    condition     = [module.function.lambda.function_name, module.function.lambda.filename, module.function.lambda.memory_size, module.function.lambda.timeout] == ["portpulse-checker", "../../tests/fixtures/checker.bin", 128, 120]
    error_message = "The Lambda must have the given zip, 128 MB and a timeout of 120 s."
  }
  assert {
    condition     = [module.function.dead_letters.retries, module.function.dead_letters.max_age_seconds] == [0, 60]
    error_message = "Lambda must not retry, and must drop events after 60 s."
  }
}

run "policy_has_only_listed_permissions" {

  assert {
    condition = jsondecode(module.function.policy).Statement == [
      { Sid = "ReadTable", Effect = "Allow", Action = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"], Resource = ["arn:aws:dynamodb:eu-west-2:123456789012:table/portpulse"] },
      {
        Sid       = "WriteResults", Effect = "Allow", Action = ["dynamodb:PutItem"], Resource = ["arn:aws:dynamodb:eu-west-2:123456789012:table/portpulse"]
        Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["group#*", "fleet", "results#*", "hourly#*", "daily#*", "banners#*", "incidents#*"] }, Null = { "dynamodb:LeadingKeys" = ["false"] } }
      },
      { Sid = "PublishNotifications", Effect = "Allow", Action = ["sns:Publish"], Resource = ["arn:aws:sns:eu-west-2:123456789012:portpulse-alerts"] },
      { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/function:*"] },
      { Sid = "SendDeadLetters", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = ["arn:aws:sqs:eu-west-1:123456789012:queue"] },
      {
        Sid       = "UseTableKey", Effect = "Allow", Action = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"], Resource = ["arn:aws:kms:eu-west-2:123456789012:key/1"]
        Condition = { StringEquals = { "kms:ViaService" = ["dynamodb.eu-west-2.amazonaws.com"] } }
      },
      {
        Sid       = "ManageNetworkInterfaces", Effect = "Allow", Action = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces"], Resource = "*"
        Condition = { StringEquals = { "aws:RequestedRegion" = "eu-west-1" } }
      },
      {
        Sid       = "DenyNetworkInterfacesToCode", Effect = "Deny", Action = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces"], Resource = "*"
        Condition = { ArnEquals = { "lambda:SourceFunctionArn" = "arn:aws:lambda:eu-west-1:123456789012:function:portpulse-checker" } }
      },
    ]
    error_message = "The role must have exactly these permissions: ${module.function.policy}"
  }
}

run "secrets_of_monitors_are_readable" {
  variables {
    home = {
      region          = "eu-west-2"
      table_name      = "portpulse"
      table_arn       = "arn:aws:dynamodb:eu-west-2:123456789012:table/portpulse"
      topic_arn       = "arn:aws:sns:eu-west-2:123456789012:portpulse-alerts"
      secrets         = ["secretsmanager:shop", "ssm:/portpulse/api"]
      secret_key_arns = ["arn:aws:kms:eu-west-2:123456789012:key/2"]
    }
  }

  assert {
    condition = [for statement in jsondecode(module.function.policy).Statement : statement if startswith(statement.Sid, "Decrypt") || contains(["ReadParameters", "ReadSecrets"], statement.Sid)] == [
      {
        Sid = "ReadParameters", Effect = "Allow", Action = ["ssm:GetParameter"]
        Resource = [
          "arn:aws:ssm:eu-west-2:123456789012:parameter/portpulse/api",
          "arn:aws:ssm:eu-west-2:123456789012:parameter/aws/reference/secretsmanager/shop",
        ]
      },
      { Sid = "ReadSecrets", Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = ["arn:aws:secretsmanager:eu-west-2:123456789012:secret:shop-??????"] },
      {
        Sid       = "DecryptSecrets", Effect = "Allow", Action = ["kms:Decrypt"], Resource = ["arn:aws:kms:eu-west-2:123456789012:key/2"]
        Condition = { StringEquals = { "kms:ViaService" = ["secretsmanager.eu-west-2.amazonaws.com", "ssm.eu-west-2.amazonaws.com"] } }
      },
    ]
    error_message = "The role must read exactly the named secrets: ${module.function.policy}"
  }
}

run "standby_is_named_and_allowed" {
  variables {
    home = {
      region     = "eu-west-2"
      table_name = "portpulse"
      table_arn  = "arn:aws:dynamodb:eu-west-2:123456789012:table/portpulse"
      topic_arn  = "arn:aws:sns:eu-west-2:123456789012:portpulse-alerts"
      standby = {
        region        = "us-east-2"
        table_name    = "portpulse-standby"
        table_arn     = "arn:aws:dynamodb:us-east-2:123456789012:table/portpulse-standby"
        topic_arn     = "arn:aws:sns:us-east-2:123456789012:portpulse-standby-alerts"
        topic_key_arn = "arn:aws:kms:us-east-2:123456789012:key/2"
      }
    }
  }

  assert {
    condition = { for name, value in module.function.lambda.environment : name => value if strcontains(name, "STANDBY") } == {
      PORTPULSE_STANDBY_REGION    = "us-east-2"
      PORTPULSE_STANDBY_TABLE     = "portpulse-standby"
      PORTPULSE_STANDBY_TOPIC_ARN = "arn:aws:sns:us-east-2:123456789012:portpulse-standby-alerts"
    }
    error_message = "The environment must name region, table and topic of the standby."
  }
  assert {
    condition = [for statement in jsondecode(module.function.policy).Statement : statement if strcontains(statement.Sid, "Standby")] == [
      {
        Sid       = "ReadStandby", Effect = "Allow", Action = ["dynamodb:GetItem", "dynamodb:Query"], Resource = ["arn:aws:dynamodb:us-east-2:123456789012:table/portpulse-standby"]
        Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["monitors#*", "home"] }, Null = { "dynamodb:LeadingKeys" = ["false"] } }
      },
      {
        Sid       = "WriteStandby", Effect = "Allow", Action = ["dynamodb:PutItem"], Resource = ["arn:aws:dynamodb:us-east-2:123456789012:table/portpulse-standby"]
        Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["group#*", "home"] }, Null = { "dynamodb:LeadingKeys" = ["false"] } }
      },
      { Sid = "PublishThroughStandby", Effect = "Allow", Action = ["sns:Publish"], Resource = ["arn:aws:sns:us-east-2:123456789012:portpulse-standby-alerts"] },
      {
        Sid       = "UseStandbyTopicKey", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey*"], Resource = ["arn:aws:kms:us-east-2:123456789012:key/2"]
        Condition = { StringEquals = { "kms:ViaService" = ["sns.us-east-2.amazonaws.com"] } }
      },
    ]
    error_message = "A checker may read definitions in the standby, write copies of decisions and the row of the loss, and publish: ${module.function.policy}"
  }
}

run "schedule_has_rule_per_interval_and_target_per_shard" {

  assert {
    condition = { for key, rule in aws_cloudwatch_event_rule.interval : rule.name => rule.schedule_expression } == {
      "portpulse-1m-0" = "cron(* * * * ? *)"
      "portpulse-5m-0" = "cron(0/5 * * * ? *)"
      "portpulse-5m-1" = "cron(0/5 * * * ? *)"
    }
    error_message = "There must be a rule for each interval, and a second rule for the sixth shard."
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
    error_message = "There must be a target for each shard, with at most five in a rule."
  }
  assert {
    condition     = one(aws_cloudwatch_event_target.shard["5m#5"].input_transformer).input_paths == tomap({ time = "$.time" }) && one(aws_cloudwatch_event_target.shard["5m#5"].input_transformer).input_template == "{\"time\":<time>,\"interval\":\"5m\",\"shard\":5}"
    error_message = "The event must contain the scheduled time, the interval and the shard."
  }
  assert {
    condition     = alltrue([for target in aws_cloudwatch_event_target.shard : one(target.retry_policy).maximum_event_age_in_seconds == 60])
    error_message = "EventBridge must drop events after 60 s."
  }
  assert {
    condition     = toset(values(aws_lambda_permission.schedule)[*].statement_id) == toset(["rule-1m-0", "rule-5m-0", "rule-5m-1"]) && alltrue([for each in aws_lambda_permission.schedule : each.principal == "events.amazonaws.com"])
    error_message = "Only EventBridge rules may invoke the Lambda, each with its own permission."
  }
}

run "region_is_listed_as_expected_in_each_group" {
  variables { shards = { "1m" = 1, "5m" = 2 } }

  assert {
    condition = { for group, each in aws_dynamodb_table_item.expected : group => jsondecode(each.item) } == {
      "1m#0" = { pk = { S = "group#1m#0" }, sk = { S = "expects#eu-west-1" } }
      "5m#0" = { pk = { S = "group#5m#0" }, sk = { S = "expects#eu-west-1" } }
      "5m#1" = { pk = { S = "group#5m#1" }, sk = { S = "expects#eu-west-1" } }
    }
    error_message = "The state of each group must have an item for this region, with keys only."
  }
  assert {
    condition     = alltrue([for each in aws_dynamodb_table_item.expected : each.table_name == "portpulse" && each.hash_key == "pk" && each.range_key == "sk"])
    error_message = "The items must be in the given table."
  }
}

run "topic_with_key_requires_its_use" {
  variables {
    keys = { eu-west-1 = "arn:aws:kms:eu-west-1:123456789012:key/3" }
    home = {
      region        = "eu-west-2"
      table_name    = "portpulse"
      table_arn     = "arn:aws:dynamodb:eu-west-2:123456789012:table/portpulse"
      topic_arn     = "arn:aws:sns:eu-west-2:123456789012:portpulse-alerts"
      topic_key_arn = "arn:aws:kms:eu-west-2:123456789012:key/2"
    }
  }

  assert {
    condition = [for statement in jsondecode(module.function.policy).Statement : statement if startswith(statement.Sid, "Use")] == [
      {
        Sid       = "UseTopicKey", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey*"], Resource = ["arn:aws:kms:eu-west-2:123456789012:key/2"]
        Condition = { StringEquals = { "kms:ViaService" = ["sns.eu-west-2.amazonaws.com"] } }
      },
    ]
    error_message = "The checker may use the key of the alert topic, through SNS only: ${module.function.policy}"
  }
}

run "vpc_sets_subnets" {
  variables { vpc = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] } }

  assert {
    condition     = module.function.lambda.subnet_ids == ["subnet-1"]
    error_message = "The Lambda must have the given subnets."
  }
}

run "timeout_below_minimum_fails" {
  command = plan
  variables { function = { zip = "../../tests/fixtures/checker.bin", timeout_seconds = 89 } }
  expect_failures = [var.function]
}

run "interval_below_a_minute_is_invoked_every_minute" {
  variables { shards = { "10s" = 1 } }

  assert {
    condition = [
      one(values(aws_cloudwatch_event_rule.interval)).schedule_expression,
      one(flatten([for query in aws_cloudwatch_metric_alarm.silent.metric_query : query.metric])).period,
      aws_cloudwatch_metric_alarm.failing.period
    ] == ["cron(* * * * ? *)", 60, 600]
    error_message = "EventBridge fires once a minute, and the alarms must count invocations."
  }
}

run "unsupported_interval_fails" {
  command = plan
  variables { shards = { "7m" = 1 } }
  expect_failures = [var.shards]
}
