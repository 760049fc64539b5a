# Each monitor's item, in DynamoDB's JSON: its own fields over the file's defaults, its maintenance windows, and the
# groups of the monitors it depends on. Presets are not included.

locals {
  type_of = { text = "S", number = "N", bool = "BOOL", list = "L", map = "M" }
  # By the first character of its JSON, as `kind` is found.
  nested_type_of = { "\"" = "S", "[" = "L", t = "BOOL", f = "BOOL" }

  attributes = {
    for id, own in local.own : id => {
      for field, value in merge(local.defaults, own) : field => {
        (try(local.type_of[local.kind[id][field]], "NULL")) = {
          S    = value
          N    = jsonencode(value)
          BOOL = value
          # Texts, or the steps of a script.
          L = try([
            for each in value : {
              for type in [can(keys(each)) ? "M" : "S"] : type => {
                S = try(tostring(each), "")
                M = try({ for name, text in each : name => { S = text } }, {})
              }[type]
            }
          ], [])
          M = try({
            for name, each in value : name => {
              for type in [lookup(local.nested_type_of, substr(jsonencode(each), 0, 1), "N")] : type => {
                S    = each
                N    = jsonencode(each)
                BOOL = each
                L    = try([for entry in each : { (substr(jsonencode(entry), 0, 1) == "\"" ? "S" : "N") = tostring(entry) }], [])
              }[type]
            }
          }, {})
          NULL = true
        }[try(local.type_of[local.kind[id][field]], "NULL")]
      } if value != null
    }
  }

  parents = {
    for id, fields in local.good : id => {
      for parent in distinct(try(fields.depends_on, [])) : parent => { S = local.group[parent] } if can(local.group[parent])
    }
  }

  items = {
    for id in keys(local.interval) : id => jsonencode(merge(
      local.attributes[id],
      { for name, value in { depends_on_groups = { M = local.parents[id] } } : name => value if length(value.M) > 0 },
      { for name, value in { maintenance = { L = local.maintenance[id] } } : name => value if length(value.L) > 0 },
      { pk = { S = "monitors#${local.group[id]}" }, sk = { S = id } },
    ))
  }
}
