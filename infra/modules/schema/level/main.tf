# Checks the nodes of one level of a document against their schemas, and finds the nodes of the next level. It supports the
# keywords that the schemas in infra/ use; a test compares the two. The texts about a value that is known only after apply
# are known only then.

variable "nodes" {
  description = "`at` (place), `value`, `schema`, and inherited: `owner`, `nullable` (null means absent), `is_shown` (texts may have values)."
  type        = any
}

locals {
  # The type of a value by the first character of its JSON: HCL has no function for it.
  kinds = { "\"" = "string", t = "boolean", f = "boolean", n = "null" }
  sizes = { string = ["minLength", "maxLength"], array = ["minItems", "maxItems"], object = ["minProperties", "maxProperties"] }
  forms = { string = "a string", integer = "a whole number", boolean = "true or false", array = "a list", object = "a map" }

  nodes = [
    for node in var.nodes : merge(node, {
      kind  = can(keys(node.value)) ? "object" : can([for each in node.value : 0]) ? "array" : lookup(local.kinds, substr(jsonencode(node.value), 0, 1), "number")
      names = try(keys(node.value), [])
      # Where a property has a constant in each alternative, such as `kind`: the alternative whose constant is the value.
      schema = try([
        for each in node.schema.oneOf : each
        if anytrue([for name, property in each.properties : jsonencode(node.value[name]) == jsonencode(property.const) if can(property.const)])
      ][0], node.schema)
    })
  ]
  choices = [for node in local.nodes : try(node.schema.enum, [for each in node.schema.oneOf : each.const], [])]

  # Whether a value has a wrong type, or is out of bounds.
  invalid = [
    for index, node in local.nodes : !(node.nullable && node.kind == "null") && !alltrue(concat(
      [for types in [flatten([try(node.schema.type, node.kind)])] : contains(types, node.kind) || contains(types, "integer") && try(node.kind == "number" && floor(node.value) == node.value, false)],
      [for json in [jsonencode(node.value)] : contains([for each in local.choices[index] : jsonencode(each)], json) if length(local.choices[index]) > 0],
      [for schema in [node.schema] : try(node.value >= schema.minimum, true) && try(node.value <= schema.maximum, true) if node.kind == "number"],
      [for sizes in try([local.sizes[node.kind]], []) : try(length(node.value) >= node.schema[sizes[0]], true) && try(length(node.value) <= node.schema[sizes[1]], true)],
      [for each in concat([node.schema], try(node.schema.allOf, [])) : can(regex(each.pattern, node.value)) if node.kind == "string" && can(each.pattern)],
    ))
  ]
  known = [for node in local.nodes : try(keys(node.schema.properties), [])]
  unknown = [
    for index, node in local.nodes : [
      for name in setsubtract(node.names, local.known[index]) : name
      if try(!node.schema.additionalProperties, false) && !anytrue([for pattern in try(keys(node.schema.patternProperties), []) : can(regex(pattern, name))])
    ]
  ]
  # The alternatives by required names, and whether a map matches each.
  alternatives = [
    for node in local.nodes : [
      for each in try(node.schema.oneOf, []) : {
        names   = each.required
        matches = length(setsubtract(each.required, node.names)) == 0 && !anytrue([for other in try(each.not.anyOf, []) : length(setsubtract(other.required, node.names)) == 0])
      } if can(each.required) && !can(each.properties)
    ]
  ]

  # The most similar known name or choice, by the pairs of letters that both have.
  similar = [
    for index, node in local.nodes : {
      for word in concat(local.unknown[index], [for value in [node.value] : value if node.kind == "string" && local.invalid[index]]) : word => try("did you mean `${regex("^0?(?:100|[4-9].) (.*)", reverse(sort([
        for name in concat(local.known[index], [for each in local.choices[index] : tostring(each)]) : format("%03.0f %s",
          200 * length(setintersection([for n in range(length(word) + 1) : substr("^${word}$", n, 2)], [for n in range(length(name) + 1) : substr("^${name}$", n, 2)])) / (length(word) + length(name) + 2),
          name,
        )
      ]))[0])[0]}`? ", "")
    }
  ]
  needed = [
    for index, node in local.nodes : try(node.schema.patternErrorMessage, node.schema.errorMessage, join("", [
      length(local.choices[index]) > 0 ? "write one of ${join(", ", [for each in local.choices[index] : tostring(each)])}"
      : "write ${try("a whole number from ${node.schema.minimum} to ${node.schema.maximum}", local.forms[flatten([node.schema.type])[0]], "a value")}",
      node.kind == "null" ? ", or remove it" : "",
      try(": ${trimsuffix(node.schema.description, ".")}", ""),
    ]))
  ]

  # Diagnostics as text, from the name within the node, what is wrong, and help.
  texts = [
    for index, node in local.nodes : join("\n", [for each in concat(
      [
        for what in [node.kind == "null" ? "is empty" : node.is_shown && !try(node.schema.writeOnly, false) ? "${substr(jsonencode(node.value), 0, 80)} is invalid" : "is invalid"] :
        ["", what, "${try(local.similar[index][tostring(node.value)], "")}${local.needed[index]}"] if local.invalid[index]
      ],
      [
        for each in [local.alternatives[index]] : ["", "requires ${join(", or ", [for one in each : join(" and ", one.names)])}", "write one of them"]
        if node.kind == "object" && length(each) > 0 && length([for one in each : one if one.matches]) != 1
      ],
      [for each in try(node.schema.not.anyOf, []) : ["", "cannot have ${join(" and ", each.required)}", "remove one"] if length(setsubtract(each.required, node.names)) == 0],
      [for name in try(node.schema.required, []) : [".${name}", "is missing", try(node.schema.properties[name].description, "add the field")] if node.kind == "object" && !contains(node.names, name)],
      [for name in local.unknown[index] : [".${name}", "unknown field", "${local.similar[index][name]}known fields: ${join(", ", local.known[index])}"]],
      [
        for name in node.names : [".${name}", "is not a valid name", "use a name of the form ${node.schema.propertyNames.pattern}"]
        if can(node.schema.propertyNames.pattern) && !can(regex(node.schema.propertyNames.pattern, name))
      ],
    ) : "${coalesce(trimprefix("${node.at}${each[0]}", "."), "the file")}: ${each[1]} (${each[2]})"])
  ]
}

output "texts" {
  description = "Of each node its place, its owner, and its diagnostics as lines of `place: what (help)`; empty without any."
  value       = [for index, node in local.nodes : { at = node.at, owner = node.owner, text = local.texts[index] }]
}

output "children" {
  description = "The nodes of the next level."
  value = flatten([
    for index, node in local.nodes : [
      for name, value in node.value : merge(node, {
        at    = trimprefix("${node.at}.${name}", ".")
        value = value
        schema = try(
          { array = merge({ description = try(node.schema.description, "") }, node.schema.items) }[node.kind],
          { object = node.schema.properties[name] }[node.kind],
          { object = [for pattern, schema in node.schema.patternProperties : schema if can(regex(pattern, name))][0] }[node.kind],
          { object = merge(node.schema.additionalProperties, {}) }[node.kind],
          {},
        )
      })
      # Not by `kind`: where a value is known only after apply, its kind is too, and so the number of nodes would be.
    ] if can(keys(node.value)) || can([for each in node.value : 0])
  ])
}
