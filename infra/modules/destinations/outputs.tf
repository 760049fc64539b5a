output "diagnostics" {
  description = "Diagnostics of the file, each as `place: what (help)`. They contain no values, because a value may be a secret."
  value       = local.diagnostics
}

output "names" {
  description = "Names of the destinations; empty if there are diagnostics."
  value       = [for name in keys(local.own) : name if length(local.diagnostics) == 0]
}

output "json" {
  description = "Destinations as the relay reads them; empty if there are diagnostics, so that no plan shows a secret."
  value       = length(local.diagnostics) == 0 ? jsonencode({ destinations = local.own }) : "{}"
}

output "secrets" {
  description = "Names of all secrets of the destinations, such as ssm:/portpulse/ops-chat."
  value       = local.secrets
}
