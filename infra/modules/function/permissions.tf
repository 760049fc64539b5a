# Permissions: these actions on these resources, and nothing else.

resource "aws_iam_role" "this" {
  # Roles are global: the same function in two regions needs two names.
  name                 = "${var.name}-${var.region}"
  description          = "${var.name} in ${var.region}."
  permissions_boundary = var.function.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "function"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [for each in concat(var.statements, local.statements) : merge({ Effect = "Allow" }, { for name, value in each : name => value if value != null })],
      local.vpc_statements,
    )
  })
}

locals {
  statements = concat(
    [
      {
        Sid      = "Log"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.this.arn}:*"]
      },
    ],
    [
      for queue in aws_sqs_queue.dead_letters : {
        Sid      = "SendDeadLetters"
        Action   = ["sqs:SendMessage"]
        Resource = [queue.arn]
      }
    ],
    # With a customer managed key, DynamoDB uses the key on behalf of the caller.
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
    [
      for arn in var.home.kms_key_arn[*] : {
        Sid       = "UseTableKey"
        Action    = local.key_actions[var.table_access]
        Resource  = [arn]
        Condition = { StringEquals = { "kms:ViaService" = ["dynamodb.${var.home.region}.amazonaws.com"] } }
      }
    ],
  )
  key_actions = {
    read  = ["kms:Decrypt", "kms:DescribeKey"]
    write = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
  }

  # In a VPC, Lambda creates network interfaces with the function's role. These resources do not exist beforehand, and
  # DescribeNetworkInterfaces supports no resource; the function's own code is denied these actions. The permissions do not depend
  # on `vpc`: Lambda deletes the interfaces up to 20 minutes after the function has left the VPC, and needs them until then.
  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
  network_actions = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces"]
  vpc_statements = flatten([
    for allowed in [true] : [
      {
        Sid       = "ManageNetworkInterfaces"
        Effect    = "Allow"
        Action    = local.network_actions
        Resource  = "*"
        Condition = { StringEquals = { "aws:RequestedRegion" = var.region } }
      },
      {
        Sid       = "DenyNetworkInterfacesToCode"
        Effect    = "Deny"
        Action    = local.network_actions
        Resource  = "*"
        Condition = { ArnEquals = { "lambda:SourceFunctionArn" = local.function_arn } }
      },
    ] if var.may_join_vpc
  ])
  # Spelled out, because the function depends on this policy.
  function_arn = replace(aws_cloudwatch_log_group.this.arn, "/^arn:([^:]+):logs:([^:]+):([^:]+):.*$/", "arn:$1:lambda:$2:$3:function:${var.name}")
}
