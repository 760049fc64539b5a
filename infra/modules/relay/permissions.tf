# What the relay may do: exactly this, on exactly these.

resource "aws_iam_role" "relay" {
  name        = local.function_name
  description = "Portpulse's relay."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "relay" {
  name = "relay"
  role = aws_iam_role.relay.id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local.statements, local.secret_statements, local.key_statements)
  })
}

locals {
  # `arn:aws:ssm:eu-west-1:123456789012:parameter/portpulse/ops-chat` and the like.
  of_service = { for service in ["ssm", "secretsmanager"] : service => replace(var.home.table_arn, "/^arn:([^:]+):dynamodb:([^:]+):([^:]+):.*$/", "arn:$1:${service}:$2:$3") }
  parameters = [for name in var.secrets : trimprefix(name, "ssm:") if startswith(name, "ssm:")]
  secrets    = [for name in var.secrets : trimprefix(name, "secretsmanager:") if startswith(name, "secretsmanager:")]

  statements = [
    {
      Sid      = "NoteWhatIsDelivered"
      Effect   = "Allow"
      Action   = ["dynamodb:GetItem", "dynamodb:PutItem"]
      Resource = var.home.table_arn
      Condition = {
        "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["relayed#*"] }
        # `ForAllValues` also holds for no value at all.
        Null = { "dynamodb:LeadingKeys" = "false" }
      }
    },
    {
      Sid      = "Log"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.relay.arn}:*"
    },
    {
      Sid      = "SendDeadLetters"
      Effect   = "Allow"
      Action   = ["sqs:SendMessage"]
      Resource = aws_sqs_queue.dead_letters.arn
    },
  ]

  # Secrets Manager is asked through Parameter Store, which wants a permission of each.
  # https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html
  secret_statements = concat(
    [
      for paths in [concat(local.parameters, [for name in local.secrets : "/aws/reference/secretsmanager/${name}"])] : {
        Sid      = "ReadItsParameters"
        Effect   = "Allow"
        Action   = ["ssm:GetParameter"]
        Resource = [for path in paths : "${local.of_service.ssm}:parameter${path}"]
      } if length(paths) > 0
    ],
    [
      # Secrets Manager adds a dash and six characters of its own to a name.
      for names in [local.secrets] : {
        Sid      = "ReadItsSecrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = [for name in names : "${local.of_service.secretsmanager}:secret:${name}-??????"]
      } if length(names) > 0
    ],
    [
      for arns in [var.secret_key_arns] : {
        Sid       = "DecryptItsSecrets"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = arns
        Condition = { StringEquals = { "kms:ViaService" = ["secretsmanager.${var.home.region}.amazonaws.com", "ssm.${var.home.region}.amazonaws.com"] } }
      } if length(arns) > 0
    ],
  )

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
}
