# Resources of the home region that all regions share: the table, the alert topic and the definitions.

data "aws_region" "home" {
  lifecycle {
    postcondition {
      condition     = self.name == var.home_region
      error_message = "The default provider of this module has the region ${self.name}, and `home_region` is ${var.home_region}: pass a provider of the home region as `aws`."
    }
  }
}

# The home region of the first apply. A table and a topic in another region would be new and empty, and the provider of the first
# home region would be gone before it could delete its resources.
resource "terraform_data" "home" {
  input = var.home_region

  lifecycle {
    ignore_changes = [input]
  }
}

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

  name        = "${var.name}-alerts"
  kms_key_arn = lookup(var.topic_key_arns, var.home_region, null)
  subscribers = local.subscribers
}

module "definitions" {
  source = "./modules/definitions"

  definitions = var.monitors_file == null ? null : file(var.monitors_file)
  monitors    = var.monitors
  locations   = var.regions
  agents      = keys(var.agents)
  networks    = { for region, vpc in var.vpc : region => { ipv6 = vpc.ipv6, port_25 = vpc.port_25 } }
}

# One for each value of `monitors`, so that a mistake fails the plan although another value is known only after apply.
module "valid_monitors" {
  source   = "./modules/valid"
  for_each = module.definitions.variable_diagnostics

  place       = each.key
  diagnostics = each.value
}

module "destinations" {
  source = "./modules/destinations"

  destinations = var.relay_file == null ? "{}" : file(var.relay_file)
}

module "relay" {
  source = "./modules/relay"
  count  = local.relays ? 1 : 0

  name            = var.name
  home            = local.checker.home
  destinations    = module.destinations.json
  secrets         = module.destinations.secrets
  secret_key_arns = var.secret_key_arns
  watchdog_arn    = one(module.relay_watchdog[*].arn)
  function        = merge(local.function, local.zips.relay)
}

module "status" {
  source    = "./modules/status"
  count     = var.status == null ? 0 : 1
  providers = { aws = aws.status }

  name                 = var.name
  region               = coalesce(var.status.region, var.home_region)
  home                 = local.home
  groups               = toset(values(module.definitions.groups))
  access               = var.status.access
  announce_maintenance = var.status.announce_maintenance
  actions              = var.status.actions
  report_topic         = var.status.monthly_report ? { arn = module.alerts.arn, kms_key_arn = lookup(var.topic_key_arns, var.home_region, null) } : null
  page                 = var.status.page_file == null ? null : file(var.status.page_file)
  capacity             = var.capacity
  token                = var.status.token
  secret_key_arns      = var.secret_key_arns
  function = merge(local.function, local.zips.status, {
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

# The topic of the relay's alarms. It is not that of the home region's checker, so that `regions` can change without it: SNS knows topics
# by name, and two resources of one name would own the same topic.
module "relay_watchdog" {
  source = "./modules/topic"
  count  = local.relays ? 1 : 0

  name        = "${var.name}-relay-watchdog"
  kms_key_arn = lookup(var.topic_key_arns, var.home_region, null)
  subscribers = local.checker.watchers
}

locals {
  relays = module.destinations.json != "{}"

  # A zip of a release has its checksum in its name, so that a new release is a new file.
  zips = {
    for function, zip in { checker = var.zip, relay = var.relay_zip, status = var.status_zip } : function => {
      zip                          = zip != null ? zip : var.release == null ? "${path.module}/dist/${function}-${var.architecture}.zip" : "${path.root}/.portpulse/${function}-${local.sha256[function]}.zip"
      url                          = zip != null || var.release == null ? null : "${var.release.url}/${function}-${var.architecture}.zip"
      sha256                       = zip != null || var.release == null ? null : local.sha256[function]
    }
  }
  sha256 = { for function in ["checker", "relay", "status"] : function => try(var.release.sha256["${function}-${var.architecture}.zip"], "missing") }

  # SMS costs money: critical notifications only, unless severities are set.
  subscribers = {
    for name, who in var.subscribers : name => merge(who, {
      severities = who.severities != null ? who.severities : who.protocol == "sms" ? ["critical"] : []
    })
  }

  # Settings that all Lambdas share.
  function = {
    architecture         = var.architecture
    environment          = var.environment
    log_retention_days   = var.log_retention_days
    permissions_boundary = var.permissions_boundary
  }

  # Shared resources of the home region.
  home = {
    region          = var.home_region
    table_name      = module.table.name
    table_arn       = module.table.arn
    kms_key_arn     = var.kms_key_arn
    topic_arn       = module.alerts.arn
    topic_key_arn   = lookup(var.topic_key_arns, var.home_region, null)
    secrets         = module.definitions.secrets
    secret_key_arns = var.secret_key_arns
  }

  # The address that notifications link to. A browser cannot sign requests, so a page that requires IAM permissions has none.
  page_url = try(coalesce(var.status.url, one(module.status[*].browser_url)), null)

  # Settings that all checkers share.
  checker = {
    name   = var.name
    home   = merge(local.home, { page_url = local.page_url, standby = local.standby })
    shards = module.definitions.shards
    function = merge(local.function, local.zips.checker, {
      memory_mb            = var.memory_mb
      timeout_seconds      = var.timeout_seconds
      reserved_concurrency = var.reserved_concurrency
      metrics              = var.metrics
    })
    keys = var.topic_key_arns
    watchers = {
      for name, who in local.subscribers : name => { protocol = who.protocol, endpoint = who.endpoint }
      if who.watchdog != null ? who.watchdog : who.protocol != "sms" && (length(who.severities) == 0 || contains(who.severities, "critical"))
    }
  }
}
