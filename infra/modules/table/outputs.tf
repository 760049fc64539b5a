output "name" {
  description = "Name of the table."
  value       = aws_dynamodb_table.this.name
}

output "arn" {
  description = "ARN of the table."
  value       = aws_dynamodb_table.this.arn
}

output "settings" {
  description = "Settings and items of the table, for tests."
  value = {
    items        = { for name, each in aws_dynamodb_table_item.this : name => each.item }
    billing_mode = aws_dynamodb_table.this.billing_mode
    protected    = aws_dynamodb_table.this.deletion_protection_enabled
    recoverable  = one(aws_dynamodb_table.this.point_in_time_recovery).enabled
    key_arn      = one([for each in aws_dynamodb_table.this.server_side_encryption : each.kms_key_arn if each.enabled])
  }
}
