# Resources of the home region that all regions share: the table, the alert topic and the definitions.

module "table" {
  source = "./modules/table"

  name                   = var.name
  capacity               = var.capacity
  always_free_units      = var.always_free_units
  point_in_time_recovery = var.point_in_time_recovery
  deletion_protection    = var.deletion_protection
  kms_key_arn            = var.kms_key_arn
  items                  = module.definitions.items
}

module "alerts" {
  source = "./modules/topic"

  name = "${var.name}-alerts"
  subscribers = {
    for name, who in local.subscribers : name => {
      protocol   = who.protocol
      endpoint   = who.endpoint
      severities = who.severities
      tags       = who.tags
    }
  }
}

module "definitions" {
  source = "./modules/definitions"

  definitions = file(coalesce(var.monitors_file, "${path.module}/monitors.yaml"))
  presets     = jsondecode(file("${path.module}/presets.json"))
  regions     = var.regions
  vpc_regions = keys(var.vpc)
}

module "destinations" {
  source = "./modules/destinations"

  destinations = try(file(coalesce(var.relay_file, "${path.module}/relay.yaml")), "{}")
}

module "relay" {
  source = "./modules/relay"
  count  = local.relays ? 1 : 0

  name            = var.name
  home            = local.checker.home
  destinations    = module.destinations.json
  secrets         = module.destinations.secrets
  secret_key_arns = var.secret_key_arns
  watchdog_arn    = one(concat(module.home_watchdog[*].arn, [for region, checker in local.checkers : checker.watchdog_arn if region == var.home_region]))
  function        = merge(local.function, { zip = coalesce(var.relay_zip, "${path.module}/dist/relay-${var.architecture}.zip") })
}

module "status" {
  source = "./modules/status"
  count  = var.status == null ? 0 : 1

  name                 = var.name
  home                 = local.checker.home
  groups               = toset(values(module.definitions.groups))
  access               = var.status.access
  announce_maintenance = var.status.announce_maintenance
  capacity             = var.capacity
  token                = var.status.token
  secret_key_arns      = var.secret_key_arns
  function = merge(local.function, {
    zip                  = coalesce(var.status_zip, "${path.module}/dist/status-${var.architecture}.zip")
    memory_mb            = var.status.memory_mb
    reserved_concurrency = var.status.reserved_concurrency
  })
}

module "dashboard" {
  source = "./modules/dashboard"
  count  = var.dashboard ? 1 : 0

  name    = var.name
  regions = keys(local.every_region)
  checker = "${var.name}-checker"
  home = {
    region       = var.home_region
    table        = module.table.name
    topic        = "${var.name}-alerts"
    relay        = one(module.relay[*].names.function_name)
    dead_letters = local.relays ? "${var.name}-relay-dead-letters" : null
  }
}

# Without a checker in the home region, its watchdog topic does not exist yet: the relay's alarm needs one.
module "home_watchdog" {
  source = "./modules/topic"
  count  = local.relays && !contains(var.regions, var.home_region) ? 1 : 0

  name        = "${var.name}-watchdog"
  subscribers = local.checker.watchers
}

locals {
  relays = length(module.destinations.names) > 0

  tags = merge({ Project = var.name }, var.tags)

  # SMS costs money: critical notifications only, unless severities are set.
  subscribers = {
    for name, who in var.subscribers : name => merge(who, {
      severities = who.severities != null ? who.severities : who.protocol == "sms" ? ["critical"] : []
    })
  }

  # Settings that all Lambdas share.
  function = {
    architecture       = var.architecture
    environment        = var.environment
    log_retention_days = var.log_retention_days
  }

  # Settings that all checkers share.
  checker = {
    name = var.name
    home = {
      region      = var.home_region
      table_name  = module.table.name
      table_arn   = module.table.arn
      kms_key_arn = var.kms_key_arn
      topic_arn   = module.alerts.arn
    }
    shards = module.definitions.shards
    function = merge(local.function, {
      zip                  = coalesce(var.zip, "${path.module}/dist/checker-${var.architecture}.zip")
      memory_mb            = var.memory_mb
      timeout_seconds      = var.timeout_seconds
      reserved_concurrency = var.reserved_concurrency
      metrics              = var.metrics
    })
    watchers = {
      for name, who in local.subscribers : name => { protocol = who.protocol, endpoint = who.endpoint }
      if who.watchdog != null ? who.watchdog : who.protocol != "sms" && (length(who.severities) == 0 || contains(who.severities, "critical"))
    }
  }
}
