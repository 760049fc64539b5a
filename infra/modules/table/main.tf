# The table, in the home region: definitions, group states, results, summaries, incidents, silences and acknowledgements.

resource "aws_dynamodb_table" "this" {
  name                        = var.name
  billing_mode                = var.capacity == "on_demand" ? "PAY_PER_REQUEST" : "PROVISIONED"
  read_capacity               = var.capacity == "on_demand" ? null : var.always_free_units.read
  write_capacity              = var.capacity == "on_demand" ? null : var.always_free_units.write
  hash_key                    = "pk"
  range_key                   = "sk"
  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "S"
  }

  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  # Without this block DynamoDB encrypts with an AWS owned key; `enabled = true` without a key would choose
  # the account's aws/dynamodb key, whose requests are billed.
  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn[*]
    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }
}

resource "aws_dynamodb_table_item" "this" {
  for_each = var.items

  table_name = aws_dynamodb_table.this.name
  hash_key   = aws_dynamodb_table.this.hash_key
  range_key  = aws_dynamodb_table.this.range_key
  item       = each.value
}
