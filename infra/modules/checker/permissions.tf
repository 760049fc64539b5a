# What the checker may do: exactly this, on exactly these.

resource "aws_iam_role" "checker" {
  name        = local.role_name
  description = "Portpulse's checker in ${var.region}."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "checker" {
  name = "checker"
  role = aws_iam_role.checker.id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local.statements, local.key_statements, local.vpc_statements)
  })
}

locals {
  statements = [
    {
      Sid      = "ReadTable"
      Effect   = "Allow"
      Action   = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
      Resource = var.home.table_arn
    },
    {
      # Definitions and controls are other people's to write.
      Sid      = "WriteWhatItFinds"
      Effect   = "Allow"
      Action   = ["dynamodb:PutItem"]
      Resource = var.home.table_arn
      Condition = {
        "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["board#*", "results#*", "hourly#*", "daily#*", "words#*", "incidents#*"] }
        # `ForAllValues` also holds for no value at all.
        Null = { "dynamodb:LeadingKeys" = "false" }
      }
    },
    {
      Sid      = "Alert"
      Effect   = "Allow"
      Action   = ["sns:Publish"]
      Resource = var.home.topic_arn
    },
    {
      Sid      = "Log"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.checker.arn}:*"
    },
    {
      Sid      = "SendDeadLetters"
      Effect   = "Allow"
      Action   = ["sqs:SendMessage"]
      Resource = aws_sqs_queue.dead_letters.arn
    },
  ]

  # A table under a customer managed key: DynamoDB asks for the key in the caller's name.
  # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
  key_statements = [
    for arn in var.home.kms_key_arn[*] : {
      Sid       = "UseTheTablesKey"
      Effect    = "Allow"
      Action    = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
      Resource  = arn
      Condition = { StringEquals = { "kms:ViaService" = "dynamodb.${var.home.region}.amazonaws.com" } }
    }
  ]

  # In a VPC, Lambda makes network interfaces in the function's name. These actions name no resource that exists
  # before them, and DescribeNetworkInterfaces takes none at all; the function's own code may use none of them.
  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
  network_actions = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces"]
  vpc_statements = flatten([
    for vpc in var.vpc[*] : [
      {
        Sid       = "LambdaMakesNetworkInterfaces"
        Effect    = "Allow"
        Action    = local.network_actions
        Resource  = "*"
        Condition = { StringEquals = { "aws:RequestedRegion" = var.region } }
      },
      {
        Sid       = "TheCodeDoesNot"
        Effect    = "Deny"
        Action    = local.network_actions
        Resource  = "*"
        Condition = { ArnEquals = { "lambda:SourceFunctionArn" = local.function_arn } }
      },
    ]
  ])
  # Spelt out, for the function itself waits for this policy.
  function_arn = replace(aws_sqs_queue.dead_letters.arn, "/^arn:([^:]+):sqs:([^:]+):([^:]+):.*$/", "arn:$1:lambda:$2:$3:function:${local.function_name}")
}
