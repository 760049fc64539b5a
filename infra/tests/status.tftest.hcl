# The status page: who may read, what it is told, and that it may only read.

mock_provider "aws" { source = "./tests/mocks" }

variables {
  name     = "portpulse"
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

run "a_public_page" {
  module { source = "./modules/status" }

  assert {
    condition = module.function.lambda.environment == tomap({
      PORTPULSE_TABLE         = "portpulse"
      PORTPULSE_HOME_REGION   = "eu-west-2"
      PORTPULSE_GROUPS        = "1m#0,1m#1,5m#0"
      PORTPULSE_STATUS_ACCESS = "public"
    })
    error_message = "The environment is these variables."
  }
  assert {
    condition     = [module.function.lambda.function_name, module.function.lambda.filename, module.function.lambda.memory_size, module.function.lambda.timeout] == ["portpulse-status", "tests/fixtures/checker.bin", 128, 15]
    error_message = "The zip given, with 128 MB and 15 seconds."
  }
  assert {
    condition     = aws_lambda_function_url.status.authorization_type == "NONE"
    error_message = "Anybody may ask."
  }
  assert {
    condition = one(values(jsondecode(aws_cloudformation_stack.address[0].template_body).Resources)).Properties == {
      Action                = "lambda:InvokeFunction"
      FunctionName          = "portpulse-status"
      InvokedViaFunctionUrl = true
      Principal             = "*"
    }
    error_message = "Through the address, and not around it."
  }
  assert {
    condition = jsondecode(module.function.policy).Statement == [
      {
        Sid = "ReadWhatItShows", Effect = "Allow", Action = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"], Resource = ["arn:aws:dynamodb:eu-west-2:123456789012:table/portpulse"]
        Condition = {
          "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["monitors#*", "group#*", "fleet", "results#*", "hourly#*", "daily#*", "banners#*", "incidents#*", "controls"] }
          Null                      = { "dynamodb:LeadingKeys" = ["false"] }
        }
      },
      { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/function:*"] },
      {
        Sid       = "UseTheTablesKey", Effect = "Allow", Action = ["kms:Decrypt", "kms:DescribeKey"], Resource = ["arn:aws:kms:eu-west-2:123456789012:key/1"]
        Condition = { StringEquals = { "kms:ViaService" = ["dynamodb.eu-west-2.amazonaws.com"] } }
      },
    ]
    error_message = "It may do exactly this: ${module.function.policy}"
  }
}

run "an_account_that_can_reserves_concurrency_for_what_anybody_may_ask" {
  command = plan
  module { source = "./modules/status" }
  override_data {
    target = data.aws_servicequotas_service_quota.concurrency[0]
    values = { value = 1000 }
  }

  assert {
    condition     = data.aws_servicequotas_service_quota.concurrency[0].service_code == "lambda" && data.aws_servicequotas_service_quota.concurrency[0].quota_code == "L-B99A9384"
    error_message = "The quota is that of concurrent executions."
  }
  assert {
    condition     = module.function.lambda.reserved == 5
    error_message = "Five at once, and no more."
  }
}

run "a_new_account_cannot_reserve_any" {
  command = plan
  module { source = "./modules/status" }
  override_data {
    target = data.aws_servicequotas_service_quota.concurrency[0]
    values = { value = 10 }
  }

  assert {
    condition     = module.function.lambda.reserved == -1
    error_message = "Lambda refuses what would leave fewer than it keeps for the others."
  }
}

run "what_is_said_of_concurrency_holds_and_no_quota_is_asked_for" {
  command = plan
  module { source = "./modules/status" }
  variables {
    function = { zip = "tests/fixtures/checker.bin", reserved_concurrency = -1 }
  }

  assert {
    condition     = module.function.lambda.reserved == -1 && length(data.aws_servicequotas_service_quota.concurrency) == 0
    error_message = "None, and the account is not asked."
  }
}

run "a_public_page_beside_free_units_is_refused" {
  command = plan
  module { source = "./modules/status" }
  variables { capacity = "always_free" }
  expect_failures = [aws_lambda_function_url.status]
}

run "a_private_page_beside_free_units_is_not" {
  command = plan
  module { source = "./modules/status" }
  variables {
    access   = "private"
    capacity = "always_free"
  }
}

run "maintenance_ahead_is_announced_where_that_is_asked_for" {
  command = plan
  module { source = "./modules/status" }
  variables { announce_maintenance = true }

  assert {
    condition     = module.function.lambda.environment.PORTPULSE_STATUS_MAINTENANCE == "announced"
    error_message = "The function is told to."
  }
}

run "a_private_page_with_a_token" {
  module { source = "./modules/status" }
  variables {
    access          = "private"
    token           = "ssm:/portpulse/status"
    secret_key_arns = ["arn:aws:kms:eu-west-2:123456789012:key/2"]
  }

  assert {
    condition     = aws_lambda_function_url.status.authorization_type == "NONE" && length(aws_cloudformation_stack.address) == 1
    error_message = "The page asks for the token itself."
  }
  assert {
    condition     = module.function.lambda.environment.PORTPULSE_STATUS_TOKEN == "ssm:/portpulse/status"
    error_message = "It is told where the token is, and not the token."
  }
  assert {
    condition = [for statement in jsondecode(module.function.policy).Statement : statement if endswith(statement.Sid, "ItsToken")] == [
      { Sid = "ReadItsToken", Effect = "Allow", Action = ["ssm:GetParameter"], Resource = ["arn:aws:ssm:eu-west-2:123456789012:parameter/portpulse/status"] },
      {
        Sid       = "DecryptItsToken", Effect = "Allow", Action = ["kms:Decrypt"], Resource = ["arn:aws:kms:eu-west-2:123456789012:key/2"]
        Condition = { StringEquals = { "kms:ViaService" = ["ssm.eu-west-2.amazonaws.com"] } }
      },
    ]
    error_message = "It may read that token, and decrypt it through its service alone: ${module.function.policy}"
  }
}

run "a_private_page_for_those_whom_aws_knows" {
  module { source = "./modules/status" }
  variables { access = "private" }

  assert {
    condition     = aws_lambda_function_url.status.authorization_type == "AWS_IAM" && length(aws_cloudformation_stack.address) == 0
    error_message = "Nobody may ask unsigned."
  }
  assert {
    condition     = module.function.lambda.reserved == -1 && length(data.aws_servicequotas_service_quota.concurrency) == 0
    error_message = "Whom AWS does not know starts nothing."
  }
}

run "a_token_in_the_clear_is_refused" {
  command = plan
  module { source = "./modules/status" }
  variables {
    access = "private"
    token  = "in-the-clear"
  }
  expect_failures = [var.token]
}

run "a_public_page_with_a_token_is_refused" {
  command = plan
  module { source = "./modules/status" }
  variables { token = "ssm:/portpulse/status" }
  expect_failures = [aws_lambda_function_url.status]
}

run "an_unknown_access_is_refused" {
  command = plan
  module { source = "./modules/status" }
  variables { access = "friends" }
  expect_failures = [var.access]
}
