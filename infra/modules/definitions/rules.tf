# The rules of `portpulse validate`, as far as HCL can express them; all diagnostics are reported together, as
# `place: what is wrong (help)`. HCL knows no time zones, and finds cycles of at most 32 monitors.

locals {
  diagnostics = sort(distinct(concat(
    local.file_diagnostics,
    local.field_diagnostics,
    local.option_diagnostics,
    local.monitor_diagnostics,
    local.dependency_diagnostics,
    local.window_diagnostics,
    local.deployment_diagnostics,
  )))

  # Where a field was written: in the monitor, or in `defaults:`.
  place = {
    for id, own in local.own : id => {
      for field in distinct(concat(keys(local.wanted), keys(own), keys(local.defaults))) :
      field => !can(own[field]) && can(local.defaults[field]) ? "defaults.${field}" : "monitors.${id}.${field}"
    }
  }

  # The file as a whole.
  file_diagnostics = concat(
    can(keys(local.file)) ? [] : ["the file is not a map (begin it with `monitors:`)"],
    [
      for name in try(keys(local.file), []) : "${name}: is not known here (the top of the file has `monitors`, `defaults` and `maintenance`)"
      if !contains(["monitors", "defaults", "maintenance"], name)
    ],
    can(merge(local.file.defaults)) || !can(local.file.defaults) ? [] : ["defaults: is not a map of fields (write `defaults: { tier: … }`)"],
    [
      for field in ["host", "script", "depends_on"] : "defaults.${field}: belongs to one monitor (move it to the monitors that it is meant for)"
      if can(local.defaults[field])
    ],
    length(local.written) > 0 || !can(keys(local.file)) ? [] : ["monitors: there is nothing to watch (write `id: { host: …, port: … }` for each port to watch)"],
    [
      for id, fields in local.written : "monitors.${id}: is not a map of fields (write it as `id: { host: …, port: … }`)"
      if !can(keys(fields))
    ],
    [
      for id in keys(local.own) : "monitors.${id}: `${id}` is not a monitor id (rename it: use 1 to 64 of a-z, 0-9, `-`, `_` and `.`, beginning with a letter or digit)"
      if !can(regex(local.monitor_id, id))
    ],
    [
      for id, lines in local.headings : "monitors.${id}: stands there ${length(lines)} times (keep one, or rename the others)"
      if length(lines) > 1
    ],
  )

  # `yamldecode` silently keeps the last of two equal keys: look for the ids in the text, as far as the file
  # is written in block style, where all ids are indented like the first.
  block    = try(regex("(?ms)^monitors:[^\\n]*\\n(.*?)(?:^[^\\s#]|\\z)", "${var.definitions}\n")[0], "")
  indent   = try(regex("(?m)^( +)[^\\s#]", local.block)[0], "none")
  headings = { for line in regexall("(?m)^${local.indent}[\"']?([A-Za-z0-9_.-]+)[\"']?\\s*:", local.block) : line[0] => line[0]... }

  # Each field by itself.
  field_diagnostics = flatten([
    for id, own in local.own : concat(
      [
        for field in distinct(concat(keys(own), keys(local.defaults))) : "${local.place[id][field]}: is not a field of a monitor (known fields: ${join(", ", keys(local.wanted))})"
        if !contains(keys(local.wanted), field)
      ],
      [
        for field in distinct(concat(keys(own), keys(local.defaults))) : "${local.place[id][field]}: is empty (write ${local.wanted[field]}, or leave the field out)"
        if contains(keys(local.wanted), field) && (try(own[field] == null, false) || try(local.defaults[field] == null, false))
      ],
      [
        for field, help in { host = "write the DNS name or address to watch", port = "write a port, or a `service` that has one" } : "${local.place[id][field]}: is missing (${help})"
        if !can(local.merged[id][field]) && can(keys(local.written[id])) && !can(own[field]) && !can(local.defaults[field])
        # The service that sets the port is unknown, which is a diagnostic already.
        && !(field == "port" && can(merge(local.defaults, own).service) && !can(local.good[id].service))
      ],
      [
        for field, value in local.merged[id] : "${local.place[id][field]}: ${substr(jsonencode(value), 0, 80)} cannot be used (write ${local.wanted[field]})"
        if contains(keys(local.wanted), field) && !can(local.good[id][field]) && length(try(local.bad_entries[id][field], [])) == 0
      ],
      flatten([
        for field, bad in local.bad_entries[id] : [
          for index in bad : "${local.place[id][field]}.${index}: ${substr(jsonencode(local.merged[id][field][index]), 0, 80)} cannot be used (write ${local.wanted[field]})"
        ]
      ]),
    )
  ])

  # Fields against each other.
  monitor_diagnostics = flatten([
    for id, good in local.good : [
      for rule in concat(local.fitting_rules[id], [
        {
          field = "locations"
          wrong = try(length(good.locations) == 0, false)
          what  = "is empty, so nobody would check it"
          help  = "name at least one region, or leave it out"
        },
        {
          field = "slow_after"
          wrong = can(good.slow_after) && try(local.ms[id].slow_after >= local.ms[id].timeout, false)
          what  = "${try(good.slow_after, "")} is not below the timeout of ${try(local.merged[id].timeout, "")}"
          help  = "a check that slow has already failed: lower it"
        },
        {
          field = "quorum"
          wrong = try(length(good.locations) > 0 && good.quorum > length(distinct(good.locations)), false)
          what  = "${try(good.quorum, "")} can never be met by ${try(length(distinct(good.locations)), "")} regions"
          help  = "lower it, or name more regions"
        },
        {
          field = "ip"
          wrong = try(good.ip == { v4 = "v6", v6 = "v4" }[local.host[id]], false)
          what  = "excludes the host, which is an address of the other family"
          help  = "leave `ip` out"
        },
        {
          field = "check"
          wrong = try(good.check == "ready" && good.expect != "open" && local.wrote_check[id] && can(good.close), false)
          what  = "ready does not go with expect: ${try(good.expect, "")}"
          help  = "use check: connect"
        },
        {
          field = "check"
          wrong = try(good.check == "ready" && good.expect == "open" && !local.wrote_service[id] && !local.scripted[id] && can(good.close), false)
          what  = "ready needs to know the service"
          help  = "add `service`"
        },
        {
          field = "close"
          wrong = try(local.asks[id] && good.close == "quiet", false)
          what  = "quiet ends a connection before the service sees it, so nothing can be asked"
          help  = "use check: connect with it, or leave it out"
        },
        {
          field = local.wrote_check[id] ? "check" : "port"
          wrong = try(
            local.asks[id] ? try(good.port, 0) == 3306 && (local.scripted[id] || try(good.service, "") == "tls")
            : (try(good.port, 0) == 3306 || contains(["mysql", "mariadb"], try(good.service, ""))) && good.close == "fin"
            && (good.check == "connect" ? good.expect != "closed" : good.expect == "reachable" && !local.wrote_check[id]),
            false
          )
          what = "MySQL and MariaDB ban a client that connects and hangs up"
          help = "add service: mysql with check: ready, or close: quiet"
        },
        {
          field = "port"
          wrong = try(good.port == 25 && local.plain[id] != "", false)
          what  = "25 is blocked by AWS for a Lambda outside a VPC, as in ${local.plain[id]}"
          help  = "use port 587 or 465, or ${local.vpc_help}"
        },
        {
          field = "ip"
          wrong = try(local.host[id] == "name" && good.ip == "v6" && local.plain[id] != "", false)
          what  = "v6 asks for IPv6, which a Lambda outside a VPC cannot reach, as in ${local.plain[id]}"
          help  = "use v4, or ${local.vpc_help}"
        },
        {
          field = "host"
          wrong = try(can(good.host) && local.host[id] == "v6" && local.plain[id] != "", false)
          what  = "is an IPv6 address, which a Lambda outside a VPC cannot reach, as in ${local.plain[id]}"
          help  = "use IPv4, or ${local.vpc_help}"
        },
        {
          field = "host"
          wrong = try(local.host[id] == "v4" && can(regex(local.private, local.bare[id])) && local.plain[id] != "", false)
          what  = "is not a public address, which a Lambda outside a VPC cannot reach, as in ${local.plain[id]}"
          help  = local.vpc_help
        },
        {
          field = "host"
          wrong = can(good.host) && can(regex("^(?i:(.*\\.)?localhost\\.?)$", local.bare[id])) && local.plain[id] != ""
          what  = "is the Lambda itself"
          help  = "name a host that is elsewhere"
        },
      ]) : "${local.place[id][rule.field]}: ${rule.what} (${rule.help})" if rule.wrong
    ]
  ])
  vpc_help = "check it from locations that have a VPC"

  # The first region without a VPC that would check the monitor, or "".
  plain = {
    for id, good in local.good : id => join("", slice(concat([
      for region in var.regions : region if !contains(var.vpc_regions, region) && (length(try(good.locations, [])) == 0 || contains(try(good.locations, []), region))
    ], [""]), 0, 1))
  }

  # Unknown dependencies, and cycles.
  named      = { for id, own in local.own : id => [for parent in try(concat(own.depends_on, []), []) : try(tostring(parent), "")] }
  parents_of = { for id, named in local.named : id => [for parent in named : parent if can(local.written[parent]) && parent != id] }
  within_2   = { for id, above in local.parents_of : id => distinct(concat(above, flatten([for each in above : local.parents_of[each]]))) }
  within_4   = { for id, above in local.within_2 : id => distinct(concat(above, flatten([for each in above : local.within_2[each]]))) }
  within_8   = { for id, above in local.within_4 : id => distinct(concat(above, flatten([for each in above : local.within_4[each]]))) }
  within_16  = { for id, above in local.within_8 : id => distinct(concat(above, flatten([for each in above : local.within_8[each]]))) }
  within_32  = { for id, above in local.within_16 : id => distinct(concat(above, flatten([for each in above : local.within_16[each]]))) }
  # Monitors that are both ancestors and descendants of a monitor, itself included: its cycles.
  knot = { for id, above in local.within_32 : id => sort([for each in above : each if contains(local.within_32[each], id)]) }

  dependency_diagnostics = concat(
    flatten([
      for id, named in local.named : [
        for index, parent in named : (
          parent == id ? "monitors.${id}.depends_on.${index}: names the monitor itself (name what stands in front of it, or leave it out)"
          : "monitors.${id}.depends_on.${index}: `${parent}` is no monitor of this file (name one that is)"
        ) if !can(local.written[parent]) && can(regex(local.monitor_id, parent)) || parent == id
      ]
    ]),
    [
      for id, knot in local.knot : "monitors.${id}.depends_on: goes in a circle, through ${join(", ", knot)} (take one of them out)"
      if length(knot) > 0 && id == try(knot[0], "")
    ],
  )

  # Rules that depend on this deployment.
  deployment_diagnostics = flatten([
    for id, good in local.good : concat(
      [
        for index, region in try(good.locations, []) : "${local.place[id].locations}.${index}: `${region}` does not check here (add it to the variable `regions`, or take it out)"
        if !contains(var.regions, region)
      ],
      [
        for quorum in [try(good.quorum, 0)] : "${local.place[id].quorum}: ${quorum} can never be met by ${length(var.regions)} regions (lower it, or add regions)"
        if quorum > length(var.regions)
      ],
    )
  ])
}
