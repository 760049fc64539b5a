output "diagnostics" {
  description = "Diagnostics, each as `place: what (help)`. The other outputs are valid only if there are none."
  value       = local.diagnostics
}

output "variable_diagnostics" {
  description = "Diagnostics of the monitors in the variable, by place; empty where there are none, and unknown where a value is known only after apply."
  value = merge(
    { for each in module.schema.texts : each.at => each.text if each.owner != "" },
    { for id, texts in local.unreachable : "${id} in this deployment" => join("\n", flatten(texts)) if contains(keys(var.monitors), local.source[id][0]) },
  )
}

output "shards" {
  description = "The number of shards of each interval that has monitors."
  value       = local.shards
}

output "groups" {
  description = "The group of each monitor, such as 1m#0."
  value       = local.group
}

output "groups_of" {
  description = "The groups of each agent: those with monitors that name it."
  value = {
    for agent in var.agents : agent => sort(distinct([
      for id, group in local.group : group if contains(local.checkers[id], agent)
    ]))
  }
}

output "items" {
  description = "Each monitor's item, in DynamoDB's JSON."
  value       = local.items
}

output "secrets" {
  description = "The names of the secrets of all monitors that regions check, such as ssm:/portpulse/shop-token."
  value       = sort(distinct(flatten([for id, names in local.secrets : names if length(local.checkers[id]) == 0 || anytrue([for location in local.checkers[id] : !contains(var.agents, location)])])))
}

output "secrets_of" {
  description = "By agent, the names of the secrets of the monitors that it checks."
  value       = { for agent in var.agents : agent => sort(distinct(flatten([for id, names in local.secrets : names if contains(local.checkers[id], agent)]))) }
}

locals {
  # By monitor: the locations that it names, and its secrets. A name of a secret stands alone in a value, whatever the field.
  checkers = { for id, value in local.value : id => [for location in try(concat(value.locations), []) : try(tostring(location), "")] }
  secrets  = { for id, fields in local.fields : id => flatten(regexall("\"((?:ssm:/|secretsmanager:)[A-Za-z0-9_./+=@-]+)\"", jsonencode(fields))) }
}
