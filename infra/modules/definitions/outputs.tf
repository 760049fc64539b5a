output "faults" {
  description = "What is wrong with the file, each as `place: what is wrong (the help)`. Nothing else may be used unless this is empty."
  value       = local.faults
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
