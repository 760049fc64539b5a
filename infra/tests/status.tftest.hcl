# The status page: its readers, environment and concurrency, and its read-only permissions.

mock_provider "aws" { source = "./tests/mocks" }

variables {
  name     = "portpulse"
  region   = "eu-west-1"
  groups   = ["5m#0", "1m#1", "1m#0"]
  access   = "public"
  capacity = "on_demand"
  home = {
    region      = "eu-west-2"
    table_name  = "portpulse"
    table_arn   = "arn:aws:dynamodb:eu-west-2:123456789012:table/portpulse"
    kms_key_arn = "arn:aws:kms:eu-west-2:123456789012:key/1"
  }
  function = { zip = "tests/fixtures/checker.bin" }
}

run "public_page_accepts_unsigned_requests_and_only_reads" {
  module { source = "./modules/status" }

  assert {
    condition = module.function.lambda.environment == tomap({
      PORTPULSE_TABLE         = "portpulse"
      PORTPULSE_HOME_REGION   = "eu-west-2"
      PORTPULSE_GROUPS        = "1m#0,1m#1,5m#0"
      PORTPULSE_STATUS_ACCESS = "public"
    })
    error_message = "The environment must be exactly these variables."
  }
  assert {
    condition     = [module.function.lambda.function_name, module.function.lambda.filename, module.function.lambda.memory_size, module.function.lambda.timeout] == ["portpulse-status", "tests/fixtures/checker.bin", 128, 15]
    error_message = "The Lambda must have the given zip, 128 MB and a timeout of 15 s."
  }
  assert {
    condition     = aws_lambda_function_url.status.authorization_type == "NONE"
    error_message = "The URL must accept unsigned requests."
  }
  assert {
    condition = [
      for each in aws_lambda_permission.public : [each.statement_id, each.action, each.function_url_auth_type, each.principal, each.function_name]
    ] == [["FunctionURLAllowPublicAccess", "lambda:InvokeFunctionUrl", "NONE", "*", "portpulse-status"]]
    error_message = "The permission must have the name of the one that the provider adds to a new URL, so that there are not two."
  }
  assert {
    condition = one(values(jsondecode(aws_cloudformation_stack.address[0].template_body).Resources)).Properties == {
      Action                = "lambda:InvokeFunction"
      FunctionName          = "portpulse-status"
      InvokedViaFunctionUrl = true
      Principal             = "*"
    }
    error_message = "Everybody may invoke the Lambda, but only through the URL."
  }
  assert {
    condition = jsondecode(module.function.policy).Statement == [
      {
        Sid = "ReadTable", Effect = "Allow", Action = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"], Resource = ["arn:aws:dynamodb:eu-west-2:123456789012:table/portpulse"]
        Condition = {
          "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["monitors#*", "group#*", "fleet", "results#*", "hourly#*", "daily#*", "banners#*", "incidents#*", "controls", "notes"] }
          Null                      = { "dynamodb:LeadingKeys" = ["false"] }
        }
      },
      { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/function:*"] },
      {
        Sid       = "UseTableKey", Effect = "Allow", Action = ["kms:Decrypt", "kms:DescribeKey"], Resource = ["arn:aws:kms:eu-west-2:123456789012:key/1"]
        Condition = { StringEquals = { "kms:ViaService" = ["dynamodb.eu-west-2.amazonaws.com"] } }
      },
    ]
    error_message = "The role must have exactly these permissions: ${module.function.policy}"
  }
}

run "public_page_with_sufficient_quota_reserves_concurrency" {
  command = plan
  module { source = "./modules/status" }
  override_data {
    target = data.aws_servicequotas_service_quota.concurrency[0]
    values = { value = 1000 }
  }

  assert {
    condition     = data.aws_servicequotas_service_quota.concurrency[0].service_code == "lambda" && data.aws_servicequotas_service_quota.concurrency[0].quota_code == "L-B99A9384"
    error_message = "The quota must be that of concurrent executions."
  }
  assert {
    condition     = module.function.lambda.reserved == 5
    error_message = "Five concurrent executions must be reserved."
  }
}

run "public_page_with_low_quota_reserves_none" {
  command = plan
  module { source = "./modules/status" }
  override_data {
    target = data.aws_servicequotas_service_quota.concurrency[0]
    values = { value = 10 }
  }

  assert {
    condition     = module.function.lambda.reserved == -1
    error_message = "Nothing may be reserved: Lambda rejects a reservation that leaves fewer than 100 executions unreserved."
  }
}

run "given_concurrency_is_used_without_quota_request" {
  command = plan
  module { source = "./modules/status" }
  variables {
    function = { zip = "tests/fixtures/checker.bin", reserved_concurrency = -1 }
  }

  assert {
    condition     = module.function.lambda.reserved == -1 && length(data.aws_servicequotas_service_quota.concurrency) == 0
    error_message = "Nothing must be reserved, and the quota not be requested."
  }
}

run "public_page_with_always_free_capacity_fails" {
  command = plan
  module { source = "./modules/status" }
  variables { capacity = "always_free" }
  expect_failures = [aws_lambda_function_url.status]
}

run "private_page_with_always_free_capacity_is_valid" {
  command = plan
  module { source = "./modules/status" }
  variables {
    access   = "private"
    capacity = "always_free"
  }
}

run "announce_maintenance_sets_environment_variable" {
  command = plan
  module { source = "./modules/status" }
  variables { announce_maintenance = true }

  assert {
    condition     = module.function.lambda.environment.PORTPULSE_STATUS_MAINTENANCE == "announced"
    error_message = "The environment variable must be set."
  }
}

run "private_page_with_token_reads_token_parameter" {
  module { source = "./modules/status" }
  variables {
    access          = "private"
    token           = "ssm:/portpulse/status"
    secret_key_arns = ["arn:aws:kms:eu-west-2:123456789012:key/2"]
  }

  assert {
    condition     = aws_lambda_function_url.status.authorization_type == "NONE" && length(aws_cloudformation_stack.address) == 1
    error_message = "The URL must accept unsigned requests, because the page checks the token."
  }
  assert {
    condition     = module.function.lambda.environment.PORTPULSE_STATUS_TOKEN == "ssm:/portpulse/status"
    error_message = "The environment must have the name of the token's parameter."
  }
  assert {
    condition = [for statement in jsondecode(module.function.policy).Statement : statement if endswith(statement.Sid, "Token")] == [
      { Sid = "ReadToken", Effect = "Allow", Action = ["ssm:GetParameter"], Resource = ["arn:aws:ssm:eu-west-2:123456789012:parameter/portpulse/status"] },
      {
        Sid       = "DecryptToken", Effect = "Allow", Action = ["kms:Decrypt"], Resource = ["arn:aws:kms:eu-west-2:123456789012:key/2"]
        Condition = { StringEquals = { "kms:ViaService" = ["ssm.eu-west-2.amazonaws.com"] } }
      },
    ]
    error_message = "The page may read the token, and decrypt it through Parameter Store only: ${module.function.policy}"
  }
}

run "page_with_actions_writes_silences_acknowledgements_and_notes_only" {
  module { source = "./modules/status" }
  variables {
    access  = "private"
    token   = "ssm:/portpulse/status"
    actions = true
  }

  assert {
    condition     = module.function.lambda.environment.PORTPULSE_STATUS_ACTIONS == "offered"
    error_message = "The environment variable must be set."
  }
  assert {
    condition = [for statement in jsondecode(module.function.policy).Statement : statement if length([for action in statement.Action : action if startswith(action, "dynamodb:") && !contains(["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"], action)]) > 0] == [
      {
        Sid = "SilenceAcknowledgeAndNote", Effect = "Allow", Action = ["dynamodb:PutItem"], Resource = ["arn:aws:dynamodb:eu-west-2:123456789012:table/portpulse"]
        Condition = {
          "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["controls", "notes"] }
          Null                        = { "dynamodb:LeadingKeys" = ["false"] }
        }
      },
    ]
    error_message = "The role may write silences, acknowledgements and notes only: ${module.function.policy}"
  }
  assert {
    condition     = contains(flatten([for statement in jsondecode(module.function.policy).Statement : statement.Action if statement.Sid == "UseTableKey"]), "kms:GenerateDataKey*")
    error_message = "The page must be able to write with the customer managed key: ${module.function.policy}"
  }
}

run "actions_without_token_fail" {
  command = plan
  module { source = "./modules/status" }
  variables {
    access  = "private"
    actions = true
  }
  expect_failures = [aws_lambda_function_url.status]
}

run "monthly_report_is_scheduled_claimed_and_published" {
  module { source = "./modules/status" }
  variables {
    report_topic = { arn = "arn:aws:sns:eu-west-2:123456789012:portpulse-alerts", kms_key_arn = "arn:aws:kms:eu-west-2:123456789012:key/3" }
  }

  assert {
    condition     = module.function.lambda.environment.PORTPULSE_REPORT_TOPIC_ARN == "arn:aws:sns:eu-west-2:123456789012:portpulse-alerts"
    error_message = "The function must know the topic."
  }
  assert {
    condition     = [for rule in aws_cloudwatch_event_rule.report : [rule.name, rule.schedule_expression]] == [["portpulse-status-report", "cron(0 6 1 * ? *)"]] && [for target in aws_cloudwatch_event_target.report : jsondecode(target.input)] == [jsondecode(file("../events/status-monthly-report.json"))]
    error_message = "EventBridge must ask for the report once a month, with the event of the sample."
  }
  assert {
    condition     = [for each in aws_lambda_permission.report : [each.action, each.principal, each.source_arn]] == [["lambda:InvokeFunction", "events.amazonaws.com", aws_cloudwatch_event_rule.report[0].arn]]
    error_message = "Only this rule may invoke the function."
  }
  assert {
    condition = [for statement in jsondecode(module.function.policy).Statement : statement if contains(["ClaimReport", "PublishReport", "UseTopicKey"], statement.Sid)] == [
      {
        Sid = "ClaimReport", Effect = "Allow", Action = ["dynamodb:PutItem"], Resource = ["arn:aws:dynamodb:eu-west-2:123456789012:table/portpulse"]
        Condition = {
          "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["reports"] }
          Null                        = { "dynamodb:LeadingKeys" = ["false"] }
        }
      },
      { Sid = "PublishReport", Effect = "Allow", Action = ["sns:Publish"], Resource = ["arn:aws:sns:eu-west-2:123456789012:portpulse-alerts"] },
      {
        Sid       = "UseTopicKey", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey*"], Resource = ["arn:aws:kms:eu-west-2:123456789012:key/3"]
        Condition = { StringEquals = { "kms:ViaService" = ["sns.eu-west-2.amazonaws.com"] } }
      },
    ]
    error_message = "The role may claim reports and publish to the topic: ${module.function.policy}"
  }
}

run "private_page_without_token_requires_iam" {
  module { source = "./modules/status" }
  variables { access = "private" }

  assert {
    condition     = aws_lambda_function_url.status.authorization_type == "AWS_IAM" && length(aws_cloudformation_stack.address) + length(aws_lambda_permission.public) == 0
    error_message = "The URL must reject unsigned requests, and no principal may have a permission of its own."
  }
  assert {
    condition     = module.function.lambda.reserved == -1 && length(data.aws_servicequotas_service_quota.concurrency) == 0
    error_message = "Nothing must be reserved, because unsigned requests start no execution."
  }
}

run "plaintext_token_fails" {
  command = plan
  module { source = "./modules/status" }
  variables {
    access = "private"
    token  = "in-the-clear"
  }
  expect_failures = [var.token]
}

run "public_page_with_token_fails" {
  command = plan
  module { source = "./modules/status" }
  variables { token = "ssm:/portpulse/status" }
  expect_failures = [aws_lambda_function_url.status]
}

run "unknown_access_fails" {
  command = plan
  module { source = "./modules/status" }
  variables { access = "friends" }
  expect_failures = [var.access]
}

run "page_in_another_region_reads_home_region" {
  module { source = "./modules/status" }
  variables { region = "us-east-1" }
  override_data {
    target = data.aws_region.this
    values = { name = "us-east-1" }
  }

  assert {
    condition     = module.function.lambda.environment.PORTPULSE_HOME_REGION == "eu-west-2" && module.function.role == "portpulse-status-us-east-1"
    error_message = "The Lambda must read the home region, and its role have the name of its own region."
  }
}

run "provider_of_other_region_fails" {
  command = plan
  module { source = "./modules/status" }
  variables { region = "us-east-1" }
  expect_failures = [data.aws_region.this]
}

run "page_file_is_passed_as_json" {
  module { source = "./modules/status" }

  variables { page = "title: Example status\ngroups: [Shop]\n" }

  assert {
    condition     = module.function.lambda.environment.PORTPULSE_STATUS_PAGE == jsonencode({ title = "Example status", groups = ["Shop"] })
    error_message = "The appearance must be passed to the function."
  }
}

run "page_file_that_is_no_yaml_is_refused" {
  command = plan
  module { source = "./modules/status" }

  variables { page = "title: [" }

  expect_failures = [var.page]
}
