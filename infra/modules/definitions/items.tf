# Each monitor's item, in DynamoDB's JSON: its own fields over the file's defaults, its maintenance windows, and the
# groups of the monitors it depends on. Presets are not written out.

locals {
  type_of = { text = "S", number = "N", bool = "BOOL", list = "L" }

  attributes = {
    for id, own in local.own : id => {
      for field, value in merge(local.defaults, own) : field => {
        (try(local.type_of[local.kind[id][field]], "NULL")) = {
          S    = value
          N    = jsonencode(value)
          BOOL = value
          L    = try([for text in value : { S = text }], [])
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
