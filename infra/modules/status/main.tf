# The status page: a Lambda in the home region behind an address of its own, which reads the table and nothing else.

locals {
  function_name = "${var.name}-status"
  # A token is asked for by the page itself; where there is none, a private page is for those whom AWS knows.
  authorization = var.access == "private" && var.token == null ? "AWS_IAM" : "NONE"

  # An address that anybody may ask could take all the concurrency that the checkers need. A reservation is a limit, too.
  # Of an account's concurrency 100 must stay unreserved, and a new account has 10 in all: there it goes without.
  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
  looks_up_quota       = local.authorization == "NONE" && var.function.reserved_concurrency == null
  quota                = local.looks_up_quota ? data.aws_servicequotas_service_quota.concurrency[0].value : 0
  reserved_concurrency = coalesce(var.function.reserved_concurrency, local.quota >= 200 ? 5 : -1)
}

# How many Lambdas the account may run at once in this region.
data "aws_servicequotas_service_quota" "concurrency" {
  count = local.looks_up_quota ? 1 : 0

  service_code = "lambda"
  quota_code   = "L-B99A9384"
}

module "function" {
  source = "../function"

  name        = local.function_name
  region      = var.home.region
  description = "Shows what Portpulse watches."
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

# The provider lets anybody use an address without authorization, as Lambda wants it.
resource "aws_lambda_function_url" "status" {
  function_name      = module.function.lambda.function_name
  authorization_type = local.authorization

  lifecycle {
    precondition {
      condition     = var.access == "private" || var.token == null
      error_message = "A public page asks for no token: leave `token` out, or make the page private."
    }
    precondition {
      condition     = var.access == "private" || var.capacity == "on_demand"
      error_message = "A public page wants `capacity = \"on_demand\"`: of 25 read units a second anybody could take what the checkers need. Or make the page private."
    }
  }
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
        Sid      = "ReadWhatItShows"
        Action   = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
        Resource = [var.home.table_arn]
        Condition = {
          "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["monitors#*", "group#*", "fleet", "results#*", "hourly#*", "daily#*", "banners#*", "incidents#*", "controls"] }
          # `ForAllValues` also holds for no value at all.
          Null = { "dynamodb:LeadingKeys" = ["false"] }
        }
      },
    ],
    [
      for name in var.token[*] : {
        Sid      = "ReadItsToken"
        Action   = ["ssm:GetParameter"]
        Resource = [replace(var.home.table_arn, "/^arn:([^:]+):dynamodb:([^:]+):([^:]+):.*$/", "arn:$1:ssm:$2:$3:parameter${trimprefix(name, "ssm:")}")]
      }
    ],
    [
      for arns in [var.secret_key_arns] : {
        Sid       = "DecryptItsToken"
        Action    = ["kms:Decrypt"]
        Resource  = arns
        Condition = { StringEquals = { "kms:ViaService" = ["ssm.${var.home.region}.amazonaws.com"] } }
      } if length(arns) > 0 && var.token != null
    ],
  )
}
