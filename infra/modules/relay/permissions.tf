# Additional permissions of the relay.

module "secrets" {
  source = "../secrets"

  names     = var.secrets
  key_arns  = var.secret_key_arns
  region    = var.home.region
  table_arn = var.home.table_arn
}

locals {
  statements = concat(
    [
      {
        Sid      = "RecordDeliveries"
        Action   = ["dynamodb:GetItem", "dynamodb:PutItem"]
        Resource = [var.home.table_arn]
        Condition = {
          "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["relayed#*"] }
          # `ForAllValues` is also true without any value.
          Null = { "dynamodb:LeadingKeys" = ["false"] }
        }
      },
    ],
    module.secrets.statements,
  )
}
