# Destinations as the relay reads them. That these rules agree with the Rust code's is tested from Rust.

run "the_relay_reads_what_the_file_says" {
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
    condition     = length(output.diagnostics) == 0 && join(",", output.names) == "audit,ops,pager"
    error_message = "It is valid: ${join("; ", output.diagnostics)}"
  }
  assert {
    condition = jsondecode(output.json) == {
      destinations = {
        ops   = { kind = "slack", url = "ssm:/portpulse/ops", severities = ["critical", "warning"] }
        pager = { kind = "pagerduty", key = "secretsmanager:pager" }
        audit = { kind = "webhook", url = "https://audit.example.com/x?y=z", key = "ssm:/portpulse/audit", monitors = ["orders-db", "web-*"] }
      }
    }
    error_message = "As it stands, without what is empty: ${output.json}"
  }
  assert {
    condition     = output.secrets == tolist(["secretsmanager:pager", "ssm:/portpulse/audit", "ssm:/portpulse/ops"])
    error_message = "Each secret is named: ${join(", ", output.secrets)}"
  }
}

run "a_secret_in_the_clear_is_refused_and_shown_nowhere" {
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
    condition = output.diagnostics == tolist([
      "destinations.ops.url: cannot be used (put it into a secret, and name that by ssm:/path or secretsmanager:name)",
      "destinations.phone.token: cannot be used (put it into a secret, and name that by ssm:/path or secretsmanager:name)",
      "destinations.phone.topic: cannot be used (put it into a secret, and name that by ssm:/path or secretsmanager:name)",
    ])
    error_message = "Each place is named: ${join("; ", output.diagnostics)}"
  }
  assert {
    condition     = output.json == "{}" && length(output.names) == 0 && !strcontains(join("", output.diagnostics), "hush")
    error_message = "Nothing of a faulty file goes any further."
  }
}

run "nobody_to_tell_is_fine" {
  module { source = "./modules/destinations" }
  variables { destinations = "destinations: {}" }

  assert {
    condition     = length(output.diagnostics) == 0 && length(output.names) == 0 && length(output.secrets) == 0
    error_message = "No destination, no finding."
  }
}

run "what_is_no_yaml_is_refused_and_not_shown" {
  module { source = "./modules/destinations" }
  variables { destinations = "destinations: { ops: { url: https://hush?x, }" }

  assert {
    condition     = output.diagnostics == tolist(["the file is not YAML (check its indentation, brackets and quotes; an address within braces goes in quotes)"])
    error_message = join("; ", output.diagnostics)
  }
}

run "what_is_no_map_is_refused" {
  module { source = "./modules/destinations" }
  variables { destinations = "destinations: [slack]" }

  assert {
    condition     = output.diagnostics == tolist(["destinations: is not a map (write one destination by name)"])
    error_message = join("; ", output.diagnostics)
  }
}
