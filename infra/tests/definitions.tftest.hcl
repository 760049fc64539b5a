# Definitions as items, in their groups. That these agree with the Rust code over many files is tested from Rust.

mock_provider "aws" { source = "./tests/mocks" }

variables {
  presets    = jsondecode(file("./presets.json"))
  regions    = ["eu-west-1", "us-east-1", "ap-south-1"]
  table_name = "portpulse"
}

run "an_item_says_what_the_file_says" {
  module { source = "./modules/definitions" }
  variables {
    definitions = <<-EOT
      defaults: { tags: [env=prod], remind_every: 4h }
      monitors:
        orders-db: { host: db.example.com, service: postgres, tier: critical, depends_on: [bastion], remind_every: ~ }
        bastion: { host: bastion.example.com, port: 22, enabled: false }
      maintenance:
        - { every: sun 02:00, for: 2h, monitors: [bastion] }
    EOT
  }

  assert {
    condition = jsondecode(aws_dynamodb_table_item.monitor["orders-db"].item) == {
      pk                = { S = "monitors#1m#0" }
      sk                = { S = "orders-db" }
      host              = { S = "db.example.com" }
      service           = { S = "postgres" }
      tier              = { S = "critical" }
      tags              = { L = [{ S = "env=prod" }] }
      depends_on        = { L = [{ S = "bastion" }] }
      depends_on_groups = { M = { bastion = { S = "5m#0" } } }
    }
    error_message = "Own fields over defaults, no presets, nulls dropped: ${aws_dynamodb_table_item.monitor["orders-db"].item}"
  }
  assert {
    condition = jsondecode(aws_dynamodb_table_item.monitor["bastion"].item) == {
      pk           = { S = "monitors#5m#0" }
      sk           = { S = "bastion" }
      host         = { S = "bastion.example.com" }
      port         = { N = "22" }
      enabled      = { BOOL = false }
      tags         = { L = [{ S = "env=prod" }] }
      remind_every = { S = "4h" }
      maintenance  = { L = [{ M = { every = { S = "sun 02:00" }, for = { S = "2h" } } }] }
    }
    error_message = "Numbers, booleans and windows keep their types: ${aws_dynamodb_table_item.monitor["bastion"].item}"
  }
  assert {
    condition     = output.shards == { "1m" = 1, "5m" = 1 }
    error_message = "Each interval that has monitors has a shard."
  }
}

run "the_example_file_is_accepted" {
  command = plan
  module { source = "./modules/definitions" }
  variables { definitions = file("./monitors.yaml") }
}

run "a_vpc_reaches_what_a_plain_lambda_cannot" {
  command = plan
  module { source = "./modules/definitions" }
  variables {
    vpc_regions = ["eu-west-1"]
    definitions = "monitors: { relay: { host: 10.0.0.1, port: 25, regions: [eu-west-1] } }"
  }
}

run "a_private_address_is_refused_where_one_region_has_no_vpc" {
  command = plan
  module { source = "./modules/definitions" }
  variables {
    vpc_regions = ["eu-west-1"]
    definitions = "monitors: { relay: { host: 10.0.0.1, port: 2525, regions: [eu-west-1, us-east-1] } }"
  }
  expect_failures = [output.shards]
}

run "a_region_that_does_not_check_is_refused" {
  command = plan
  module { source = "./modules/definitions" }
  variables { definitions = "monitors: { a: { host: a.example.com, port: 1, regions: [eu-west-2] } }" }
  expect_failures = [output.shards]
}

run "a_quorum_that_cannot_be_met_is_refused" {
  command = plan
  module { source = "./modules/definitions" }
  variables { definitions = "monitors: { a: { host: a.example.com, port: 1, quorum: 4 } }" }
  expect_failures = [output.shards]
}
