output "table" {
  description = "Name of the table, in the home region."
  value       = module.table.name
}

output "topic_arn" {
  description = "ARN of the alert topic."
  value       = module.alerts.arn
}

output "groups" {
  description = "The group of each monitor, such as 1m#0."
  value       = module.definitions.groups

  # Told here, once and whole: a plan with a faulty file fails.
  precondition {
    condition     = length(module.definitions.faults) == 0
    error_message = "The definitions file cannot be used:\n${join("\n", module.definitions.faults)}"
  }
}

output "checkers" {
  description = "By region: the Lambda, its log group, and the queue of invocations that failed or came too late."
  value       = { for region, checker in local.checkers : region => checker.names }
}

output "relay" {
  description = "The relay: its Lambda, its log group, and the queue of what could not be delivered; null without destinations."
  value       = one(module.relay[*].names)

  # Told here, once and whole: a plan with a faulty file fails.
  precondition {
    condition     = length(module.destinations.faults) == 0
    error_message = "The file of destinations cannot be used:\n${join("\n", module.destinations.faults)}"
  }
}

output "status_url" {
  description = "Address of the status page; null without one."
  value       = one(module.status[*].url)
}

output "dashboard" {
  description = "Address of the CloudWatch dashboard; null without one."
  value       = one(module.dashboard[*].url)
}

output "unconfirmed" {
  description = "Subscriptions that wait for their subscriber to confirm, by region of the topic, as of the last refresh."
  value = {
    alerts = module.alerts.unconfirmed
    watchdog = {
      for region, unconfirmed in merge(
        { for region, checker in local.checkers : region => checker.unconfirmed },
        { for topic in module.home_watchdog : var.home_region => topic.unconfirmed },
      ) : region => unconfirmed if length(unconfirmed) > 0
    }
  }
}
