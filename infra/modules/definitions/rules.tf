# The rules of `portpulse validate`, as far as HCL can express them; all diagnostics are reported together, as
# `place: what (help)`. HCL has no list of time zones, and the rules find cycles of at most 32 monitors.

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

  # Rules that concern the whole file.
  file_diagnostics = concat(
    can(keys(local.file)) ? [] : ["the file is not a map of fields (begin it with `monitors:`)"],
    [
      for name in try(keys(local.file), []) : "${name}: unknown field (the top-level fields are `monitors`, `defaults` and `maintenance`)"
      if !contains(["monitors", "defaults", "maintenance"], name)
    ],
    can(merge(local.file.defaults)) || !can(local.file.defaults) ? [] : ["defaults: is not a map of fields (write `defaults: { tier: … }`)"],
    [
      for field in ["host", "script", "depends_on"] : "defaults.${field}: cannot have a default (set it on each monitor)"
      if can(local.defaults[field])
    ],
    length(local.written) > 0 || !can(keys(local.file)) ? [] : ["monitors: no monitors are defined (write `id: { host: …, port: … }` for each monitor)"],
    [
      for id, fields in local.written : "monitors.${id}: is not a map of fields (write it as `id: { host: …, port: … }`)"
      if !can(keys(fields))
    ],
    [
      for id in keys(local.own) : "monitors.${id}: `${id}` is not a monitor id (use 1 to 64 of a-z, 0-9, `-`, `_` and `.`, starting with a letter or digit)"
      if !can(regex(local.monitor_id, id))
    ],
    [
      for id, lines in local.id_lines : "monitors.${id}: is defined ${length(lines)} times (keep one, or rename the others)"
      if length(lines) > 1
    ],
  )

  # `yamldecode` silently keeps the last of two equal keys: look for the ids in the text, as far as the file
  # is written in block style, where all ids are indented like the first.
  block    = try(regex("(?ms)^monitors:[^\\n]*\\n(.*?)(?:^[^\\s#]|\\z)", "${var.definitions}\n")[0], "")
  indent   = try(regex("(?m)^( +)[^\\s#]", local.block)[0], "none")
  id_lines = { for line in regexall("(?m)^${local.indent}[\"']?([A-Za-z0-9_.-]+)[\"']?\\s*:", local.block) : line[0] => line[0]... }

  # Rules that concern one field.
  field_diagnostics = flatten([
    for id, own in local.own : concat(
      [
        for field in distinct(concat(keys(own), keys(local.defaults))) : "${local.place[id][field]}: unknown field (known fields: ${join(", ", keys(local.wanted))})"
        if !contains(keys(local.wanted), field)
      ],
      [
        for field in distinct(concat(keys(own), keys(local.defaults))) : "${local.place[id][field]}: is empty (write ${local.wanted[field]}, or remove the field)"
        if contains(keys(local.wanted), field) && (try(own[field] == null, false) || try(local.defaults[field] == null, false))
      ],
      [
        for field, help in { host = "write the DNS name or address to watch", port = "write a port, or a `service` that has one" } : "${local.place[id][field]}: is missing (${help})"
        if !can(local.merged[id][field]) && can(keys(local.written[id])) && !can(own[field]) && !can(local.defaults[field])
        # The service that sets the port is unknown, which is a diagnostic already.
        && !(field == "port" && can(merge(local.defaults, own).service) && !can(local.good[id].service))
      ],
      [
        for field, value in local.merged[id] : "${local.place[id][field]}: ${substr(jsonencode(value), 0, 80)} is invalid (write ${local.wanted[field]})"
        if contains(keys(local.wanted), field) && !can(local.good[id][field]) && length(try(local.bad_entries[id][field], [])) == 0
      ],
      flatten([
        for field, bad in local.bad_entries[id] : [
          for index in bad : "${local.place[id][field]}.${index}: ${substr(jsonencode(local.merged[id][field][index]), 0, 80)} is invalid (write ${local.wanted[field]})"
        ]
      ]),
    )
  ])

  # Rules that concern several fields of a monitor.
  monitor_diagnostics = flatten([
    for id, good in local.good : [
      for rule in concat(local.fitting_rules[id], [
        {
          field = "locations"
          wrong = try(length(good.locations) == 0, false)
          what  = "is empty, so no location checks the monitor"
          help  = "add a location, or remove the field"
        },
        {
          field = "slow_after"
          wrong = can(good.slow_after) && try(local.ms[id].slow_after >= local.ms[id].timeout, false)
          what  = "${try(good.slow_after, "")} is not below the timeout of ${try(local.merged[id].timeout, "")}"
          help  = "reduce `slow_after`: such a slow check fails by its timeout"
        },
        {
          field = "quorum"
          wrong = try(length(good.locations) > 0 && good.quorum > length(distinct(good.locations)), false)
          what  = "${try(good.quorum, "")} is more than the ${try(length(distinct(good.locations)), "")} locations that check the monitor"
          help  = "reduce the quorum, or add locations"
        },
        {
          field = "ip"
          wrong = try(good.ip == { v4 = "v6", v6 = "v4" }[local.host[id]], false)
          what  = "excludes the host, which is an address of the other family"
          help  = "remove `ip`"
        },
        {
          field = "check"
          wrong = try(good.check == "ready" && good.expect != "open" && local.wrote_check[id] && can(good.close), false)
          what  = "`ready` cannot be combined with `expect: ${try(good.expect, "")}`"
          help  = "write `check: connect`, or remove `check`"
        },
        {
          field = "check"
          wrong = try(good.check == "ready" && good.expect == "open" && !local.wrote_service[id] && !local.scripted[id] && can(good.close), false)
          what  = "`ready` requires a service"
          help  = "add `service`"
        },
        {
          field = "close"
          wrong = try(local.has_exchange[id] && good.close == "quiet", false)
          what  = "`quiet` closes the connection before the service sees it, so it cannot be combined with `check: ready`"
          help  = "add `check: connect`, or remove `close`"
        },
        {
          field = local.wrote_check[id] ? "check" : "port"
          wrong = try(
            local.has_exchange[id] ? try(good.port, 0) == 3306 && (local.scripted[id] || try(good.service, "") == "tls")
            : (try(good.port, 0) == 3306 || contains(["mysql", "mariadb"], try(good.service, ""))) && good.close == "fin"
            && (good.check == "connect" ? good.expect != "closed" : good.expect == "reachable" && !local.wrote_check[id]),
            false
          )
          what = "MySQL and MariaDB block a client that only connects and disconnects"
          help = "write `service: mysql` with `check: ready`, or `close: quiet`"
        },
        {
          field = "port"
          wrong = try(good.port == 25 && local.region_without_vpc[id] != "", false)
          what  = "AWS blocks port 25 for a Lambda function outside a VPC, as in ${local.region_without_vpc[id]}"
          help  = "use port 587 or 465, or ${local.vpc_help}"
        },
        {
          field = "ip"
          wrong = try(local.host[id] == "name" && good.ip == "v6" && local.region_without_vpc[id] != "", false)
          what  = "v6 requires IPv6, which a Lambda function outside a VPC cannot reach, as in ${local.region_without_vpc[id]}"
          help  = "use v4, or ${local.vpc_help}"
        },
        {
          field = "host"
          wrong = try(can(good.host) && local.host[id] == "v6" && local.region_without_vpc[id] != "", false)
          what  = "is an IPv6 address, which a Lambda function outside a VPC cannot reach, as in ${local.region_without_vpc[id]}"
          help  = "use IPv4, or ${local.vpc_help}"
        },
        {
          field = "host"
          wrong = try(local.host[id] == "v4" && can(regex(local.private, local.bare[id])) && local.region_without_vpc[id] != "", false)
          what  = "is not a public address, which a Lambda function outside a VPC cannot reach, as in ${local.region_without_vpc[id]}"
          help  = local.vpc_help
        },
        {
          field = "host"
          wrong = can(good.host) && can(regex("^(?i:(.*\\.)?localhost\\.?)$", local.bare[id])) && local.region_without_vpc[id] != ""
          what  = "is the Lambda function itself"
          help  = "use another host"
        },
      ]) : "${local.place[id][rule.field]}: ${rule.what} (${rule.help})" if rule.wrong
    ]
  ])
  vpc_help = "check the host from locations with a VPC"

  # The first region without a VPC that would check the monitor, or "".
  region_without_vpc = {
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
  # The monitors in the same cycle as a monitor: those that are both its ancestors and its descendants.
  cycle = { for id, above in local.within_32 : id => sort([for each in above : each if contains(local.within_32[each], id)]) }

  dependency_diagnostics = concat(
    flatten([
      for id, named in local.named : [
        for index, parent in named : (
          parent == id ? "monitors.${id}.depends_on.${index}: a monitor cannot depend on itself (remove this entry)"
          : "monitors.${id}.depends_on.${index}: `${parent}` is not a monitor in this file (use the id of a monitor in this file)"
        ) if !can(local.written[parent]) && can(regex(local.monitor_id, parent)) || parent == id
      ]
    ]),
    [
      for id, cycle in local.cycle : "monitors.${id}.depends_on: dependency cycle of ${join(", ", cycle)} (remove one of these dependencies)"
      if length(cycle) > 0 && id == try(cycle[0], "")
    ],
  )

  # Rules that depend on this deployment.
  deployment_diagnostics = flatten([
    for id, good in local.good : concat(
      [
        for index, region in try(good.locations, []) : "${local.place[id].locations}.${index}: `${region}` is not a region of this deployment (add the region to the variable `regions`, or remove the entry)"
        if !contains(var.regions, region)
      ],
      [
        for quorum in [try(good.quorum, 0)] : "${local.place[id].quorum}: ${quorum} is more than the ${length(var.regions)} regions of this deployment (reduce the quorum, or add regions)"
        if quorum > length(var.regions)
      ],
    )
  ])
}
