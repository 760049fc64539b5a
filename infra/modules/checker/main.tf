# One region's checker: the Lambda, and what it is allowed to do.

locals {
  function_name = "${var.name}-checker"
}

module "function" {
  source = "../function"

  name        = local.function_name
  region      = var.region
  description = "Checks the ports that Portpulse watches, from ${var.region}."
  home        = var.home
  function    = var.function
  settings = {
    PORTPULSE_TOPIC_ARN = var.home.topic_arn
    PORTPULSE_METRICS   = var.function.metrics
  }
  # A stale tick must not run: the next one is due before a retry.
  asynchronous = { retries = 0, longest_seconds = 60 }
  vpc          = var.vpc

  table_access = "write"
  statements = [
    {
      Sid      = "ReadTable"
      Action   = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
      Resource = [var.home.table_arn]
    },
    {
      # Definitions and controls are other people's to write.
      Sid      = "WriteWhatItFinds"
      Action   = ["dynamodb:PutItem"]
      Resource = [var.home.table_arn]
      Condition = {
        "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["group#*", "fleet", "results#*", "hourly#*", "daily#*", "banners#*", "incidents#*"] }
        # `ForAllValues` also holds for no value at all.
        Null = { "dynamodb:LeadingKeys" = ["false"] }
      }
    },
    {
      Sid      = "Alert"
      Action   = ["sns:Publish"]
      Resource = [var.home.topic_arn]
    },
  ]
}
