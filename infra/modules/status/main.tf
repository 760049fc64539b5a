# The status page: a Lambda in the home region behind an address of its own, which reads the table and nothing else.

locals {
  function_name = "${var.name}-status"
  # A token is asked for by the page itself; where there is none, a private page is for those whom AWS knows.
  authorization = var.access == "private" && var.token == null ? "AWS_IAM" : "NONE"
}

resource "aws_lambda_function" "status" {
  function_name                  = local.function_name
  description                    = "Shows what Portpulse watches."
  role                           = aws_iam_role.status.arn
  runtime                        = "provided.al2023"
  handler                        = "bootstrap"
  architectures                  = [var.function.architecture]
  filename                       = var.function.zip
  source_code_hash               = fileexists(var.function.zip) ? filebase64sha256(var.function.zip) : null
  memory_size                    = var.function.memory_mb
  timeout                        = 15
  reserved_concurrent_executions = var.function.reserved_concurrency

  environment {
    variables = merge(
      var.function.environment,
      {
        PORTPULSE_TABLE         = var.home.table_name
        PORTPULSE_HOME_REGION   = var.home.region
        PORTPULSE_GROUPS        = join(",", sort(var.groups))
        PORTPULSE_STATUS_ACCESS = var.access
      },
      { for name in var.token[*] : "PORTPULSE_STATUS_TOKEN" => name },
    )
  }

  lifecycle {
    precondition {
      condition     = fileexists(var.function.zip)
      error_message = "There is no zip of the status page at ${var.function.zip}. Build it first, at the top of the repository: infra/build ${var.function.architecture}"
    }

    precondition {
      condition     = var.access == "private" || var.token == null
      error_message = "A public page asks for no token: leave `token` out, or make the page private."
    }
  }

  # Lambda tries the role when the function is made, and would make a log group without retention.
  depends_on = [aws_iam_role_policy.status, aws_cloudwatch_log_group.status]
}

# The provider lets anybody use an address without authorization, as Lambda wants it.
resource "aws_lambda_function_url" "status" {
  function_name      = aws_lambda_function.status.function_name
  authorization_type = local.authorization
}

# Since October 2025, Lambda wants a second permission, limited to what comes through the address. The provider can say
# that from 6.29 on, CloudFormation in all versions. https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
resource "aws_cloudformation_stack" "address" {
  count = local.authorization == "NONE" ? 1 : 0
  name  = "${local.function_name}-address"

  template_body = jsonencode({
    Resources = {
      Anybody = {
        Type = "AWS::Lambda::Permission"
        Properties = {
          Action                = "lambda:InvokeFunction"
          FunctionName          = aws_lambda_function.status.function_name
          InvokedViaFunctionUrl = true
          Principal             = "*"
        }
      }
    }
  })
}

resource "aws_cloudwatch_log_group" "status" {
  name              = "/aws/lambda/${local.function_name}"
  retention_in_days = var.log_retention_days
}

resource "aws_iam_role" "status" {
  name        = local.function_name
  description = "Portpulse's status page."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "status" {
  name = "status"
  role = aws_iam_role.status.id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local.statements, local.token_statements, local.key_statements)
  })
}

# What it may do: exactly this, on exactly these.
locals {
  statements = [
    {
      Sid      = "ReadWhatItShows"
      Effect   = "Allow"
      Action   = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
      Resource = var.home.table_arn
      Condition = {
        "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["monitors#*", "board#*", "results#*", "hourly#*", "daily#*", "words#*", "incidents#*", "controls"] }
        # `ForAllValues` also holds for no value at all.
        Null = { "dynamodb:LeadingKeys" = "false" }
      }
    },
    {
      Sid      = "Log"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.status.arn}:*"
    },
  ]

  token_statements = concat(
    [
      for name in var.token[*] : {
        Sid      = "ReadItsToken"
        Effect   = "Allow"
        Action   = ["ssm:GetParameter"]
        Resource = replace(var.home.table_arn, "/^arn:([^:]+):dynamodb:([^:]+):([^:]+):.*$/", "arn:$1:ssm:$2:$3:parameter${trimprefix(name, "ssm:")}")
      }
    ],
    [
      for arns in [var.secret_key_arns] : {
        Sid       = "DecryptItsToken"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = arns
        Condition = { StringEquals = { "kms:ViaService" = "ssm.${var.home.region}.amazonaws.com" } }
      } if length(arns) > 0 && var.token != null
    ],
  )

  # A table under a customer managed key: DynamoDB asks for the key in the caller's name.
  # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
  key_statements = [
    for arn in var.home.kms_key_arn[*] : {
      Sid       = "UseTheTablesKey"
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:DescribeKey"]
      Resource  = arn
      Condition = { StringEquals = { "kms:ViaService" = "dynamodb.${var.home.region}.amazonaws.com" } }
    }
  ]
}
