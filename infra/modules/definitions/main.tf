# Reads the definitions file: its diagnostics, its groups, and the item of each monitor. It creates no resource.

locals {
  file    = yamldecode(var.definitions)
  written = try(merge(local.file.monitors), {})
  own     = { for id, fields in local.written : id => try(merge(fields), {}) }

  defaults = try(merge(local.file.defaults), {})

  # The service and the tier set the defaults of other fields. The title of a service is not a field.
  service = {
    for id, own in local.own : id => {
      for field, value in try(var.presets.services[merge(local.defaults, own).service], {}) : field => value if field != "title"
    }
  }
  tier = { for id, own in local.own : id => try(var.presets.tiers[merge(local.defaults, own).tier], {}) }

  # The values of a monitor in order of precedence, the highest last. An empty field is a diagnostic.
  merged = {
    for id, own in local.own : id => merge(
      var.presets.default,
      local.service[id],
      local.tier[id],
      { for field, value in local.defaults : field => value if value != null },
      { for field, value in own : field => value if value != null },
    )
  }

  # The type of a value, from the first character of its JSON: HCL has no function for it.
  kind = {
    for id, fields in local.merged : id => {
      for field, value in fields : field => lookup(local.kind_of, substr(jsonencode(value), 0, 1), "number")
    }
  }
  kind_of = { "\"" = "text", "[" = "list", "{" = "map", t = "bool", f = "bool" }
}

# Groups and shards, as `portpulse-core` computes them.
locals {
  intervals = ["1m", "2m", "5m", "10m", "15m", "30m", "1h"]
  interval  = { for id, good in local.good : id => good.interval if can(good.interval) }

  # An interval has a shard for every 400 monitors.
  counts = { for interval in local.intervals : interval => length([for each in values(local.interval) : each if each == interval]) }
  shards = { for interval, count in local.counts : interval => ceil(count / 400) if count > 0 }

  # A monitor's shard is the first 32 bits of SHA-256 of its id, modulo the interval's number of shards.
  group = {
    for id, interval in local.interval : id => "${interval}#${parseint(substr(sha256(id), 0, 8), 16) % local.shards[interval]}"
  }
}
