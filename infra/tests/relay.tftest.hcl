# The relay: its environment, permissions, subscription, dead-letter queue and alarm.

mock_provider "aws" { source = "./tests/mocks" }

variables {
  name = "portpulse"
  home = {
    region      = "eu-west-2"
    table_name  = "portpulse"
    table_arn   = "arn:aws:dynamodb:eu-west-2:123456789012:table/portpulse"
    kms_key_arn = "arn:aws:kms:eu-west-2:123456789012:key/1"
    topic_arn   = "arn:aws:sns:eu-west-2:123456789012:portpulse-alerts"
  }
  destinations = "{\"destinations\":{\"ops\":{\"kind\":\"slack\",\"url\":\"ssm:/portpulse/ops\"}}}"
  secrets      = ["secretsmanager:pager", "ssm:/portpulse/ops"]
  function     = { zip = "tests/fixtures/checker.bin", environment = { RUST_LOG = "debug" } }
  watchdog_arn = "arn:aws:sns:eu-west-2:123456789012:portpulse-watchdog"
}

run "lambda_has_destinations_and_defaults" {
  module { source = "./modules/relay" }

  assert {
    condition = module.function.lambda.environment == tomap({
      PORTPULSE_TABLE       = "portpulse"
      PORTPULSE_HOME_REGION = "eu-west-2"
      PORTPULSE_RELAY       = "{\"destinations\":{\"ops\":{\"kind\":\"slack\",\"url\":\"ssm:/portpulse/ops\"}}}"
      RUST_LOG              = "debug"
    })
    error_message = "The environment must be exactly these variables."
  }
  assert {
    condition     = [module.function.lambda.function_name, module.function.lambda.filename, module.function.lambda.memory_size, module.function.lambda.timeout] == ["portpulse-relay", "tests/fixtures/checker.bin", 128, 60]
    error_message = "The Lambda must have the given zip, 128 MB and a timeout of 60 s."
  }
}

run "policy_has_only_listed_permissions" {
  module { source = "./modules/relay" }

  assert {
    condition = jsondecode(module.function.policy).Statement == [
      {
        Sid       = "RecordDeliveries", Effect = "Allow", Action = ["dynamodb:GetItem", "dynamodb:PutItem"], Resource = ["arn:aws:dynamodb:eu-west-2:123456789012:table/portpulse"]
        Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["relayed#*"] }, Null = { "dynamodb:LeadingKeys" = ["false"] } }
      },
      {
        Sid = "ReadParameters", Effect = "Allow", Action = ["ssm:GetParameter"]
        Resource = [
          "arn:aws:ssm:eu-west-2:123456789012:parameter/portpulse/ops",
          "arn:aws:ssm:eu-west-2:123456789012:parameter/aws/reference/secretsmanager/pager",
        ]
      },
      { Sid = "ReadSecrets", Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = ["arn:aws:secretsmanager:eu-west-2:123456789012:secret:pager-??????"] },
      { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/function:*"] },
      { Sid = "SendDeadLetters", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = ["arn:aws:sqs:eu-west-1:123456789012:queue"] },
      {
        Sid       = "UseTableKey", Effect = "Allow", Action = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"], Resource = ["arn:aws:kms:eu-west-2:123456789012:key/1"]
        Condition = { StringEquals = { "kms:ViaService" = ["dynamodb.eu-west-2.amazonaws.com"] } }
      },
    ]
    error_message = "The role must have exactly these permissions: ${module.function.policy}"
  }
}

run "customer_managed_key_of_secrets_allows_decryption" {
  module { source = "./modules/relay" }
  variables {
    secrets         = ["ssm:/portpulse/ops"]
    secret_key_arns = ["arn:aws:kms:eu-west-2:123456789012:key/2"]
  }

  assert {
    condition = [for statement in jsondecode(module.function.policy).Statement : statement if startswith(statement.Sid, "Decrypt") || startswith(statement.Sid, "Read")] == [
      { Sid = "ReadParameters", Effect = "Allow", Action = ["ssm:GetParameter"], Resource = ["arn:aws:ssm:eu-west-2:123456789012:parameter/portpulse/ops"] },
      {
        Sid       = "DecryptSecrets", Effect = "Allow", Action = ["kms:Decrypt"], Resource = ["arn:aws:kms:eu-west-2:123456789012:key/2"]
        Condition = { StringEquals = { "kms:ViaService" = ["secretsmanager.eu-west-2.amazonaws.com", "ssm.eu-west-2.amazonaws.com"] } }
      },
    ]
    error_message = "The relay may decrypt with the listed keys, through the two services only."
  }
}

run "relay_is_subscribed_to_notifications" {
  module { source = "./modules/relay" }

  assert {
    condition     = [aws_sns_topic_subscription.relay.topic_arn, aws_sns_topic_subscription.relay.protocol, aws_sns_topic_subscription.relay.endpoint] == [var.home.topic_arn, "lambda", module.function.lambda.arn]
    error_message = "The Lambda must be subscribed to the alert topic."
  }
  assert {
    condition     = jsondecode(aws_sns_topic_subscription.relay.filter_policy) == { severity = ["critical", "warning", "info"] }
    error_message = "The filter must accept notifications only."
  }
  assert {
    condition     = [aws_lambda_permission.topic.principal, aws_lambda_permission.topic.source_arn, aws_lambda_permission.topic.function_name] == ["sns.amazonaws.com", var.home.topic_arn, "portpulse-relay"]
    error_message = "Only the topic may invoke the Lambda."
  }
}

run "undelivered_notification_is_kept_and_alarms" {
  module { source = "./modules/relay" }

  assert {
    condition     = [module.function.dead_letters.retries, module.function.dead_letters.max_age_seconds] == [2, 21600]
    error_message = "Lambda must retry twice within 6 hours, and then use the dead-letter queue."
  }
  assert {
    condition     = jsondecode(aws_sns_topic_subscription.relay.redrive_policy) == { deadLetterTargetArn = module.function.dead_letters.arn }
    error_message = "SNS must use the same dead-letter queue."
  }
  assert {
    condition     = one(jsondecode(aws_sqs_queue_policy.topic.policy).Statement).Condition == { ArnEquals = { "aws:SourceArn" = var.home.topic_arn } }
    error_message = "Only this topic may send messages to the queue."
  }
  assert {
    condition = [
      aws_cloudwatch_metric_alarm.undelivered.metric_name, aws_cloudwatch_metric_alarm.undelivered.threshold, aws_cloudwatch_metric_alarm.undelivered.comparison_operator,
      one(aws_cloudwatch_metric_alarm.undelivered.alarm_actions), one(aws_cloudwatch_metric_alarm.undelivered.ok_actions)
    ] == ["ApproximateNumberOfMessagesVisible", 0, "GreaterThanThreshold", var.watchdog_arn, var.watchdog_arn]
    error_message = "A message in the queue must trigger an alarm on the watchdog's topic."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.undelivered.dimensions == tomap({ QueueName = "portpulse-relay-dead-letters" })
    error_message = "The alarm must monitor the relay's dead-letter queue."
  }
}

run "environment_above_lambda_limit_fails" {
  command = plan
  module { source = "./modules/relay" }
  variables { destinations = "{\"destinations\":{\"ops\":{\"kind\":\"slack\",\"url\":\"ssm:/${join("", [for n in range(400) : "0123456789"])}\"}}}" }
  expect_failures = [output.names]
}

run "plaintext_secret_fails" {
  command = plan
  module { source = "./modules/relay" }
  variables { secrets = ["https://hooks.slack.com/services/hush"] }
  expect_failures = [var.secrets]
}

run "alarm_stays_while_queue_reports_nothing" {
  command = plan
  module { source = "./modules/relay" }

  assert {
    condition     = aws_cloudwatch_metric_alarm.undelivered.treat_missing_data == "ignore"
    error_message = "SQS stops reporting on an unused queue: the alarm must not end while messages wait."
  }
}

run "repeated_failure_alarms_before_dead_letter" {
  module { source = "./modules/relay" }

  assert {
    condition = [
      aws_cloudwatch_metric_alarm.failing.metric_name, aws_cloudwatch_metric_alarm.failing.threshold, aws_cloudwatch_metric_alarm.failing.period,
      one(aws_cloudwatch_metric_alarm.failing.alarm_actions), one(aws_cloudwatch_metric_alarm.failing.ok_actions)
    ] == ["Errors", 2, 600, var.watchdog_arn, var.watchdog_arn]
    error_message = "Two failures of the relay within ten minutes must notify the watchdog's topic."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.failing.dimensions == tomap({ FunctionName = "portpulse-relay" })
    error_message = "The alarm must monitor the relay."
  }
}
