# Destinations: their JSON, secrets and diagnostics. The tests of portpulse-infra-tests compare the rules with the Rust code.

run "valid_file_gives_json_and_secrets" {
  module { source = "./modules/destinations" }
  variables {
    destinations = <<-EOT
      destinations:
        ops: { kind: slack, url: "ssm:/portpulse/ops", severities: [critical, warning], timeout: null }
        pager: { kind: pagerduty, key: "secretsmanager:pager" }
        audit: { kind: webhook, url: "https://audit.example.com/x?y=z", key: "ssm:/portpulse/audit", monitors: [orders-db, "web-*"] }
    EOT
  }

  assert {
    condition     = length(output.diagnostics) == 0 && keys(jsondecode(output.json).destinations) == ["audit", "ops", "pager"]
    error_message = "The file must be valid: ${join("; ", output.diagnostics)}"
  }
  assert {
    condition = jsondecode(output.json) == {
      destinations = {
        ops   = { kind = "slack", url = "ssm:/portpulse/ops", severities = ["critical", "warning"] }
        pager = { kind = "pagerduty", key = "secretsmanager:pager" }
        audit = { kind = "webhook", url = "https://audit.example.com/x?y=z", key = "ssm:/portpulse/audit", monitors = ["orders-db", "web-*"] }
      }
    }
    error_message = "The JSON must have all fields except the empty one: ${output.json}"
  }
  assert {
    condition     = output.secrets == tolist(["secretsmanager:pager", "ssm:/portpulse/audit", "ssm:/portpulse/ops"])
    error_message = "All secrets must be listed: ${join(", ", output.secrets)}"
  }
}

run "plaintext_secret_fails_and_is_not_shown" {
  module { source = "./modules/destinations" }
  variables {
    destinations = <<-EOT
      destinations:
        ops: { kind: slack, url: https://hooks.slack.com/services/T0/B0/hush }
        phone: { kind: ntfy, topic: hush, token: [hush] }
        good: { kind: discord, url: "ssm:/portpulse/good" }
    EOT
  }

  assert {
    condition = [for each in output.diagnostics : split(" (", each)[0]] == [
      "destinations.ops.url: is invalid",
      "destinations.phone.token: is invalid",
      "destinations.phone.topic: is invalid",
    ]
    error_message = "Each invalid field must have a diagnostic: ${join("; ", output.diagnostics)}"
  }
  assert {
    condition     = output.json == "{}" && !strcontains(join("", output.diagnostics), "hush")
    error_message = "An invalid file must give no JSON and no text of a secret."
  }
}

run "no_destination_is_valid" {
  module { source = "./modules/destinations" }
  variables { destinations = "destinations: {}" }

  assert {
    condition     = length(output.diagnostics) == 0 && output.json == "{}" && length(output.secrets) == 0
    error_message = "A file without destinations must have no diagnostics, JSON or secrets."
  }
}

run "invalid_yaml_fails_and_is_not_shown" {
  module { source = "./modules/destinations" }
  variables { destinations = "destinations: { ops: { url: https://hush?x, }" }

  assert {
    condition     = output.diagnostics == tolist(["the file is not YAML (check its indentation, brackets and quotes; write a URL within braces in quotes)"])
    error_message = join("; ", output.diagnostics)
  }
}

run "list_of_destinations_fails" {
  module { source = "./modules/destinations" }
  variables { destinations = "destinations: [slack]" }

  assert {
    condition     = length(output.diagnostics) == 1 && startswith(output.diagnostics[0], "destinations: is invalid (write a map")
    error_message = join("; ", output.diagnostics)
  }
}
