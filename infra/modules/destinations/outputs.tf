output "faults" {
  description = "What is wrong with the file, each as `place: what is wrong (the help)`. No value is shown, for it may be a secret."
  value       = local.faults
}

output "names" {
  description = "The names of the destinations; none while there is a finding."
  value       = [for name in keys(local.own) : name if length(local.faults) == 0]
}

output "json" {
  description = "The destinations as the relay reads them; none while there is a fault, so that no plan shows what may be a secret."
  value       = length(local.faults) == 0 ? jsonencode({ destinations = local.own }) : "{}"
}

output "secrets" {
  description = "The names of all secrets that the destinations need, such as ssm:/portpulse/ops-chat."
  value       = local.secrets
}
