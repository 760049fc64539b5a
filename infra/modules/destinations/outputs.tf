output "diagnostics" {
  description = "Diagnostics of the file, each as `place: what (help)`. They contain no values, because a value may be a secret."
  value       = local.diagnostics
}

output "json" {
  description = "Destinations as the relay reads them; {} without any, and if there are diagnostics, so that no plan shows a secret."
  value       = length(local.own) > 0 && length(local.diagnostics) == 0 ? jsonencode({ destinations = local.own }) : "{}"
}

output "secrets" {
  description = "Names of all secrets of the destinations, such as ssm:/portpulse/ops-chat."
  value = sort(distinct(flatten([
    for fields in values(local.own) : [for value in try(values(fields), []) : value if can(regex("^(ssm:/|secretsmanager:)", value))]
  ])))
}
