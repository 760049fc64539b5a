# Definitions: items, groups and diagnostics. The tests of portpulse-infra-tests compare them with the Rust code over many files.

variables {
  presets = jsondecode(file("./presets.json"))
  regions = ["eu-west-1", "us-east-1", "ap-south-1"]
}

run "items_contain_own_fields_defaults_and_windows" {
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
    error_message = "The item must have the monitor's fields over the defaults, without presets: ${output.items["orders-db"]}"
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
    error_message = "Numbers, booleans and windows must keep their types: ${output.items["bastion"]}"
  }
  assert {
    condition     = output.shards == { "1m" = 1, "5m" = 1 }
    error_message = "Each interval with monitors must have one shard."
  }
}

run "example_file_is_valid" {
  module { source = "./modules/definitions" }
  variables { definitions = file("./monitors.yaml") }

  assert {
    condition     = length(output.diagnostics) == 0
    error_message = join("\n", output.diagnostics)
  }
}

run "private_host_is_valid_in_vpc_region" {
  module { source = "./modules/definitions" }
  variables {
    vpc_regions = ["eu-west-1"]
    definitions = "monitors: { relay: { host: 10.0.0.1, port: 25, locations: [eu-west-1] } }"
  }

  assert {
    condition     = length(output.diagnostics) == 0
    error_message = join("\n", output.diagnostics)
  }
}

run "rules_of_deployment_are_diagnostics" {
  module { source = "./modules/definitions" }
  variables {
    vpc_regions = ["eu-west-1"]
    definitions = <<-EOT
      monitors:
        elsewhere: { host: a.example.com, port: 1, locations: [eu-west-1, eu-west-2] }
        outvoted: { host: a.example.com, port: 1, quorum: 4 }
        private: { host: 10.0.0.1, port: 2525, locations: [eu-west-1, us-east-1] }
    EOT
  }

  assert {
    condition = join("\n", output.diagnostics) == join("\n", [
      "monitors.elsewhere.locations.1: `eu-west-2` is not a region of this deployment (add the region to the variable `regions`, or remove the entry)",
      "monitors.outvoted.quorum: 4 is more than the 3 regions of this deployment (reduce the quorum, or add regions)",
      "monitors.private.host: is not a public address, which a Lambda function outside a VPC cannot reach, as in us-east-1 (check the host from locations with a VPC)",
    ])
    error_message = join("\n", output.diagnostics)
  }
}

run "repeated_id_is_diagnostic" {
  module { source = "./modules/definitions" }
  variables {
    definitions = <<-EOT
      # YAML would silently keep the second.
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
    condition     = join("\n", output.diagnostics) == "monitors.orders-db: is defined 2 times (keep one, or rename the others)"
    error_message = join("\n", output.diagnostics)
  }
}
