# Reads definitions: their groups, the item of each monitor, and diagnostics. It creates no resource, and knows only the fields
# that groups and this deployment depend on: schema and presets describe the others. Rules between fields are those of
# `portpulse validate` and of the checker, which reports a broken definition and checks the others.

locals {
  schema     = jsondecode(file("${path.module}/../../monitors.schema.json"))
  presets    = jsondecode(file("${path.module}/../../presets.json"))
  properties = local.schema.properties.monitors.additionalProperties.properties

  file     = yamldecode(can(regex("(?m)^[ \\t]*[^#\\s]", var.definitions)) ? var.definitions : "{}")
  in_file  = try(merge(local.file.monitors, {}), {})
  defaults = try(merge(local.file.defaults, {}), {})

  # Lists that make a monitor of each entry, such as `ports`, with the id ID-HOST-PORT, and the field that each sets.
  lists = { for name, schema in local.properties : name => schema["x-expands"] if can(schema["x-expands"]) }
  # Fields whose default is not replaced by the monitor's own value: `union` of lists, `keys` of maps.
  merges = { for name, schema in local.properties : name => schema["x-merge"] if can(schema["x-merge"]) }

  expanded = flatten([
    for source, written in merge(local.in_file, var.monitors) : [
      for entries in setproduct([null], [null], [for list in keys(local.lists) : contains(keys(written), list) ? try([for entry in written[list] : entry], []) : [null]]...) : {
        source = source
        id     = join("-", concat([source], [for entry in entries : trim(replace(lower(trimsuffix(entry, ".")), "/[^a-z0-9_.-]/", "-"), "-") if entry != null]))
        own = merge(
          { for field, value in written : field => value if !contains(keys(local.lists), field) },
          { for index, list in keys(local.lists) : local.lists[list] => entries[index + 2] if entries[index + 2] != null },
        )
      }
    ] if can(keys(written))
  ])
  own    = { for each in local.expanded : each.id => each.own... }
  source = { for each in local.expanded : each.id => each.source... }

  # The fields of each monitor, without presets.
  fields = {
    for id, own in local.own : id => {
      for field, value in merge(local.defaults, own[0]) : field => try(
        { union = concat(local.defaults[field], [for entry in concat(value) : entry if !contains(local.defaults[field], entry)]) }[local.merges[field]],
        { keys = merge(local.defaults[field], value) }[local.merges[field]],
        value,
      )
    }
  }

  # The effective values of the fields used here. The monitor precedes its tier, its service, and the built-in default.
  value = {
    for id, fields in local.fields : id => {
      for field in ["interval", "host", "port", "ip", "check", "locations"] : field => try([
        for layer in [fields, try(local.presets.tiers[fields.tier], {}), try(local.presets.services[fields.service], {}), local.presets.default] :
        layer[field] if try(layer[field] != null, false)
      ][0], null)
    }
  }

  # Groups and shards, as `portpulse-core` computes them: an interval has a shard for every 400 monitors. A monitor's shard is the
  # first 32 bits of SHA-256 of its id, modulo the interval's number of shards.
  interval = { for id, value in local.value : id => value.interval if try(contains(local.properties.interval.enum, value.interval), false) }
  shards   = { for interval, ids in { for id, interval in local.interval : interval => id... } : interval => ceil(length(ids) / 400) }
  group    = { for id, interval in local.interval : id => "${interval}#${parseint(substr(sha256(id), 0, 8), 16) % local.shards[interval]}" }

  # Each monitor's item: its fields, its maintenance windows, and the groups of the monitors that it depends on.
  attributes = {
    for id in keys(local.interval) : id => {
      for field, value in merge(local.fields[id], {
        pk                = "monitors#${local.group[id]}"
        sk                = id
        depends_on_groups = { for parent in try(distinct(local.fields[id].depends_on), []) : parent => local.group[parent] if can(local.group[parent]) }
        maintenance = [
          # Without the other monitors that a window covers.
          for window in try(concat(local.file.maintenance), []) : { for field, value in window : field => value if !contains(["monitors", "tags"], field) }
          if can(keys(window)) && (!can(window.monitors) && !can(window.tags) || try(contains(window.monitors, id), false) || try(length(setintersection(window.tags, local.fields[id].tags)) > 0, false))
        ]
      }) : field => value if value != null && !(contains(["depends_on_groups", "maintenance"], field) && try(length(value) == 0, false))
    }
  }

  # DynamoDB's JSON names the type of each value. HCL has no recursion: this translates token by token.
  markers = { "{" = "{\"M\":{", "}" = "}}", "[" = "{\"L\":[", "]" = "]}", "," = ",", "true" = "{\"BOOL\":true}", "false" = "{\"BOOL\":false}", "null" = "{\"NULL\":true}" }
  items = {
    for id, attributes in local.attributes : id => jsonencode(jsondecode(join("", [
      for token in regexall("\"(?:[^\"\\\\]|\\\\.)*\":?|[\\[\\]{},]|[^\\[\\]{},\":]+", jsonencode(attributes)) :
      lookup(local.markers, token, endswith(token, "\":") ? token : startswith(token, "\"") ? "{\"S\":${token}}" : "{\"N\":\"${token}\"}")
    ])).M)
  }

  # In the schema, locations and quorum are those of this deployment, and the agents that the file names. The file need not have
  # monitors if the variable has some.
  locations = distinct(concat(var.locations, var.agents, try([for agent in local.file.agents : agent], [])))
  deployed = {
    locations = merge(local.properties.locations, { items = { enum = local.locations, description = "these are deployed; add another region to the variable `regions`, or an agent to `agents`" } })
    quorum    = merge(local.properties.quorum, { maximum = length(local.locations), description = "at most the number of locations that are deployed" })
  }
  monitor = merge(local.schema.properties.monitors.additionalProperties, { properties = merge(local.properties, local.deployed) })
  schema_here = merge(local.schema, {
    required = [for name in local.schema.required : name if length(var.monitors) == 0]
    properties = merge(local.schema.properties, {
      defaults = merge(local.schema.properties.defaults, { properties = merge(local.schema.properties.defaults.properties, local.deployed) })
      monitors = merge(local.schema.properties.monitors, { additionalProperties = local.monitor, minProperties = length(var.monitors) == 0 ? 1 : 0 })
    })
  })

  # `yamldecode` silently keeps the last of two equal keys: look for the ids in the text, as far as the file is written in
  # block style, where all ids are indented like the first.
  block    = try(regex("(?ms)^monitors:[^\\n]*\\n(.*?)(?:^[^\\s#]|\\z)", "${var.definitions}\n")[0], "")
  indent   = try(regex("(?m)^( +)[^\\s#]", local.block)[0], "none")
  id_lines = { for line in regexall("(?m)^${local.indent}[\"']?([A-Za-z0-9_.-]+)[\"']?\\s*:", local.block) : line[0] => line[0]... }

  # What a Lambda function outside a VPC cannot reach. https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
  private = "^(0|10|100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])|127|169\\.254|172\\.(1[6-9]|2[0-9]|3[01])|192\\.0\\.0|192\\.168|198\\.1[89]|22[4-9]|2[3-5][0-9])\\.[0-9.]+$"
  unreachable = {
    for id, value in local.value : id => [
      for need in [
        { at = "port", wrong = try(value.port == 25, false), able = [for location, network in var.networks : location if network.port_25], what = "AWS blocks port 25", help = "use port 587 or 465, or set `port_25` in the VPC's settings once AWS has lifted the block for it" },
        { at = "host", wrong = try(length(regexall(":", value.host)) > 1, false), able = [for location, network in var.networks : location if network.ipv6], what = "IPv6 cannot be reached", help = "use IPv4, or a VPC with IPv6" },
        { at = "ip", wrong = try(value.ip == "v6", false), able = [for location, network in var.networks : location if network.ipv6], what = "IPv6 cannot be reached", help = "use v4, or a VPC with IPv6" },
        { at = "host", wrong = try(can(regex(local.private, value.host)), false), able = keys(var.networks), what = "a private address cannot be reached", help = "check it from locations with a VPC" },
        { at = "check", wrong = try(value.check == "ping", false), able = [], what = "ICMP cannot be sent", help = "name only agents in `locations`, or write `expect: reachable` and a port" },
        ] : [
        for names in [join(", ", [for each in var.locations : each if !contains(need.able, each) && (!can(value.locations[0]) || contains(try([for location in value.locations : location], []), each))])] :
        "monitors.${id}.${need.at}: ${need.what} from ${names} (${need.help})" if need.wrong && names != ""
      ]
    ]
  }

  diagnostics = sort(distinct(flatten(concat(
    [for each in module.schema.texts : split("\n", each.text) if each.owner == "" && each.text != ""],
    [for id, lines in local.id_lines : "monitors.${id}: is defined ${length(lines)} times (keep one, or rename the others)" if length(lines) > 1],
    [for id in keys(var.monitors) : "monitors.${id}: is defined in the file and in the variable `monitors` (keep one, or rename the other)" if contains(keys(local.in_file), id)],
    [for id, sources in local.source : "monitors.${sources[0]}: makes the monitor `${id}`, which exists already (rename one of the two)" if length(sources) > 1],
    [for id, texts in local.unreachable : flatten(texts) if !contains(keys(var.monitors), local.source[id][0])],
    [
      for source in keys(var.monitors) : "monitors.${source}: has no valid interval (write one of ${join(", ", local.properties.interval.enum)}; `interval`, `tier` and `service` must be known at plan)"
      if length([for id, sources in local.source : id if sources[0] == source && contains(keys(local.interval), id)]) == 0
    ],
  ))))
}

module "schema" {
  source = "../schema"
  nodes = concat(
    [{ at = "", value = local.file, schema = local.schema_here, owner = "", nullable = false, is_shown = true }],
    [for ids in [keys(var.monitors)] : { at = "monitors", value = { for id in ids : id => null }, schema = local.schema_here.properties.monitors, owner = "", nullable = true, is_shown = true } if length(ids) > 0],
    [for id, fields in var.monitors : { at = "monitors.${id}", value = fields, schema = local.monitor, owner = id, nullable = true, is_shown = true }],
  )
}
