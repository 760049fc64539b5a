# Policies for people, as outputs: whoever applies this module, and whoever is on call.

locals {
  # The table has an ARN with partition and account.
  partition = split(":", module.table.arn)[1]
  account   = split(":", module.table.arn)[4]
  arn       = { for service in ["cloudformation", "cloudwatch", "dynamodb", "events", "lambda", "logs", "sns", "sqs"] : service => "arn:${local.partition}:${service}:*:${local.account}" }

  # What Terraform calls to create, change, read and destroy each resource. Statements name resources by the prefix `name`, where the
  # service supports it.
  deployer_statements = [
    {
      Sid      = "Table"
      Action   = [for verb in ["CreateTable", "DeleteItem", "DeleteTable", "DescribeContinuousBackups", "DescribeTable", "DescribeTimeToLive", "GetItem", "ListTagsOfResource", "PutItem", "TagResource", "UntagResource", "UpdateContinuousBackups", "UpdateItem", "UpdateTable", "UpdateTimeToLive"] : "dynamodb:${verb}"]
      Resource = ["${local.arn.dynamodb}:table/${var.name}", "${local.arn.dynamodb}:table/${var.name}-standby"]
    },
    {
      Sid      = "Topics"
      Action   = [for verb in ["CreateTopic", "DeleteTopic", "GetSubscriptionAttributes", "GetTopicAttributes", "ListSubscriptionsByTopic", "ListTagsForResource", "SetSubscriptionAttributes", "SetTopicAttributes", "Subscribe", "TagResource", "Unsubscribe", "UntagResource"] : "sns:${verb}"]
      Resource = ["${local.arn.sns}:${var.name}-*"]
    },
    {
      Sid      = "Queues"
      Action   = [for verb in ["CreateQueue", "DeleteQueue", "GetQueueAttributes", "GetQueueUrl", "ListQueueTags", "SetQueueAttributes", "TagQueue", "UntagQueue"] : "sqs:${verb}"]
      Resource = ["${local.arn.sqs}:${var.name}-*"]
    },
    {
      Sid = "Functions"
      Action = [for verb in [
        "AddPermission", "CreateFunction", "CreateFunctionUrlConfig", "DeleteFunction", "DeleteFunctionConcurrency", "DeleteFunctionEventInvokeConfig",
        "DeleteFunctionUrlConfig", "GetFunction", "GetFunctionCodeSigningConfig", "GetFunctionConfiguration", "GetFunctionEventInvokeConfig",
        "GetFunctionUrlConfig", "GetPolicy", "ListTags", "ListVersionsByFunction", "PutFunctionConcurrency", "PutFunctionEventInvokeConfig",
        "RemovePermission", "TagResource", "UntagResource", "UpdateFunctionCode", "UpdateFunctionConfiguration", "UpdateFunctionEventInvokeConfig",
        "UpdateFunctionUrlConfig",
      ] : "lambda:${verb}"]
      Resource = ["${local.arn.lambda}:function:${var.name}-*"]
    },
    {
      Sid = "Roles"
      Action = [for verb in [
        "CreateRole", "DeleteRole", "DeleteRolePermissionsBoundary", "DeleteRolePolicy", "GetRole", "GetRolePolicy", "ListAttachedRolePolicies",
        "ListInstanceProfilesForRole", "ListRolePolicies", "PassRole", "PutRolePermissionsBoundary", "PutRolePolicy", "TagRole", "UntagRole",
        "UpdateAssumeRolePolicy", "UpdateRole", "UpdateRoleDescription",
      ] : "iam:${verb}"]
      Resource = ["arn:${local.partition}:iam::${local.account}:role/${var.name}-*"]
    },
    {
      Sid = "Agents"
      Action = [for verb in [
        "AttachRolePolicy", "AttachUserPolicy", "CreatePolicy", "CreatePolicyVersion", "CreateUser", "DeletePolicy", "DeletePolicyVersion", "DeleteUser",
        "DeleteUserPermissionsBoundary", "DetachRolePolicy", "DetachUserPolicy", "GetPolicy", "GetPolicyVersion", "GetUser", "ListAttachedUserPolicies",
        "ListGroupsForUser", "ListPolicyVersions", "PutUserPermissionsBoundary", "TagPolicy", "TagUser", "UntagPolicy", "UntagUser",
      ] : "iam:${verb}"]
      Resource = [for kind in ["policy", "role", "user"] : "arn:${local.partition}:iam::${local.account}:${kind}/${var.name}-agent-*"]
    },
    {
      Sid      = "Schedules"
      Action   = [for verb in ["DeleteRule", "DescribeRule", "ListTagsForResource", "ListTargetsByRule", "PutRule", "PutTargets", "RemoveTargets", "TagResource", "UntagResource"] : "events:${verb}"]
      Resource = ["${local.arn.events}:rule/${var.name}-*"]
    },
    {
      Sid      = "Logs"
      Action   = [for verb in ["CreateLogGroup", "DeleteLogGroup", "DeleteRetentionPolicy", "ListTagsForResource", "PutRetentionPolicy", "TagResource", "UntagResource"] : "logs:${verb}"]
      Resource = ["${local.arn.logs}:log-group:/aws/lambda/${var.name}-*"]
    },
    {
      Sid      = "Alarms"
      Action   = [for verb in ["DeleteAlarms", "DeleteDashboards", "GetDashboard", "ListTagsForResource", "PutDashboard", "PutMetricAlarm", "TagResource", "UntagResource"] : "cloudwatch:${verb}"]
      Resource = ["${local.arn.cloudwatch}:alarm:${var.name}-*", "arn:${local.partition}:cloudwatch::${local.account}:dashboard/${var.name}"]
    },
    {
      Sid      = "StatusPage"
      Action   = [for verb in ["CreateStack", "DeleteStack", "DescribeStackEvents", "DescribeStacks", "GetTemplate", "UpdateStack"] : "cloudformation:${verb}"]
      Resource = ["${local.arn.cloudformation}:stack/${var.name}-status-address/*"]
    },
    {
      Sid      = "Budget"
      Action   = ["budgets:ListTagsForResource", "budgets:ModifyBudget", "budgets:TagResource", "budgets:ViewBudget"]
      Resource = ["arn:${local.partition}:budgets::${local.account}:budget/${var.name}"]
    },
    # Actions that support no resource, or list resources.
    {
      Sid = "Account"
      Action = [
        "cloudwatch:DescribeAlarms", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
        "logs:DescribeLogGroups", "servicequotas:GetAWSDefaultServiceQuota", "servicequotas:GetServiceQuota", "sns:GetSMSAttributes", "sns:SetSMSAttributes",
      ]
      Resource = ["*"]
    },
  ]
  # DynamoDB and SNS use a customer managed key on behalf of the caller.
  deployer_keys = distinct(concat(var.kms_key_arn[*], values(var.topic_key_arns)))
}

output "deployer_policy" {
  description = "Policy, as JSON, with the permissions that applying and destroying this module requires; beside it, the state needs its own."
  value = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for statement in concat(local.deployer_statements, [for keys in [local.deployer_keys] : {
        Sid      = "Keys"
        Action   = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
        Resource = keys
      } if length(keys) > 0]) : merge({ Effect = "Allow" }, statement)
    ]
  })
}

output "on_call_policy" {
  description = "Policy, as JSON, for people on call: the commands status, list, history and incidents read the table; ack, silence, unsilence and note write silences, acknowledgements and notes, and nothing else."
  value = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        { Sid = "Read", Effect = "Allow", Action = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"], Resource = [module.table.arn] },
        {
          Sid      = "SilenceAcknowledgeAndNote"
          Effect   = "Allow"
          Action   = ["dynamodb:PutItem"]
          Resource = [module.table.arn]
          Condition = {
            "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["controls", "notes"] }
            # `ForAllValues` is also true without any value.
            Null = { "dynamodb:LeadingKeys" = ["false"] }
          }
        },
      ],
      [
        for standby in local.standby[*] : {
          Sid      = "CopyToStandby"
          Effect   = "Allow"
          Action   = ["dynamodb:GetItem", "dynamodb:PutItem"]
          Resource = [standby.table_arn]
          Condition = {
            "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["controls"] }
            Null                        = { "dynamodb:LeadingKeys" = ["false"] }
          }
        }
      ],
      [
        for arn in var.kms_key_arn[*] : {
          Sid       = "UseTableKey"
          Effect    = "Allow"
          Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
          Resource  = [arn]
          Condition = { StringEquals = { "kms:ViaService" = ["dynamodb.${var.home_region}.amazonaws.com"] } }
        }
      ],
    )
  })
}
