# Permissions of a checker or an agent on the standby. It creates no resource.

variable "standby" {
  description = "The standby; null for none."
  type = object({
    region        = string
    table_arn     = string
    topic_arn     = string
    topic_key_arn = optional(string)
  })
}

variable "keys" {
  description = "The partition keys that may be read and written; a `*` at the end stands for any characters."
  type        = object({ read = list(string), write = list(string) })
}

output "statements" {
  description = "IAM statements; empty without a standby."
  value = flatten([
    for standby in var.standby[*] : [
      [
        for sid, access in {
          ReadStandby  = { actions = ["dynamodb:GetItem", "dynamodb:Query"], keys = var.keys.read }
          WriteStandby = { actions = ["dynamodb:PutItem"], keys = var.keys.write }
          } : {
          Sid      = sid
          Action   = access.actions
          Resource = [standby.table_arn]
          Condition = {
            "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = access.keys }
            # `ForAllValues` is also true without any value.
            Null = { "dynamodb:LeadingKeys" = ["false"] }
          }
        }
      ],
      {
        Sid       = "PublishThroughStandby"
        Action    = ["sns:Publish"]
        Resource  = [standby.topic_arn]
        Condition = null
      },
      # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
      [
        for arn in standby.topic_key_arn[*] : {
          Sid       = "UseStandbyTopicKey"
          Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
          Resource  = [arn]
          Condition = { StringEquals = { "kms:ViaService" = ["sns.${standby.region}.amazonaws.com"] } }
        }
      ],
    ]
  ])
}
