# Reads the destinations file: its diagnostics and the names of its secrets. It creates no resource, and knows no field.

locals {
  # An error of `yamldecode` would print the text, which may contain a secret.
  file = try(yamldecode(var.destinations), {})
  # An empty field counts as absent.
  own = { for name, fields in try(merge(local.file.destinations, {}), {}) : name => try(merge([for field, value in fields : { (field) = value } if value != null]...), fields) }

  diagnostics = sort(concat(
    can(yamldecode(var.destinations)) ? [] : ["the file is not YAML (check its indentation, brackets and quotes; write a URL within braces in quotes)"],
    flatten([for each in module.schema.texts : split("\n", each.text) if each.text != ""]),
  ))
}

module "schema" {
  source = "../schema"
  nodes = [{
    at       = ""
    value    = concat([for file in [local.file] : merge(file, { destinations = local.own }) if length(local.own) > 0], [local.file])[0]
    schema   = jsondecode(file("${path.module}/../../relay.schema.json"))
    owner    = ""
    nullable = false
    # A value may be a secret.
    is_shown = false
  }]
}
