# The status page: a Lambda with a function URL, which only reads the table, unless it offers actions. Its region need not be the home region.

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

data "aws_region" "this" {
  lifecycle {
    postcondition {
      condition     = self.name == var.region
      error_message = "The provider of the status page has the region ${self.name}, and the page is to run in ${var.region}: pass a provider of ${var.region} as `aws.status`."
    }
  }
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
  region      = var.region
  description = "The status page of Portpulse."
  home        = var.home
  function    = merge(var.function, { timeout_seconds = 15, reserved_concurrency = local.reserved_concurrency })
  settings = merge(
    {
      PORTPULSE_GROUPS        = join(",", sort(var.groups))
      PORTPULSE_STATUS_ACCESS = var.access
    },
    { for name in var.token[*] : "PORTPULSE_STATUS_TOKEN" => name },
    var.actions ? { PORTPULSE_STATUS_ACTIONS = "offered" } : {},
    { for topic in var.report_topic[*] : "PORTPULSE_REPORT_TOPIC_ARN" => topic.arn },
    var.announce_maintenance ? { PORTPULSE_STATUS_MAINTENANCE = "announced" } : {},
    { for page in var.page[*] : "PORTPULSE_STATUS_PAGE" => jsonencode(yamldecode(page)) },
  )

  table_access = var.actions || var.report_topic != null ? "write" : "read"
  statements   = local.statements
}

# The report of a month, on the first of the next: after its days are summed up. Lambda repeats a failed invocation twice.
resource "aws_cloudwatch_event_rule" "report" {
  count = var.report_topic == null ? 0 : 1

  name                = "${local.function_name}-report"
  description         = "Portpulse: the report of the last month."
  schedule_expression = "cron(0 6 1 * ? *)"
}

resource "aws_cloudwatch_event_target" "report" {
  count = var.report_topic == null ? 0 : 1

  rule  = aws_cloudwatch_event_rule.report[0].name
  arn   = module.function.lambda.arn
  input = jsonencode({ report = "monthly" })
}

resource "aws_lambda_permission" "report" {
  count = var.report_topic == null ? 0 : 1

  statement_id  = "monthly-report"
  action        = "lambda:InvokeFunction"
  function_name = module.function.lambda.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.report[0].arn
}

# Unsigned requests require two permissions. The provider adds the first one only when it creates a URL that accepts them, not when a
# URL starts to, and never removes it. Here, it has the name that the provider uses, and precedes the URL, so that the provider finds it
# in place. https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
resource "aws_lambda_permission" "public" {
  count = local.authorization == "NONE" ? 1 : 0

  statement_id           = "FunctionURLAllowPublicAccess"
  action                 = "lambda:InvokeFunctionUrl"
  function_name          = module.function.lambda.function_name
  function_url_auth_type = "NONE"
  principal              = "*"
}

resource "aws_lambda_function_url" "status" {
  function_name      = module.function.lambda.function_name
  authorization_type = local.authorization
  depends_on         = [aws_lambda_permission.public]

  lifecycle {
    precondition {
      condition     = var.access == "private" || var.token == null
      error_message = "A public page has no token: remove `token`, or set `access` to private."
    }
    precondition {
      condition     = !var.actions || var.token != null
      error_message = "Only readers with a token may act: set `token`, or remove `actions`."
    }
    precondition {
      condition     = var.access == "private" || var.capacity == "on_demand"
      error_message = "A public page requires `capacity = \"on_demand\"`: its readers could use the 25 read units a second that the checkers need. Or set `access` to private."
    }
  }
}

# The second permission, required since October 2025, is restricted to requests through the URL. The provider supports the restriction
# from 6.29 on, CloudFormation in all versions.
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
          "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["monitors#*", "group#*", "fleet", "results#*", "hourly#*", "daily#*", "banners#*", "incidents#*", "controls", "notes"] }
          # `ForAllValues` is also true without any value.
          Null = { "dynamodb:LeadingKeys" = ["false"] }
        }
      },
    ],
    [
      for actions in [["dynamodb:PutItem"]] : {
        Sid      = "SilenceAcknowledgeAndNote"
        Action   = actions
        Resource = [var.home.table_arn]
        Condition = {
          "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["controls", "notes"] }
          Null                        = { "dynamodb:LeadingKeys" = ["false"] }
        }
      } if var.actions
    ],
    flatten([
      for topic in var.report_topic[*] : [
        {
          Sid      = "ClaimReport"
          Action   = ["dynamodb:PutItem"]
          Resource = [var.home.table_arn]
          Condition = {
            "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["reports"] }
            Null                        = { "dynamodb:LeadingKeys" = ["false"] }
          }
        },
        {
          Sid       = "PublishReport"
          Action    = ["sns:Publish"]
          Resource  = [topic.arn]
          Condition = null
        },
      ]
    ]),
    [
      for arn in try(var.report_topic.kms_key_arn, null)[*] : {
        Sid       = "UseTopicKey"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = [arn]
        Condition = { StringEquals = { "kms:ViaService" = ["sns.${var.home.region}.amazonaws.com"] } }
      }
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
