# The type of each field of a monitor: `good` holds the valid values, and the rules read only these.

locals {
  choices = {
    service  = keys(var.presets.services)
    tier     = keys(var.presets.tiers)
    interval = local.intervals
    expect   = ["open", "closed", "reachable"]
    check    = ["connect", "ready"]
    severity = ["critical", "warning", "info"]
    ip       = ["any", "v4", "v6"]
    close    = ["fin", "quiet"]
  }
  numbers = {
    port               = [1, 65535]
    failures_to_open   = [1, 10]
    successes_to_close = [1, 10]
    quorum             = [1, 100]
    warn_days          = [0, 365]
    flapping_after     = [0, 20]
  }
  # In milliseconds.
  durations = {
    timeout        = [100, 30000]
    slow_after     = [1, local.year]
    remind_every   = [300000, local.year]
    escalate_after = [60000, local.year]
  }
  texts = {
    host    = { pattern = "^.*$", max_length = 255 }
    runbook = { pattern = "^https?://[!#-;=?-_a-~]+$", max_length = 500 }
  }
  # The pattern of each entry.
  lists = {
    locations  = "^[a-z0-9][a-z0-9-]{0,31}$"
    tags       = "^[A-Za-z0-9_.:/=-]{1,64}$"
    depends_on = local.monitor_id
  }
  max_list_length = 50
  wanted = merge(
    { for field, choices in local.choices : field => "one of ${join(", ", choices)}${contains(["check", "service"], field) ? "; for a ping, write `expect: reachable`" : ""}" },
    { for field, range in local.numbers : field => "a whole number from ${join(" to ", range)}" },
    {
      host           = "a DNS name or an address"
      timeout        = "a duration from 100ms to 30s"
      slow_after     = "a duration such as 200ms"
      remind_every   = "a duration of at least 5m"
      runbook        = "an http:// or https:// URL of at most 500 characters"
      locations      = "a list of at least one location, such as [eu-west-1, us-east-1]"
      tags           = "a list of tags of 1 to 64 letters, digits and -_.:/="
      depends_on     = "a list of monitor ids, such as [one, two]"
      enabled        = "true or false"
      tls            = "true, false or starttls"
      http           = "a map such as { path: /health, status: 200 }"
      dns            = "a map such as { name: example.com, type: A, must: [192.0.2.1] }"
      script         = "a list such as [{ send: \"PING\\r\\n\" }, { expect: PONG }]"
      escalate_after = "a duration of at least 1m"
    },
  )

  monitor_id = "^[a-z0-9][a-z0-9_.-]{0,63}$"
  duration   = "^([0-9]{1,15})(ms|s|m|h|d)$"
  unit       = { ms = 1, s = 1000, m = 60000, h = 3600000, d = 86400000 }
  year       = 366 * 86400000

  ms = {
    for id, fields in local.merged : id => {
      for field in keys(local.durations) : field => regex(local.duration, fields[field])[0] * local.unit[regex(local.duration, fields[field])[1]]
      if can(regex(local.duration, fields[field]))
    }
  }

  # A host is an IPv4 address, an IPv6 address, with or without brackets, or a name of RFC 1123.
  octet   = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
  label   = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
  private = "^(0|10|100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])|127|169\\.254|172\\.(1[6-9]|2[0-9]|3[01])|192\\.0\\.0|192\\.168|198\\.1[89]|22[4-9]|2[3-5][0-9])\\."
  bare    = { for id, fields in local.merged : id => try(replace(fields.host, "/^\\[(.*)\\]$/", "$1"), "") }
  host = {
    for id, bare in local.bare : id => (
      can(regex("^(${local.octet}\\.){3}${local.octet}$", bare)) ? "v4"
      : can(cidrhost("${bare}/128", 0)) ? "v6"
      : can(regex("^${local.label}(\\.${local.label})*\\.?$", local.merged[id].host)) && !can(regex("^[0-9.]*$", bare)) && length(trimsuffix(bare, ".")) <= 253 ? "name"
      : "bad"
    )
  }

  good = {
    for id, fields in local.merged : id => merge(
      { for field, choices in local.choices : field => fields[field] if try(local.kind[id][field] == "text" && contains(choices, fields[field]), false) },
      {
        for field, range in local.numbers : field => fields[field]
        if try(local.kind[id][field] == "number" && floor(fields[field]) == fields[field] && fields[field] >= range[0] && fields[field] <= range[1], false)
      },
      {
        for field, range in local.durations : field => fields[field]
        if try(local.ms[id][field] >= range[0] && local.ms[id][field] <= range[1], false)
      },
      {
        for field, text in local.texts : field => fields[field]
        if try(local.kind[id][field] == "text" && can(regex(text.pattern, fields[field])) && length(fields[field]) <= text.max_length && !(field == "host" && local.host[id] == "bad"), false)
      },
      {
        for field, pattern in local.lists : field => fields[field]
        if try(local.kind[id][field] == "list" && length(fields[field]) <= local.max_list_length, false) && length(try(local.bad_entries[id][field], [])) == 0
      },
      { for field in ["enabled"] : field => fields[field] if try(local.kind[id][field] == "bool", false) },
      { for field in ["tls"] : field => fields[field] if try(local.kind[id][field] == "bool" || fields[field] == "starttls", false) },
      { for field in ["http", "dns"] : field => fields[field] if try(local.kind[id][field] == "map", false) },
      { for field in ["script"] : field => fields[field] if try(local.kind[id][field] == "list", false) },
    )
  }

  # The invalid entries of a list.
  bad_entries = {
    for id, fields in local.merged : id => {
      for field, pattern in local.lists : field => [
        for index, text in try(concat(fields[field], []), []) : index if substr(jsonencode(text), 0, 1) != "\"" || !can(regex(pattern, text))
      ]
    }
  }
}
