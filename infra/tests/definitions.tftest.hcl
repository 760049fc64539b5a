# Definitions as items, in their groups. That these agree with the Rust code over many files is tested from Rust.

variables {
  presets = jsondecode(file("./presets.json"))
  regions = ["eu-west-1", "us-east-1", "ap-south-1"]
}

run "an_item_says_what_the_file_says" {
  module { source = "./modules/definitions" }
  variables {
    definitions = <<-EOT
      defaults: { tags: [env=prod], remind_every: 4h }
      monitors:
        orders-db: { host: db.example.com, service: postgres, tier: critical, depends_on: [bastion] }
        bastion: { host: bastion.example.com, port: 22, enabled: false }
      maintenance:
        - { every: sun 02:00, for: 2h, monitors: [bastion] }
    EOT
  }

  assert {
    condition = jsondecode(output.items["orders-db"]) == {
      pk                = { S = "monitors#1m#0" }
      sk                = { S = "orders-db" }
      host              = { S = "db.example.com" }
      service           = { S = "postgres" }
      tier              = { S = "critical" }
      tags              = { L = [{ S = "env=prod" }] }
      remind_every      = { S = "4h" }
      depends_on        = { L = [{ S = "bastion" }] }
      depends_on_groups = { M = { bastion = { S = "5m#0" } } }
    }
    error_message = "Own fields over defaults, no presets: ${output.items["orders-db"]}"
  }
  assert {
    condition = jsondecode(output.items["bastion"]) == {
      pk           = { S = "monitors#5m#0" }
      sk           = { S = "bastion" }
      host         = { S = "bastion.example.com" }
      port         = { N = "22" }
      enabled      = { BOOL = false }
      tags         = { L = [{ S = "env=prod" }] }
      remind_every = { S = "4h" }
      maintenance  = { L = [{ M = { every = { S = "sun 02:00" }, for = { S = "2h" } } }] }
    }
    error_message = "Numbers, booleans and windows keep their types: ${output.items["bastion"]}"
  }
  assert {
    condition     = output.shards == { "1m" = 1, "5m" = 1 }
    error_message = "Each interval that has monitors has a shard."
  }
}

run "the_example_file_is_accepted" {
  module { source = "./modules/definitions" }
  variables { definitions = file("./monitors.yaml") }

  assert {
    condition     = length(output.diagnostics) == 0
    error_message = join("\n", output.diagnostics)
  }
}

run "a_vpc_reaches_what_a_plain_lambda_cannot" {
  module { source = "./modules/definitions" }
  variables {
    vpc_regions = ["eu-west-1"]
    definitions = "monitors: { relay: { host: 10.0.0.1, port: 25, regions: [eu-west-1] } }"
  }

  assert {
    condition     = length(output.diagnostics) == 0
    error_message = join("\n", output.diagnostics)
  }
}

run "what_only_this_deployment_can_know" {
  module { source = "./modules/definitions" }
  variables {
    vpc_regions = ["eu-west-1"]
    definitions = <<-EOT
      monitors:
        elsewhere: { host: a.example.com, port: 1, regions: [eu-west-1, eu-west-2] }
        outvoted: { host: a.example.com, port: 1, quorum: 4 }
        private: { host: 10.0.0.1, port: 2525, regions: [eu-west-1, us-east-1] }
    EOT
  }

  assert {
    condition = join("\n", output.diagnostics) == join("\n", [
      "monitors.elsewhere.locations.1: `eu-west-2` does not check here (add it to the variable `regions`, or take it out)",
      "monitors.outvoted.quorum: 4 can never be met by 3 regions (lower it, or add regions)",
      "monitors.private.host: is not a public address, which a Lambda outside a VPC cannot reach, as in us-east-1 (check it from locations that have a VPC)",
    ])
    error_message = join("\n", output.diagnostics)
  }
}

run "an_id_that_stands_there_twice" {
  module { source = "./modules/definitions" }
  variables {
    definitions = <<-EOT
      # The second would be kept without a word.
      monitors:
        orders-db: { host: a.example.com, port: 1 }

        "queue":
          host: b.example.com
          port: 2
        orders-db:
          host: c.example.com
          port: 3
      defaults:
        tags: [x]
    EOT
  }

  assert {
    condition     = join("\n", output.diagnostics) == "monitors.orders-db: stands there 2 times (keep one, or rename the others)"
    error_message = join("\n", output.diagnostics)
  }
}
