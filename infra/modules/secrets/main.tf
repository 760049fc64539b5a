# Permissions to read secrets by name in the home region. It creates no resource.

locals {
  # ARN prefixes, such as `arn:aws:ssm:eu-west-1:123456789012` for `ssm`.
  arn_prefix = { for service in ["ssm", "secretsmanager"] : service => replace(var.table_arn, "/^arn:([^:]+):dynamodb:([^:]+):([^:]+):.*$/", "arn:$1:${service}:$2:$3") }
  parameters = [for name in var.names : trimprefix(name, "ssm:") if startswith(name, "ssm:")]
  secrets    = [for name in var.names : trimprefix(name, "secretsmanager:") if startswith(name, "secretsmanager:")]
}

output "statements" {
  description = "IAM statements; empty without names."
  # Secrets Manager is read through Parameter Store, which requires a permission for both.
  # https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html
  value = concat(
    [
      for paths in [concat(local.parameters, [for name in local.secrets : "/aws/reference/secretsmanager/${name}"])] : {
        Sid       = "ReadParameters"
        Action    = ["ssm:GetParameter"]
        Resource  = [for path in paths : "${local.arn_prefix.ssm}:parameter${path}"]
        Condition = null
      } if length(paths) > 0
    ],
    [
      # Secrets Manager appends a dash and six characters to a name.
      for names in [local.secrets] : {
        Sid       = "ReadSecrets"
        Action    = ["secretsmanager:GetSecretValue"]
        Resource  = [for name in names : "${local.arn_prefix.secretsmanager}:secret:${name}-??????"]
        Condition = null
      } if length(names) > 0
    ],
    [
      for arns in [var.key_arns] : {
        Sid       = "DecryptSecrets"
        Action    = ["kms:Decrypt"]
        Resource  = arns
        Condition = { StringEquals = { "kms:ViaService" = ["secretsmanager.${var.region}.amazonaws.com", "ssm.${var.region}.amazonaws.com"] } }
      } if length(arns) > 0 && length(var.names) > 0
    ],
  )
}
