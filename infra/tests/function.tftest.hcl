# The function module, which all Lambdas share: their settings, and the permissions beside their own statements.

mock_provider "aws" { source = "./tests/mocks" }

variables {
  name         = "portpulse-some"
  region       = "eu-west-1"
  description  = "Does something."
  home         = { region = "eu-west-2", table_name = "portpulse", kms_key_arn = "arn:aws:kms:eu-west-2:123456789012:key/1" }
  table_access = "read"
  function     = { zip = "tests/fixtures/checker.bin", memory_mb = 256, timeout_seconds = 30, reserved_concurrency = 5, log_retention_days = 30, environment = { RUST_LOG = "debug" } }
  settings     = { PORTPULSE_SOME = "thing" }
  statements = [
    { Sid = "Alert", Action = ["sns:Publish"], Resource = ["arn:aws:sns:eu-west-2:123456789012:portpulse-alerts"] },
  ]
  asynchronous = { retries = 1, max_age_seconds = 90 }
  may_join_vpc = true
  vpc          = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
}

run "lambda_has_given_settings" {
  module { source = "./modules/function" }

  assert {
    condition = one(aws_lambda_function.this.environment).variables == tomap({
      PORTPULSE_TABLE       = "portpulse"
      PORTPULSE_HOME_REGION = "eu-west-2"
      PORTPULSE_SOME        = "thing"
      RUST_LOG              = "debug"
    })
    error_message = "The environment must be the table, its region, the settings and the user's variables."
  }
  assert {
    condition = [
      aws_lambda_function.this.function_name, aws_lambda_function.this.runtime, aws_lambda_function.this.handler, one(aws_lambda_function.this.architectures),
      aws_lambda_function.this.memory_size, aws_lambda_function.this.timeout, aws_lambda_function.this.reserved_concurrent_executions
    ] == ["portpulse-some", "provided.al2023", "bootstrap", "arm64", 256, 30, 5]
    error_message = "The Lambda must be an arm64 bootstrap with the given memory, timeout and concurrency."
  }
  assert {
    condition     = aws_lambda_function.this.source_code_hash == filebase64sha256("tests/fixtures/checker.bin")
    error_message = "The hash must be that of the zip, so that a changed zip is deployed."
  }
  assert {
    condition     = one(aws_lambda_function.this.vpc_config).subnet_ids == toset(["subnet-1"]) && one(aws_lambda_function.this.vpc_config).security_group_ids == toset(["sg-1"])
    error_message = "The Lambda must have the given subnets and security groups."
  }
  assert {
    condition = [
      aws_lambda_function_event_invoke_config.this[0].maximum_retry_attempts, aws_lambda_function_event_invoke_config.this[0].maximum_event_age_in_seconds,
      one(one(aws_lambda_function_event_invoke_config.this[0].destination_config).on_failure).destination
    ] == [1, 90, aws_sqs_queue.dead_letters[0].arn]
    error_message = "Asynchronous invocations must have the given retries and age, and a dead-letter queue."
  }
  assert {
    condition     = aws_cloudwatch_log_group.this.name == "/aws/lambda/portpulse-some" && aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "The log group must have the given retention."
  }
  assert {
    condition     = output.names == { function_name = "portpulse-some", log_group = "/aws/lambda/portpulse-some", dead_letters = aws_sqs_queue.dead_letters[0].url }
    error_message = "The output must name the function, its log group and its dead-letter queue."
  }
}

run "role_has_only_listed_permissions" {
  module { source = "./modules/function" }

  assert {
    condition     = [aws_lambda_function.this.role, aws_iam_role_policy.this.role, aws_iam_role.this.name] == [aws_iam_role.this.arn, aws_iam_role.this.id, "portpulse-some-eu-west-1"]
    error_message = "The name of the role must contain the region, because roles are global."
  }
  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement == [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    error_message = "Only Lambda may assume the role."
  }
  assert {
    condition = jsondecode(aws_iam_role_policy.this.policy).Statement == [
      { Sid = "Alert", Effect = "Allow", Action = ["sns:Publish"], Resource = ["arn:aws:sns:eu-west-2:123456789012:portpulse-alerts"] },
      { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["${aws_cloudwatch_log_group.this.arn}:*"] },
      { Sid = "SendDeadLetters", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = [aws_sqs_queue.dead_letters[0].arn] },
      {
        Sid       = "UseTableKey", Effect = "Allow", Action = ["kms:Decrypt", "kms:DescribeKey"], Resource = ["arn:aws:kms:eu-west-2:123456789012:key/1"]
        Condition = { StringEquals = { "kms:ViaService" = ["dynamodb.eu-west-2.amazonaws.com"] } }
      },
      # The network interfaces do not exist beforehand, so the statement cannot name them.
      {
        Sid       = "ManageNetworkInterfaces", Effect = "Allow", Action = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces"], Resource = "*"
        Condition = { StringEquals = { "aws:RequestedRegion" = "eu-west-1" } }
      },
      {
        Sid       = "DenyNetworkInterfacesToCode", Effect = "Deny", Action = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces"], Resource = "*"
        Condition = { ArnEquals = { "lambda:SourceFunctionArn" = "arn:aws:lambda:eu-west-1:123456789012:function:portpulse-some" } }
      },
    ]
    error_message = "The role must have exactly these permissions: ${aws_iam_role_policy.this.policy}"
  }
}

run "missing_zip_fails" {
  command = plan
  module { source = "./modules/function" }
  variables { function = { zip = "dist/nothing.zip" } }
  expect_failures = [aws_lambda_function.this]
}

run "unknown_architecture_fails" {
  command = plan
  module { source = "./modules/function" }
  variables { function = { zip = "tests/fixtures/checker.bin", architecture = "riscv" } }
  expect_failures = [var.function]
}

run "memory_below_minimum_fails" {
  command = plan
  module { source = "./modules/function" }
  variables { function = { zip = "tests/fixtures/checker.bin", memory_mb = 64 } }
  expect_failures = [var.function]
}

run "environment_with_portpulse_variable_fails" {
  command = plan
  module { source = "./modules/function" }
  variables { function = { zip = "tests/fixtures/checker.bin", environment = { PORTPULSE_TABLE = "other" } } }
  expect_failures = [var.function]
}

run "environment_with_variable_of_lambda_fails" {
  command = plan
  module { source = "./modules/function" }
  variables { function = { zip = "tests/fixtures/checker.bin", environment = { AWS_REGION = "eu-west-1" } } }
  expect_failures = [var.function]
}

run "vpc_with_ipv6_allows_ipv6" {
  module { source = "./modules/function" }
  variables { vpc = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"], ipv6 = true } }

  assert {
    condition     = one(output.lambda.ipv6) == true
    error_message = "A function in dual-stack subnets must be allowed IPv6: ${jsonencode(output.lambda.ipv6)}"
  }
}

run "statement_for_all_resources_fails" {
  command = plan
  module { source = "./modules/function" }
  variables { statements = [{ Sid = "Alert", Action = ["sns:Publish"], Resource = ["*"] }] }
  expect_failures = [var.statements]
}

run "unknown_table_access_fails" {
  command = plan
  module { source = "./modules/function" }
  variables { table_access = "admin" }
  expect_failures = [var.table_access]
}

run "vpc_without_subnets_fails" {
  command = plan
  module { source = "./modules/function" }
  variables { vpc = { subnet_ids = [], security_group_ids = ["sg-1"] } }
  expect_failures = [var.vpc]
}

run "unsupported_log_retention_fails" {
  command = plan
  module { source = "./modules/function" }
  variables { function = { zip = "tests/fixtures/checker.bin", log_retention_days = 10 } }
  expect_failures = [var.function]
}

# Lambda deletes the network interfaces up to 20 minutes later, with the role.
run "role_keeps_network_permissions_outside_vpc" {
  module { source = "./modules/function" }
  variables { vpc = null }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Sid if can(regex("NetworkInterfaces", statement.Sid))] == ["ManageNetworkInterfaces", "DenyNetworkInterfacesToCode"]
    error_message = "The permissions must not end with the VPC configuration: ${aws_iam_role_policy.this.policy}"
  }
  assert {
    condition     = length(terraform_data.network_interfaces) == 0
    error_message = "A function outside a VPC has no network interfaces to wait for."
  }
}

run "function_that_never_joins_vpc_has_no_network_permissions" {
  module { source = "./modules/function" }
  variables {
    vpc          = null
    may_join_vpc = false
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Sid if can(regex("NetworkInterfaces", statement.Sid))] == []
    error_message = "The role must not have permissions for network interfaces: ${aws_iam_role_policy.this.policy}"
  }
}

run "vpc_of_function_that_never_joins_one_fails" {
  command = plan
  module { source = "./modules/function" }
  variables { may_join_vpc = false }
  expect_failures = [aws_lambda_function.this]
}

run "role_has_permissions_boundary" {
  command = plan
  module { source = "./modules/function" }
  variables { function = { zip = "tests/fixtures/checker.bin", permissions_boundary = "arn:aws:iam::123456789012:policy/boundary" } }

  assert {
    condition     = aws_iam_role.this.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"
    error_message = "The role must have the given boundary."
  }
}
