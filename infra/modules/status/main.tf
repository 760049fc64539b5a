# The status page: a Lambda in the home region with a function URL, which only reads the table.

locals {
  function_name = "${var.name}-status"
  # The page checks its token; without a token, a private page requires IAM authorization.
  authorization = var.access == "private" && var.token == null ? "AWS_IAM" : "NONE"

  # Unsigned requests could use all the concurrency that the checkers need. A reservation is a maximum, too. Of an
  # account's concurrency 100 must stay unreserved, and a new account has 10: it reserves none.
  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
  looks_up_quota       = local.authorization == "NONE" && var.function.reserved_concurrency == null
  quota                = local.looks_up_quota ? data.aws_servicequotas_service_quota.concurrency[0].value : 0
  reserved_concurrency = coalesce(var.function.reserved_concurrency, local.quota >= 200 ? 5 : -1)
}

# The concurrency quota of the account in this region.
data "aws_servicequotas_service_quota" "concurrency" {
  count = local.looks_up_quota ? 1 : 0

  service_code = "lambda"
  quota_code   = "L-B99A9384"
}

module "function" {
  source = "../function"

  name        = local.function_name
  region      = var.home.region
  description = "The status page of Portpulse."
  home        = var.home
  function    = merge(var.function, { timeout_seconds = 15, reserved_concurrency = local.reserved_concurrency })
  settings = merge(
    {
      PORTPULSE_GROUPS        = join(",", sort(var.groups))
      PORTPULSE_STATUS_ACCESS = var.access
    },
    { for name in var.token[*] : "PORTPULSE_STATUS_TOKEN" => name },
    var.announce_maintenance ? { PORTPULSE_STATUS_MAINTENANCE = "announced" } : {},
  )

  table_access = "read"
  statements   = local.statements
}

# With authorization type NONE, the provider adds the permission that Lambda requires for a public URL.
resource "aws_lambda_function_url" "status" {
  function_name      = module.function.lambda.function_name
  authorization_type = local.authorization

  lifecycle {
    precondition {
      condition     = var.access == "private" || var.token == null
      error_message = "A public page has no token: remove `token`, or set `access` to private."
    }
    precondition {
      condition     = var.access == "private" || var.capacity == "on_demand"
      error_message = "A public page requires `capacity = \"on_demand\"`: its readers could use the 25 read units a second that the checkers need. Or set `access` to private."
    }
  }
}

# Since October 2025, Lambda requires a second permission, restricted to requests through the URL. The provider supports
# it from 6.29 on, CloudFormation in all versions. https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
resource "aws_cloudformation_stack" "address" {
  count = local.authorization == "NONE" ? 1 : 0
  name  = "${local.function_name}-address"

  template_body = jsonencode({
    Resources = {
      PublicUrlPermission = {
        Type = "AWS::Lambda::Permission"
        Properties = {
          Action                = "lambda:InvokeFunction"
          FunctionName          = module.function.lambda.function_name
          InvokedViaFunctionUrl = true
          Principal             = "*"
        }
      }
    }
  })
}

locals {
  statements = concat(
    [
      {
        Sid      = "ReadTable"
        Action   = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
        Resource = [var.home.table_arn]
        Condition = {
          "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["monitors#*", "group#*", "fleet", "results#*", "hourly#*", "daily#*", "banners#*", "incidents#*", "controls"] }
          # `ForAllValues` is also true without any value.
          Null = { "dynamodb:LeadingKeys" = ["false"] }
        }
      },
    ],
    [
      for name in var.token[*] : {
        Sid      = "ReadToken"
        Action   = ["ssm:GetParameter"]
        Resource = [replace(var.home.table_arn, "/^arn:([^:]+):dynamodb:([^:]+):([^:]+):.*$/", "arn:$1:ssm:$2:$3:parameter${trimprefix(name, "ssm:")}")]
      }
    ],
    [
      for arns in [var.secret_key_arns] : {
        Sid       = "DecryptToken"
        Action    = ["kms:Decrypt"]
        Resource  = arns
        Condition = { StringEquals = { "kms:ViaService" = ["ssm.${var.home.region}.amazonaws.com"] } }
      } if length(arns) > 0 && var.token != null
    ],
  )
}
