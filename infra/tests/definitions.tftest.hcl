# Definitions: items, groups and diagnostics. The tests of portpulse-infra-tests compare them with the Rust code over many files.

variables {
  locations = ["eu-west-1", "us-east-1", "ap-south-1"]
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

run "secrets_are_named" {
  module { source = "./modules/definitions" }
  variables {
    definitions = <<-EOT
      defaults: { http: { bearer_token: "ssm:/portpulse/all" } }
      monitors:
        shop: { host: shop.example.com, service: https, http: { secret_headers: { X-Key: "secretsmanager:shop/key" } } }
        api: { host: api.example.com, service: https, http: { basic_auth: { username: a, password: "ssm:/portpulse/api" }, body: "not ssm:/this" } }
    EOT
    monitors    = { own = { host = "own.example.com", service = "https", http = { bearer_token = "ssm:/portpulse/own" } } }
  }

  assert {
    condition     = output.secrets == tolist(["secretsmanager:shop/key", "ssm:/portpulse/all", "ssm:/portpulse/api", "ssm:/portpulse/own"])
    error_message = "Each secret must be named once: ${jsonencode(output.secrets)}"
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
    networks    = { eu-west-1 = { port_25 = true } }
    definitions = "monitors: { relay: { host: 10.0.0.1, port: 25, locations: [eu-west-1] } }"
  }

  assert {
    condition     = length(output.diagnostics) == 0
    error_message = join("\n", output.diagnostics)
  }
}

run "port_25_and_ipv6_are_invalid_in_vpc_without_them" {
  module { source = "./modules/definitions" }
  variables {
    networks    = { eu-west-1 = {} }
    definitions = <<-EOT
      monitors:
        mail: { host: 10.0.0.1, port: 25, locations: [eu-west-1] }
        six: { host: six.example.com, port: 1, ip: v6, locations: [eu-west-1] }
    EOT
  }

  assert {
    condition     = [for each in output.diagnostics : split(" from", each)[0]] == ["monitors.mail.port: AWS blocks port 25", "monitors.six.ip: IPv6 cannot be reached"]
    error_message = join("\n", output.diagnostics)
  }
}

run "rules_of_deployment_are_diagnostics" {
  module { source = "./modules/definitions" }
  variables {
    networks    = { eu-west-1 = { port_25 = true } }
    definitions = <<-EOT
      monitors:
        elsewhere: { host: a.example.com, port: 1, locations: [eu-west-1, eu-wset-1] }
        outvoted: { host: a.example.com, port: 1, quorum: 5 }
        private: { host: 10.0.0.1, port: 2525, locations: [eu-west-1, us-east-1] }
        mail: { host: mail.example.com, service: smtp }
        six: { host: "2001:db8::1", port: 1, ip: v6, locations: [eu-west-1] }
        echo: { host: a.example.com, check: ping }
        echo-near: { host: 10.0.0.1, check: ping, locations: [office] }
    EOT
    agents      = ["office"]
  }

  assert {
    condition = join("\n", output.diagnostics) == join("\n", [
      "monitors.echo.check: ICMP cannot be sent from eu-west-1, us-east-1, ap-south-1 (name only agents in `locations`, or write `expect: reachable` and a port)",
      "monitors.elsewhere.locations.1: \"eu-wset-1\" is invalid (did you mean `eu-west-1`? write one of eu-west-1, us-east-1, ap-south-1, office: these are deployed; add another region to the variable `regions`, or an agent to `agents`)",
      "monitors.mail.port: AWS blocks port 25 from us-east-1, ap-south-1 (use port 587 or 465, or set `port_25` in the VPC's settings once AWS has lifted the block for it)",
      "monitors.outvoted.quorum: 5 is invalid (write a whole number from 1 to 4: at most the number of locations that are deployed)",
      "monitors.private.host: a private address cannot be reached from us-east-1 (check it from locations with a VPC)",
      "monitors.six.host: IPv6 cannot be reached from eu-west-1 (use IPv4, or a VPC with IPv6)",
      "monitors.six.ip: IPv6 cannot be reached from eu-west-1 (use v4, or a VPC with IPv6)",
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

run "monitors_of_variable_and_file_are_merged" {
  module { source = "./modules/definitions" }
  variables {
    definitions = "{ defaults: { tags: [env=prod] }, monitors: { bastion: { host: bastion.example.com, service: ssh } } }"
    monitors = {
      orders-db = { host = "db.example.com", service = "postgres", tier = "critical", depends_on = ["bastion"], runbook = null }
      queue     = { host = "queue.example.com", port = 9000, http = null }
    }
  }

  assert {
    condition     = length(output.diagnostics) == 0 && alltrue([for text in values(output.variable_diagnostics) : text == ""])
    error_message = join("\n", concat(output.diagnostics, values(output.variable_diagnostics)))
  }
  assert {
    condition = jsondecode(output.items["orders-db"]) == {
      pk                = { S = "monitors#1m#0" }
      sk                = { S = "orders-db" }
      host              = { S = "db.example.com" }
      service           = { S = "postgres" }
      tier              = { S = "critical" }
      tags              = { L = [{ S = "env=prod" }] }
      depends_on        = { L = [{ S = "bastion" }] }
      depends_on_groups = { M = { bastion = { S = "5m#0" } } }
    }
    error_message = "A monitor of the variable must have the defaults of the file, and no field that is null: ${output.items["orders-db"]}"
  }
  assert {
    condition     = join(",", keys(output.groups)) == "bastion,orders-db,queue" && jsondecode(output.items["queue"]).port.N == "9000"
    error_message = "All monitors must have a group: ${jsonencode(output.groups)}"
  }
}

run "mistakes_in_variable_are_named_by_place" {
  module { source = "./modules/definitions" }
  variables {
    definitions = "monitors: { orders-db: { host: db.example.com, service: postgres } }"
    monitors = {
      orders-db = { host = "db.example.com", service = "postgres" }
      Cache     = { host = "cache.example.com", service = "reddis" }
      queue     = { host = "queue.example.com", hots = "queue.example.com", port = "9000" }
      odd       = { host = "10.0.0.1", port = 1, interval = "3m" }
      text      = "host"
    }
  }

  assert {
    condition = join("\n", [for each in concat(output.diagnostics, compact(values(output.variable_diagnostics))) : split(" (", each)[0]]) == join("\n", [
      "monitors.Cache: is not a valid name",
      "monitors.odd: has no valid interval",
      "monitors.orders-db: is defined in the file and in the variable `monitors`",
      "monitors.text: has no valid interval",
      "monitors.Cache.service: \"reddis\" is invalid",
      "monitors.odd.interval: \"3m\" is invalid",
      "monitors.queue.hots: unknown field",
      "monitors.queue.port: \"9000\" is invalid",
      "monitors.text: \"host\" is invalid",
      "monitors.odd.host: a private address cannot be reached from eu-west-1, us-east-1, ap-south-1",
    ])
    error_message = join("\n", concat(output.diagnostics, compact(values(output.variable_diagnostics))))
  }
  assert {
    condition     = strcontains(join("\n", values(output.variable_diagnostics)), "did you mean `redis`?")
    error_message = "The diagnostic of a misspelt value must name the most similar one: ${join("\n", values(output.variable_diagnostics))}"
  }
}
