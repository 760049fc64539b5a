output "shards" {
  description = "The number of shards of each interval that has monitors."
  value       = local.shards

  precondition {
    condition     = length(local.faults) == 0
    error_message = "The definitions cannot be used.\n${join("\n", local.faults)}"
  }
}

output "groups" {
  description = "The group of each monitor, such as 1m#0."
  value       = local.group
}

output "items" {
  description = "Each monitor's item, in DynamoDB's JSON."
  value       = local.items
}
