# An agent: the location that it reports for, and what it may do. The agent itself runs on a machine of the user.

locals {
  name = "${var.name}-agent-${var.location}"

  # The partitions that an agent reads and writes, at home and in the standby; GROUP stands for each of its groups. A test compares them
  # with the requests of the agent. With many groups, the policy would exceed the 6,144 characters that AWS allows: it then covers all
  # groups.
  max_groups = 16
  groups     = length(var.groups) > local.max_groups ? ["*"] : sort(var.groups)
  keys = {
    for access, patterns in jsondecode(file("${path.module}/keys.json")) : access => distinct(flatten([
      for pattern in patterns : [for group in local.groups : replace(pattern, "GROUP", group)]
    ]))
  }

  conditions = {
    for access, keys in local.keys : access => {
      "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = keys }
      # `ForAllValues` is also true without any value.
      Null = { "dynamodb:LeadingKeys" = ["false"] }
    }
  }
  statements = concat(
    [
      {
        Sid       = "ReadTable"
        Effect    = "Allow"
        Action    = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
        Resource  = [var.home.table_arn]
        Condition = local.conditions.read
      },
      {
        # An agent writes no definitions, silences or acknowledgements, and nothing of other groups. IAM knows partition keys only: within a
        # group, the states of other locations are in the same partition.
        Sid       = "WriteResults"
        Effect    = "Allow"
        Action    = ["dynamodb:PutItem"]
        Resource  = [var.home.table_arn]
        Condition = local.conditions.write
      },
      {
        Sid       = "PublishNotifications"
        Effect    = "Allow"
        Action    = ["sns:Publish"]
        Resource  = [var.home.topic_arn]
        Condition = null
      },
    ],
    # With a customer managed key, DynamoDB uses the key on behalf of the caller.
    [
      for arn in var.home.kms_key_arn[*] : {
        Sid       = "UseTableKey"
        Effect    = "Allow"
        Action    = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
        Resource  = [arn]
        Condition = { StringEquals = { "kms:ViaService" = ["dynamodb.${var.home.region}.amazonaws.com"] } }
      }
    ],
    # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    [
      for arn in var.home.topic_key_arn[*] : {
        Sid       = "UseTopicKey"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = [arn]
        Condition = { StringEquals = { "kms:ViaService" = ["sns.${var.home.region}.amazonaws.com"] } }
      }
    ],
    [for statement in concat(module.secrets.statements, module.standby.statements) : merge(statement, { Effect = "Allow" })],
  )
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for each in local.statements : { for name, value in each : name => value if value != null }]
  })
}

# The secrets of the monitors' requests.
module "secrets" {
  source = "../secrets"

  names     = var.home.secrets
  key_arns  = var.home.secret_key_arns
  region    = var.home.region
  table_arn = var.home.table_arn
}

module "standby" {
  source = "../standby"

  standby = var.home.standby
  keys    = { read = local.keys.standby_read, write = local.keys.standby_write }
}

# A policy of its own, so that it can be attached to a user, a role, or what the agent has already.
resource "aws_iam_policy" "this" {
  name        = local.name
  description = "Portpulse's agent for ${var.location}."
  policy      = local.policy

  lifecycle {
    precondition {
      condition     = length(var.groups) > 0
      error_message = "No monitor names the agent ${var.location}: write `locations: [${var.location}]` in one, or remove the agent."
    }
  }
}

# Without an access key, which would be in the state of Terraform: `aws iam create-access-key` makes one.
resource "aws_iam_user" "this" {
  count = var.user ? 1 : 0

  name                 = local.name
  permissions_boundary = var.permissions_boundary
}

resource "aws_iam_user_policy_attachment" "this" {
  count = var.user ? 1 : 0

  user       = aws_iam_user.this[0].name
  policy_arn = aws_iam_policy.this.arn
}

resource "aws_iam_role" "this" {
  count = length(var.trusted) > 0 ? 1 : 0

  name                 = local.name
  description          = "Portpulse's agent for ${var.location}."
  permissions_boundary = var.permissions_boundary
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = var.trusted }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "this" {
  count = length(var.trusted) > 0 ? 1 : 0

  role       = aws_iam_role.this[0].name
  policy_arn = aws_iam_policy.this.arn
}

# Lists the agent as an expected location of the groups with monitors that name it: it is then reported as silent if it does not report.
resource "aws_dynamodb_table_item" "expected" {
  for_each = toset(var.groups)

  table_name = var.home.table_name
  hash_key   = "pk"
  range_key  = "sk"
  item = jsonencode({
    pk   = { S = "group#${each.key}" }
    sk   = { S = "expects#${var.location}" }
    kind = { S = "agent" }
  })
}
