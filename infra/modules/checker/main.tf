# The checker of one region: the Lambda and its permissions.

locals {
  function_name = "${var.name}-checker"
}

data "aws_region" "this" {
  lifecycle {
    postcondition {
      condition     = self.name == var.region
      error_message = "The provider of ${var.region} has the region ${self.name}: pass a provider of ${var.region}."
    }
  }
}

module "function" {
  source = "../function"

  name        = local.function_name
  region      = var.region
  description = "Checks the monitors of Portpulse from ${var.region}."
  home        = var.home
  function    = var.function
  settings = merge(
    {
      PORTPULSE_TOPIC_ARN = var.home.topic_arn
      PORTPULSE_METRICS   = var.function.metrics
      # Empty: no status page that a browser can open.
      PORTPULSE_PAGE_URL = var.home.page_url == null ? "" : var.home.page_url
    },
    [
      for standby in var.home.standby[*] : {
        PORTPULSE_STANDBY_REGION    = standby.region
        PORTPULSE_STANDBY_TABLE     = standby.table_name
        PORTPULSE_STANDBY_TOPIC_ARN = standby.topic_arn
      }
    ]...
  )
  # No retries: the next tick is due earlier.
  asynchronous = { retries = 0, max_age_seconds = 60 }
  may_join_vpc = true
  vpc          = var.vpc

  table_access = "write"
  statements = concat(module.secrets.statements, module.standby.statements, [
    {
      Sid      = "ReadTable"
      Action   = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
      Resource = [var.home.table_arn]
    },
    {
      # A checker does not write definitions, silences or acknowledgements.
      Sid      = "WriteResults"
      Action   = ["dynamodb:PutItem"]
      Resource = [var.home.table_arn]
      Condition = {
        "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["group#*", "fleet", "results#*", "hourly#*", "daily#*", "banners#*", "incidents#*"] }
        # `ForAllValues` is also true without any value.
        Null = { "dynamodb:LeadingKeys" = ["false"] }
      }
    },
    {
      Sid      = "PublishNotifications"
      Action   = ["sns:Publish"]
      Resource = [var.home.topic_arn]
    },
    ],
    # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    [
      for arn in var.home.topic_key_arn[*] : {
        Sid       = "UseTopicKey"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = [arn]
        Condition = { StringEquals = { "kms:ViaService" = ["sns.${var.home.region}.amazonaws.com"] } }
      }
    ],
  )
}

module "standby" {
  source = "../standby"

  standby = var.home.standby
  # Definitions are read there while home is lost; the row of the loss is read and written, and copies of decisions are written.
  keys = { read = ["monitors#*", "home"], write = ["group#*", "home"] }
}

# The secrets of the monitors' requests.
module "secrets" {
  source = "../secrets"

  names     = var.home.secrets
  key_arns  = var.home.secret_key_arns
  region    = var.home.region
  table_arn = var.home.table_arn
}
