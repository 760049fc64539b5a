# The relay: exactly what it is told, what it may do, what it hears, and where goes what it cannot deliver.

mock_provider "aws" { source = "./tests/mocks" }

variables {
  name = "portpulse"
  home = {
    region     = "eu-west-2"
    table_name = "portpulse"
    table_arn  = "arn:aws:dynamodb:eu-west-2:123456789012:table/portpulse"
    topic_arn  = "arn:aws:sns:eu-west-2:123456789012:portpulse-alerts"
  }
  destinations = "{\"destinations\":{\"ops\":{\"kind\":\"slack\",\"url\":\"ssm:/portpulse/ops\"}}}"
  secrets      = ["secretsmanager:pager", "ssm:/portpulse/ops"]
  function     = { zip = "tests/fixtures/checker.bin", environment = { RUST_LOG = "debug" } }
  watchdog_arn = "arn:aws:sns:eu-west-2:123456789012:portpulse-watchdog"
}

run "the_lambda" {
  module { source = "./modules/relay" }

  assert {
    condition = one(aws_lambda_function.relay.environment).variables == tomap({
      PORTPULSE_TABLE       = "portpulse"
      PORTPULSE_HOME_REGION = "eu-west-2"
      PORTPULSE_RELAY       = "{\"destinations\":{\"ops\":{\"kind\":\"slack\",\"url\":\"ssm:/portpulse/ops\"}}}"
      RUST_LOG              = "debug"
    })
    error_message = "The environment is these variables."
  }
  assert {
    condition = [
      aws_lambda_function.relay.function_name, aws_lambda_function.relay.runtime, aws_lambda_function.relay.handler,
      one(aws_lambda_function.relay.architectures), aws_lambda_function.relay.memory_size, aws_lambda_function.relay.timeout
    ] == ["portpulse-relay", "provided.al2023", "bootstrap", "arm64", 128, 60]
    error_message = "An arm64 bootstrap with 128 MB and a minute."
  }
  assert {
    condition     = aws_cloudwatch_log_group.relay.name == "/aws/lambda/portpulse-relay" && aws_cloudwatch_log_group.relay.retention_in_days == 14
    error_message = "The log is kept for two weeks."
  }
}

run "the_policy" {
  module { source = "./modules/relay" }

  assert {
    condition = jsondecode(aws_iam_role_policy.relay.policy).Statement == [
      {
        Sid       = "NoteWhatIsDelivered", Effect = "Allow", Action = ["dynamodb:GetItem", "dynamodb:PutItem"], Resource = "arn:aws:dynamodb:eu-west-2:123456789012:table/portpulse"
        Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["relayed#*"] }, Null = { "dynamodb:LeadingKeys" = "false" } }
      },
      { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "${aws_cloudwatch_log_group.relay.arn}:*" },
      { Sid = "SendDeadLetters", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = aws_sqs_queue.dead_letters.arn },
      {
        Sid = "ReadItsParameters", Effect = "Allow", Action = ["ssm:GetParameter"]
        Resource = [
          "arn:aws:ssm:eu-west-2:123456789012:parameter/portpulse/ops",
          "arn:aws:ssm:eu-west-2:123456789012:parameter/aws/reference/secretsmanager/pager",
        ]
      },
      { Sid = "ReadItsSecrets", Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = ["arn:aws:secretsmanager:eu-west-2:123456789012:secret:pager-??????"] },
    ]
    error_message = "The relay may do exactly this: ${aws_iam_role_policy.relay.policy}"
  }
}

run "keys_of_ones_own" {
  module { source = "./modules/relay" }
  variables {
    secrets         = ["ssm:/portpulse/ops"]
    secret_key_arns = ["arn:aws:kms:eu-west-2:123456789012:key/1"]
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.relay.policy).Statement : statement if startswith(statement.Sid, "Decrypt") || startswith(statement.Sid, "ReadIts")] == [
      { Sid = "ReadItsParameters", Effect = "Allow", Action = ["ssm:GetParameter"], Resource = ["arn:aws:ssm:eu-west-2:123456789012:parameter/portpulse/ops"] },
      {
        Sid       = "DecryptItsSecrets", Effect = "Allow", Action = ["kms:Decrypt"], Resource = ["arn:aws:kms:eu-west-2:123456789012:key/1"]
        Condition = { StringEquals = { "kms:ViaService" = ["secretsmanager.eu-west-2.amazonaws.com", "ssm.eu-west-2.amazonaws.com"] } }
      },
    ]
    error_message = "It decrypts under the keys that are named, through the two services alone."
  }
}

run "what_it_hears" {
  module { source = "./modules/relay" }

  assert {
    condition     = [aws_sns_topic_subscription.relay.topic_arn, aws_sns_topic_subscription.relay.protocol, aws_sns_topic_subscription.relay.endpoint] == [var.home.topic_arn, "lambda", aws_lambda_function.relay.arn]
    error_message = "It is subscribed to the alert topic."
  }
  assert {
    condition     = jsondecode(aws_sns_topic_subscription.relay.filter_policy) == { severity = ["critical", "warning", "info"] }
    error_message = "It hears notifications alone."
  }
  assert {
    condition     = [aws_lambda_permission.topic.principal, aws_lambda_permission.topic.source_arn, aws_lambda_permission.topic.function_name] == ["sns.amazonaws.com", var.home.topic_arn, "portpulse-relay"]
    error_message = "The topic, and nobody else, may invoke it."
  }
}

run "what_it_cannot_deliver" {
  module { source = "./modules/relay" }

  assert {
    condition = [
      aws_lambda_function_event_invoke_config.relay.maximum_retry_attempts, aws_lambda_function_event_invoke_config.relay.maximum_event_age_in_seconds,
      one(one(aws_lambda_function_event_invoke_config.relay.destination_config).on_failure).destination
    ] == [2, 21600, aws_sqs_queue.dead_letters.arn]
    error_message = "It is tried again twice, and then kept."
  }
  assert {
    condition     = jsondecode(aws_sns_topic_subscription.relay.redrive_policy) == { deadLetterTargetArn = aws_sqs_queue.dead_letters.arn }
    error_message = "What SNS could not hand over is kept, too."
  }
  assert {
    condition     = one(jsondecode(aws_sqs_queue_policy.topic.policy).Statement).Condition == { ArnEquals = { "aws:SourceArn" = var.home.topic_arn } }
    error_message = "Only this topic may put it there."
  }
  assert {
    condition = [
      aws_cloudwatch_metric_alarm.undelivered.metric_name, aws_cloudwatch_metric_alarm.undelivered.threshold, aws_cloudwatch_metric_alarm.undelivered.comparison_operator,
      one(aws_cloudwatch_metric_alarm.undelivered.alarm_actions), one(aws_cloudwatch_metric_alarm.undelivered.ok_actions)
    ] == ["ApproximateNumberOfMessagesVisible", 0, "GreaterThanThreshold", var.watchdog_arn, var.watchdog_arn]
    error_message = "A message in the queue is an alarm, told by the watchdog."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.undelivered.dimensions == tomap({ QueueName = "portpulse-relay-dead-letters" })
    error_message = "The alarm looks at the relay's queue."
  }
}

run "a_missing_zip_is_said_clearly" {
  command = plan
  module { source = "./modules/relay" }
  variables { function = { zip = "dist/nothing.zip" } }
  expect_failures = [aws_lambda_function.relay]
}

run "more_than_lambda_takes_is_refused" {
  command = plan
  module { source = "./modules/relay" }
  variables { destinations = "{\"destinations\":{\"ops\":{\"kind\":\"slack\",\"url\":\"ssm:/${join("", [for n in range(400) : "0123456789"])}\"}}}" }
  expect_failures = [aws_lambda_function.relay]
}

run "a_secret_in_the_clear_is_refused" {
  command = plan
  module { source = "./modules/relay" }
  variables { secrets = ["https://hooks.slack.com/services/hush"] }
  expect_failures = [var.secrets]
}

run "variables_of_ours_are_refused" {
  command = plan
  module { source = "./modules/relay" }
  variables { function = { zip = "tests/fixtures/checker.bin", environment = { PORTPULSE_TABLE = "other" } } }
  expect_failures = [var.function]
}
