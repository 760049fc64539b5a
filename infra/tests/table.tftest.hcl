# The table: its defaults, and the settings that it rejects.

mock_provider "aws" { source = "./tests/mocks" }

variables {
  name = "portpulse"
}

run "defaults_are_on_demand_and_protected" {
  command = plan
  module { source = "./modules/table" }

  assert {
    condition     = aws_dynamodb_table.this.billing_mode == "PAY_PER_REQUEST"
    error_message = "The default capacity mode must be on demand."
  }
  assert {
    condition     = [aws_dynamodb_table.this.hash_key, aws_dynamodb_table.this.range_key, one(aws_dynamodb_table.this.ttl).attribute_name] == ["pk", "sk", "expires_at"]
    error_message = "The keys must be pk and sk, and the TTL attribute expires_at."
  }
  assert {
    condition     = one(aws_dynamodb_table.this.point_in_time_recovery).enabled && aws_dynamodb_table.this.deletion_protection_enabled
    error_message = "Point-in-time recovery and deletion protection must be enabled by default."
  }
}

run "always_free_provisions_given_units" {
  command = plan
  module { source = "./modules/table" }
  variables {
    capacity          = "always_free"
    always_free_units = { read = 25, write = 20 }
  }

  assert {
    condition     = [aws_dynamodb_table.this.billing_mode, aws_dynamodb_table.this.read_capacity, aws_dynamodb_table.this.write_capacity] == ["PROVISIONED", 25, 20]
    error_message = "The given units must be provisioned."
  }
}

run "customer_managed_key_encrypts_table" {
  command = plan
  module { source = "./modules/table" }
  variables { kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1" }

  assert {
    condition     = one(aws_dynamodb_table.this.server_side_encryption).kms_key_arn == "arn:aws:kms:eu-west-1:123456789012:key/1"
    error_message = "The table must be encrypted with the given key."
  }
}

run "always_free_units_above_free_tier_fail" {
  command = plan
  module { source = "./modules/table" }
  variables { always_free_units = { read = 5, write = 26 } }
  expect_failures = [var.always_free_units]
}

run "unknown_capacity_fails" {
  command = plan
  module { source = "./modules/table" }
  variables { capacity = "provisioned" }
  expect_failures = [var.capacity]
}

run "kms_key_alias_fails" {
  command = plan
  module { source = "./modules/table" }
  variables { kms_key_arn = "alias/mine" }
  expect_failures = [var.kms_key_arn]
}
