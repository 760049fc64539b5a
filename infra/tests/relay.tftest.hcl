# The relay: exactly what it is told, what it may do, what it hears, and where goes what it cannot deliver.

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

run "the_lambda" {
  module { source = "./modules/relay" }

  assert {
    condition = module.function.lambda.environment == tomap({
      PORTPULSE_TABLE       = "portpulse"
      PORTPULSE_HOME_REGION = "eu-west-2"
      PORTPULSE_RELAY       = "{\"destinations\":{\"ops\":{\"kind\":\"slack\",\"url\":\"ssm:/portpulse/ops\"}}}"
      RUST_LOG              = "debug"
    })
    error_message = "The environment is these variables."
  }
  assert {
    condition     = [module.function.lambda.function_name, module.function.lambda.filename, module.function.lambda.memory_size, module.function.lambda.timeout] == ["portpulse-relay", "tests/fixtures/checker.bin", 128, 60]
    error_message = "The zip given, with 128 MB and a minute."
  }
}

run "the_policy" {
  module { source = "./modules/relay" }

  assert {
    condition = jsondecode(module.function.policy).Statement == [
      {
        Sid       = "NoteWhatIsDelivered", Effect = "Allow", Action = ["dynamodb:GetItem", "dynamodb:PutItem"], Resource = ["arn:aws:dynamodb:eu-west-2:123456789012:table/portpulse"]
        Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["relayed#*"] }, Null = { "dynamodb:LeadingKeys" = ["false"] } }
      },
      {
        Sid = "ReadItsParameters", Effect = "Allow", Action = ["ssm:GetParameter"]
        Resource = [
          "arn:aws:ssm:eu-west-2:123456789012:parameter/portpulse/ops",
          "arn:aws:ssm:eu-west-2:123456789012:parameter/aws/reference/secretsmanager/pager",
        ]
      },
      { Sid = "ReadItsSecrets", Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = ["arn:aws:secretsmanager:eu-west-2:123456789012:secret:pager-??????"] },
      { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/function:*"] },
      { Sid = "SendDeadLetters", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = ["arn:aws:sqs:eu-west-1:123456789012:queue"] },
      {
        Sid       = "UseTheTablesKey", Effect = "Allow", Action = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"], Resource = ["arn:aws:kms:eu-west-2:123456789012:key/1"]
        Condition = { StringEquals = { "kms:ViaService" = ["dynamodb.eu-west-2.amazonaws.com"] } }
      },
    ]
    error_message = "The relay may do exactly this: ${module.function.policy}"
  }
}

run "keys_of_ones_own" {
  module { source = "./modules/relay" }
  variables {
    secrets         = ["ssm:/portpulse/ops"]
    secret_key_arns = ["arn:aws:kms:eu-west-2:123456789012:key/2"]
  }

  assert {
    condition = [for statement in jsondecode(module.function.policy).Statement : statement if startswith(statement.Sid, "Decrypt") || startswith(statement.Sid, "ReadIts")] == [
      { Sid = "ReadItsParameters", Effect = "Allow", Action = ["ssm:GetParameter"], Resource = ["arn:aws:ssm:eu-west-2:123456789012:parameter/portpulse/ops"] },
      {
        Sid       = "DecryptItsSecrets", Effect = "Allow", Action = ["kms:Decrypt"], Resource = ["arn:aws:kms:eu-west-2:123456789012:key/2"]
        Condition = { StringEquals = { "kms:ViaService" = ["secretsmanager.eu-west-2.amazonaws.com", "ssm.eu-west-2.amazonaws.com"] } }
      },
    ]
    error_message = "It decrypts under the keys that are named, through the two services alone."
  }
}

run "what_it_hears" {
  module { source = "./modules/relay" }

  assert {
    condition     = [aws_sns_topic_subscription.relay.topic_arn, aws_sns_topic_subscription.relay.protocol, aws_sns_topic_subscription.relay.endpoint] == [var.home.topic_arn, "lambda", module.function.lambda.arn]
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
    condition     = [module.function.dead_letters.retries, module.function.dead_letters.longest_seconds] == [2, 21600]
    error_message = "It is tried again twice, and then kept."
  }
  assert {
    condition     = jsondecode(aws_sns_topic_subscription.relay.redrive_policy) == { deadLetterTargetArn = module.function.dead_letters.arn }
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

run "more_than_lambda_takes_is_refused" {
  command = plan
  module { source = "./modules/relay" }
  variables { destinations = "{\"destinations\":{\"ops\":{\"kind\":\"slack\",\"url\":\"ssm:/${join("", [for n in range(400) : "0123456789"])}\"}}}" }
  expect_failures = [output.names]
}

run "a_secret_in_the_clear_is_refused" {
  command = plan
  module { source = "./modules/relay" }
  variables { secrets = ["https://hooks.slack.com/services/hush"] }
  expect_failures = [var.secrets]
}
