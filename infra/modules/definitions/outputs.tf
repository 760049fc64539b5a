output "diagnostics" {
  description = "Diagnostics of the file, each as `place: what (help)`. The other outputs are valid only if there are none."
  value       = local.diagnostics
}

output "shards" {
  description = "The number of shards of each interval that has monitors."
  value       = local.shards
}

output "groups" {
  description = "The group of each monitor, such as 1m#0."
  value       = local.group
}

output "items" {
  description = "Each monitor's item, in DynamoDB's JSON."
  value       = local.items
}
