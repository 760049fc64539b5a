# The table: what is chosen for the user, and what is refused.

mock_provider "aws" { source = "./tests/mocks" }

variables {
  name = "portpulse"
}

run "on_demand_and_guarded_by_default" {
  command = plan
  module { source = "./modules/table" }

  assert {
    condition     = aws_dynamodb_table.this.billing_mode == "PAY_PER_REQUEST"
    error_message = "A table is paid by the request unless told otherwise."
  }
  assert {
    condition     = [aws_dynamodb_table.this.hash_key, aws_dynamodb_table.this.range_key, one(aws_dynamodb_table.this.ttl).attribute_name] == ["pk", "sk", "expires_at"]
    error_message = "The keys are pk and sk, the expiry is expires_at."
  }
  assert {
    condition     = one(aws_dynamodb_table.this.point_in_time_recovery).enabled && aws_dynamodb_table.this.deletion_protection_enabled
    error_message = "Recovery and deletion protection are on unless told otherwise."
  }
}

run "always_free_stays_within_the_free_units" {
  command = plan
  module { source = "./modules/table" }
  variables {
    capacity          = "always_free"
    always_free_units = { read = 25, write = 20 }
  }

  assert {
    condition     = [aws_dynamodb_table.this.billing_mode, aws_dynamodb_table.this.read_capacity, aws_dynamodb_table.this.write_capacity] == ["PROVISIONED", 25, 20]
    error_message = "The units asked for are provisioned."
  }
}

run "a_key_of_ones_own_encrypts_the_table" {
  command = plan
  module { source = "./modules/table" }
  variables { kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1" }

  assert {
    condition     = one(aws_dynamodb_table.this.server_side_encryption).kms_key_arn == "arn:aws:kms:eu-west-1:123456789012:key/1"
    error_message = "The key is used."
  }
}

run "units_that_cost_are_refused" {
  command = plan
  module { source = "./modules/table" }
  variables { always_free_units = { read = 5, write = 26 } }
  expect_failures = [var.always_free_units]
}

run "an_unknown_capacity_is_refused" {
  command = plan
  module { source = "./modules/table" }
  variables { capacity = "provisioned" }
  expect_failures = [var.capacity]
}

run "a_key_that_is_no_arn_is_refused" {
  command = plan
  module { source = "./modules/table" }
  variables { kms_key_arn = "alias/mine" }
  expect_failures = [var.kms_key_arn]
}
