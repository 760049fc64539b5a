# The checker of one region: the Lambda and its permissions.

locals {
  function_name = "${var.name}-checker"
}

module "function" {
  source = "../function"

  name        = local.function_name
  region      = var.region
  description = "Checks the monitors of Portpulse from ${var.region}."
  home        = var.home
  function    = var.function
  settings = {
    PORTPULSE_TOPIC_ARN = var.home.topic_arn
    PORTPULSE_METRICS   = var.function.metrics
  }
  # No retries: the next tick is due earlier.
  asynchronous = { retries = 0, max_age_seconds = 60 }
  vpc          = var.vpc

  table_access = "write"
  statements = [
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
  ]
}
