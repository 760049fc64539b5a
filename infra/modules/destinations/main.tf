# Reads the destinations file: its diagnostics and the names of its secrets. It creates no resource.

locals {
  # An error of `yamldecode` would print the text, which may contain a secret.
  is_yaml = can(yamldecode(var.destinations))
  file    = try(yamldecode(var.destinations), {})
  written = try(merge(local.file.destinations), {})

  # An empty field counts as absent.
  own = {
    for name, fields in local.written : name => { for field, value in try(merge(fields), {}) : field => value if value != null }
  }

  # The type of a value, from the first character of its JSON: HCL has no function for it.
  kind_of = { "\"" = "text", "[" = "list", "{" = "map", t = "bool", f = "bool" }
  type = {
    for name, fields in local.own : name => {
      for field, value in fields : field => lookup(local.kind_of, substr(jsonencode(value), 0, 1), "number")
    }
  }

  # Required and optional fields of each kind of destination, beside the common ones.
  kinds = {
    slack       = { required = { url = "secret" }, optional = {} }
    discord     = { required = { url = "secret" }, optional = {} }
    teams       = { required = { url = "secret" }, optional = {} }
    google_chat = { required = { url = "secret" }, optional = {} }
    telegram    = { required = { token = "secret", chat = "chat" }, optional = { server = "server" } }
    pagerduty   = { required = { key = "secret" }, optional = { server = "server" } }
    opsgenie    = { required = { key = "secret" }, optional = { server = "server" } }
    ntfy        = { required = { topic = "secret" }, optional = { token = "secret", server = "server" } }
    webhook     = { required = { url = "address", key = "secret" }, optional = {} }
  }
  common = { kind = "kind", severities = "severities", tags = "tags", monitors = "monitors", timeout = "timeout" }
  takes = {
    for name, fields in local.own : name => try(merge(local.common, local.kinds[fields.kind].required, local.kinds[fields.kind].optional), {})
  }

  # The form of each field. A URL is https, or http on loopback, without user information.
  secret  = "(ssm:/[A-Za-z0-9_.\\-/]*|secretsmanager:[A-Za-z0-9_.\\-/+=@]{1,512})"
  address = "(https://[^/?#@\\s]+|http://(localhost|127\\.[0-9.]+|\\[::1\\])(:[0-9]+)?)"
  patterns = {
    secret  = "^${local.secret}$"
    address = "^(${local.address}([/?][!-~]*)?|${local.secret})$"
    server  = "^${local.address}(/[^?#\\s]*)?$"
    chat    = "^(-?[0-9]{1,20}|@[A-Za-z0-9_]{1,64})$"
    kind    = "^(${join("|", keys(local.kinds))})$"
    timeout = "^([1-9][0-9]{2,3}ms|[12][0-9]{4}ms|30000ms|([1-9]|[12][0-9]|30)s)$"
  }
  entries = {
    severities = "^(critical|warning|info)$"
    tags       = "."
    monitors   = "^[a-z0-9_.-]{0,64}\\*?$"
  }
  wanted = {
    secret     = "store the value in a secret and write its name: ssm:/path or secretsmanager:name"
    address    = "write a URL that starts with https://, or store the URL in a secret and write its name: ssm:/path or secretsmanager:name"
    server     = "write a URL that starts with https://"
    chat       = "write the number of a chat, such as \"-1001234567890\", or the @name of a channel, in quotes"
    kind       = "write one of ${join(", ", keys(local.kinds))}"
    timeout    = "write a duration from 100ms to 30s"
    severities = "write a list such as [critical, warning]"
    tags       = "write a list such as [prod, eu]"
    monitors   = "write a list such as [orders-db, \"web-*\"]"
  }

  # Whether each known field is valid.
  good = {
    for name, fields in local.own : name => {
      for field, value in fields : field => (
        can(local.entries[local.takes[name][field]])
        ? local.type[name][field] == "list" && length(value) > 0 && alltrue([
          for entry in try(concat(value, []), []) : substr(jsonencode(entry), 0, 1) == "\"" && can(regex(local.entries[local.takes[name][field]], entry))
        ])
        : local.type[name][field] == "text" && can(regex(local.patterns[local.takes[name][field]], value))
      )
      if can(local.takes[name][field])
    }
  }

  secrets = sort(distinct(flatten([
    for name, fields in local.own : [
      for field, value in fields : value
      if contains(["secret", "address"], try(local.takes[name][field], "")) && can(regex(local.patterns.secret, value))
    ]
  ])))
}

# The rules of the relay, all diagnostics together. They contain no values, because a value may be a secret.
locals {
  diagnostics = sort(concat(
    local.is_yaml ? [] : ["the file is not YAML (check its indentation, brackets and quotes; write a URL within braces in quotes)"],
    can(keys(local.file)) ? [] : ["the file is not a map (write `destinations:` and below it each destination by its name)"],
    [
      for name in try(keys(local.file), []) : "${name}: unknown field (write `destinations:` and below it each destination by its name)"
      if name != "destinations"
    ],
    can(merge(local.file.destinations)) || try(local.file.destinations, null) == null ? [] : ["destinations: is not a map (write each destination by its name)"],
    length(local.written) <= 50 ? [] : ["destinations: has ${length(local.written)} destinations (use at most 50)"],
    flatten([
      for name, fields in local.own : concat(
        can(regex("^[a-z0-9][a-z0-9-]{0,31}$", name)) ? [] : ["destinations.${name}: is not a valid destination name (use 1 to 32 of a-z, 0-9 and `-`, starting with a letter or digit)"],
        can(keys(local.written[name])) ? [] : ["destinations.${name}: is not a map (write the fields of the destination, starting with `kind`)"],
        can(local.kinds[fields.kind]) || !can(keys(local.written[name])) ? [] : ["destinations.${name}.kind: is missing or unknown (${local.wanted.kind})"],
        [
          for field, takes in try(local.kinds[fields.kind].required, {}) : "destinations.${name}.${field}: is missing (${local.wanted[takes]})"
          if !can(fields[field])
        ],
        [
          for field in keys(fields) : "destinations.${name}.${field}: unknown field (remove the field; known fields: ${join(", ", keys(local.takes[name]))})"
          if length(local.takes[name]) > 0 && !can(local.takes[name][field])
        ],
        [
          for field, good in local.good[name] : "destinations.${name}.${field}: is invalid (${local.wanted[local.takes[name][field]]})"
          if !good
        ],
      )
    ]),
  ))
}
