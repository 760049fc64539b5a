output "table" {
  description = "Name of the table, in the home region."
  value       = module.table.name

  precondition {
    condition     = terraform_data.home.output == var.home_region
    error_message = "`home_region` is ${var.home_region}, and this deployment has its table in ${terraform_data.home.output}. A deployment cannot change its home region. To move, create a second deployment with another `name`, move the subscribers, and destroy the first one: see \"Moving to another home region\" in infra/README.md."
  }
}

output "topic_arn" {
  description = "ARN of the alert topic."
  value       = module.alerts.arn
}

output "groups" {
  description = "The group of each monitor, such as 1m#0."
  value       = module.definitions.groups

  # Reported here, all at once: a plan with an invalid file fails.
  precondition {
    condition     = length(module.definitions.diagnostics) == 0
    error_message = "The definitions file is invalid:\n${join("\n", module.definitions.diagnostics)}"
  }
}

output "checkers" {
  description = "The Lambda, its log group and its dead-letter queue, by region."
  value       = { for region, checker in local.checkers : region => checker.names }
}

output "relay" {
  description = "The relay's Lambda, log group and dead-letter queue; null without destinations."
  value       = one(module.relay[*].names)

  # Reported here, all at once: a plan with an invalid file fails.
  precondition {
    condition     = length(module.destinations.diagnostics) == 0
    error_message = "The destinations file is invalid:\n${join("\n", module.destinations.diagnostics)}"
  }
}

output "status_url" {
  description = "URL of the status page; null without one."
  value       = one(module.status[*].url)
}

output "dashboard" {
  description = "URL of the CloudWatch dashboard; null without one."
  value       = one(module.dashboard[*].url)
}

output "unconfirmed" {
  description = "Unconfirmed subscriptions, by region of the topic, as of the last refresh."
  value = {
    alerts   = module.alerts.unconfirmed
    watchdog = { for region, checker in local.checkers : region => checker.unconfirmed if length(checker.unconfirmed) > 0 }
    relay    = flatten(module.relay_watchdog[*].unconfirmed)
    standby  = flatten(module.standby_alerts[*].unconfirmed)
  }
}

output "unauthenticated" {
  description = "Email subscriptions whose confirmation was not authenticated, by region of the topic, as of the last refresh: a mail scanner that opens links can end them."
  value = {
    alerts   = module.alerts.unauthenticated
    watchdog = { for region, checker in local.checkers : region => checker.unauthenticated if length(checker.unauthenticated) > 0 }
    relay    = flatten(module.relay_watchdog[*].unauthenticated)
    standby  = flatten(module.standby_alerts[*].unauthenticated)
  }
}
