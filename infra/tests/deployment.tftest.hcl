# The root module: its resources for given regions, and the settings that it rejects.

mock_provider "aws" { source = "./tests/mocks" }
mock_provider "aws" {
  alias  = "status"
  source = "./tests/mocks"
}
mock_provider "aws" {
  alias  = "standby"
  source = "./tests/mocks"
  mock_data "aws_region" { defaults = { name = "us-east-2" } }
  mock_resource "aws_dynamodb_table" { defaults = { arn = "arn:aws:dynamodb:us-east-2:123456789012:table/portpulse-standby" } }
  mock_resource "aws_sns_topic" { defaults = { arn = "arn:aws:sns:us-east-2:123456789012:portpulse-standby-alerts" } }
}
mock_provider "aws" {
  alias  = "us-east-1"
  source = "./tests/mocks"
  mock_data "aws_region" { defaults = { name = "us-east-1" } }
}
mock_provider "aws" {
  alias  = "us-east-2"
  source = "./tests/mocks"
  mock_data "aws_region" { defaults = { name = "us-east-2" } }
}
mock_provider "aws" {
  alias  = "us-west-1"
  source = "./tests/mocks"
  mock_data "aws_region" { defaults = { name = "us-west-1" } }
}
mock_provider "aws" {
  alias  = "us-west-2"
  source = "./tests/mocks"
  mock_data "aws_region" { defaults = { name = "us-west-2" } }
}
mock_provider "aws" {
  alias  = "ca-central-1"
  source = "./tests/mocks"
  mock_data "aws_region" { defaults = { name = "ca-central-1" } }
}
mock_provider "aws" {
  alias  = "sa-east-1"
  source = "./tests/mocks"
  mock_data "aws_region" { defaults = { name = "sa-east-1" } }
}
mock_provider "aws" {
  alias  = "eu-west-1"
  source = "./tests/mocks"
  mock_data "aws_region" { defaults = { name = "eu-west-1" } }
}
mock_provider "aws" {
  alias  = "eu-west-2"
  source = "./tests/mocks"
  mock_data "aws_region" { defaults = { name = "eu-west-2" } }
}
mock_provider "aws" {
  alias  = "eu-west-3"
  source = "./tests/mocks"
  mock_data "aws_region" { defaults = { name = "eu-west-3" } }
}
mock_provider "aws" {
  alias  = "eu-central-1"
  source = "./tests/mocks"
  mock_data "aws_region" { defaults = { name = "eu-central-1" } }
}
mock_provider "aws" {
  alias  = "eu-north-1"
  source = "./tests/mocks"
  mock_data "aws_region" { defaults = { name = "eu-north-1" } }
}
mock_provider "aws" {
  alias  = "ap-south-1"
  source = "./tests/mocks"
  mock_data "aws_region" { defaults = { name = "ap-south-1" } }
}
mock_provider "aws" {
  alias  = "ap-northeast-1"
  source = "./tests/mocks"
  mock_data "aws_region" { defaults = { name = "ap-northeast-1" } }
}
mock_provider "aws" {
  alias  = "ap-northeast-2"
  source = "./tests/mocks"
  mock_data "aws_region" { defaults = { name = "ap-northeast-2" } }
}
mock_provider "aws" {
  alias  = "ap-northeast-3"
  source = "./tests/mocks"
  mock_data "aws_region" { defaults = { name = "ap-northeast-3" } }
}
mock_provider "aws" {
  alias  = "ap-southeast-1"
  source = "./tests/mocks"
  mock_data "aws_region" { defaults = { name = "ap-southeast-1" } }
}
mock_provider "aws" {
  alias  = "ap-southeast-2"
  source = "./tests/mocks"
  mock_data "aws_region" { defaults = { name = "ap-southeast-2" } }
}

variables {
  home_region = "eu-west-1"
  regions     = ["eu-west-1", "us-east-1", "ap-southeast-1"]
  zip         = "tests/fixtures/checker.bin"

  monitors_file = "monitors.yaml"
}

run "each_region_has_one_checker" {
  variables {
    subscribers = {
      team  = { protocol = "email", endpoint = "team@example.com" }
      phone = { protocol = "sms", endpoint = "+447700900123" }
    }
  }

  assert {
    condition     = toset(keys(output.checkers)) == toset(["eu-west-1", "us-east-1", "ap-southeast-1"])
    error_message = "There must be one checker for each given region, and no other."
  }
  assert {
    condition     = output.table == "portpulse" && length(module.eu-west-2) == 0
    error_message = "The table must have the name of the deployment, and a region that is not given must have no resources."
  }
  assert {
    condition     = [join(",", local.subscribers["phone"].severities), join(",", local.subscribers["team"].severities)] == ["critical", ""]
    error_message = "By default, SMS must receive critical notifications only, and email all notifications."
  }
  assert {
    condition     = keys(local.checker.watchers) == ["team"]
    error_message = "By default, SMS must not be subscribed to the watchdogs."
  }
  assert {
    condition     = local.checker.function.timeout_seconds == 120 && local.checker.function.architecture == "arm64"
    error_message = "The checkers must have the default timeout and architecture."
  }
}

run "no_destination_creates_no_relay" {
  command = plan

  assert {
    condition     = length(module.relay) == 0 && output.relay == null
    error_message = "Without a destination, there must be no relay."
  }
}

run "destination_creates_relay" {
  variables {
    relay_file  = "tests/fixtures/relay.yaml"
    relay_zip   = "tests/fixtures/checker.bin"
    subscribers = { team = { protocol = "email", endpoint = "team@example.com" } }
  }

  assert {
    condition     = output.relay.function_name == "portpulse-relay" && one(module.relay_watchdog[*].name) == "portpulse-relay-watchdog"
    error_message = "There must be a relay, whose alarms have a topic of their own: the checker of the home region owns portpulse-watchdog."
  }
}

run "invalid_destinations_file_fails" {
  command = plan
  variables { relay_file = "tests/fixtures/invalid-relay.yaml" }
  expect_failures = [output.relay]
}

run "missing_destinations_file_fails" {
  command = plan
  variables { relay_file = "no/such/file.yaml" }
  expect_failures = [var.relay_file]
}

run "status_url_without_scheme_fails" {
  command = plan
  variables { status = { access = "public", url = "status.example.com" } }
  expect_failures = [var.status]
}

run "status_url_with_query_fails" {
  command = plan
  variables { status = { access = "public", url = "https://status.example.com/?team=a" } }
  expect_failures = [var.status]
}

run "opt_in_region_fails" {
  command = plan
  variables { regions = ["eu-west-1", "af-south-1"] }
  expect_failures = [var.regions]
}

run "empty_regions_fail" {
  command = plan
  variables { regions = [] }
  expect_failures = [var.regions]
}

run "repeated_region_fails" {
  command = plan
  variables { regions = ["eu-west-1", "eu-west-1"] }
  expect_failures = [var.regions]
}

run "unknown_home_region_fails" {
  command = plan
  variables { home_region = "mars-north-1" }
  expect_failures = [var.home_region]
}

run "name_with_invalid_characters_fails" {
  command = plan
  variables { name = "Port_Pulse" }
  expect_failures = [var.name]
}

run "missing_definitions_file_fails" {
  command = plan
  variables { monitors_file = "no/such/file.yaml" }
  expect_failures = [var.monitors_file]
}

run "invalid_definitions_file_fails" {
  command = plan
  variables { monitors_file = "tests/fixtures/invalid-monitors.yaml" }
  expect_failures = [output.groups]
}

run "home_region_of_other_provider_fails" {
  command = plan
  variables { home_region = "eu-west-2" }
  # The first refuses the provider, the second the change: earlier runs applied another home region.
  expect_failures = [data.aws_region.home, output.table]
}

run "no_monitors_fail" {
  command = plan
  variables { monitors_file = null }
  expect_failures = [output.groups]
}

run "release_without_https_fails" {
  command = plan
  variables { release = { url = "http://example.com", sha256 = {} } }
  expect_failures = [var.release]
}

run "sms_settings_of_account_are_set_only_if_given" {
  command = plan
  variables { sms = { monthly_usd = 10, sender_id = "Portpulse" } }

  assert {
    condition     = [for each in aws_sns_sms_preferences.this : [each.monthly_spend_limit, each.default_sender_id, each.default_sms_type]] == [[10, "Portpulse", "Transactional"]]
    error_message = "The account must have the given limit and sender."
  }
  assert {
    condition     = length(aws_budgets_budget.this) == 0
    error_message = "There must be no budget unless one is given."
  }
}

run "budget_sends_email_at_80_percent" {
  command = plan
  variables { budget = { monthly_usd = 5, emails = ["team@example.com"], tag = { key = "Project", value = "portpulse" } } }

  assert {
    condition     = { for each in aws_budgets_budget.this[0].notification : each.notification_type => each.threshold } == { ACTUAL = 80, FORECASTED = 100 }
    error_message = "The budget must notify of 80 % of the costs, and of a forecast of 100 %."
  }
  assert {
    condition     = [for filter in aws_budgets_budget.this[0].cost_filter : join(" ", filter.values)] == ["user:Project$portpulse"]
    error_message = "Only resources with the tag must count."
  }
  assert {
    condition     = length(aws_sns_sms_preferences.this) == 0
    error_message = "The SMS settings of the account must stay unchanged unless given."
  }
}

run "budget_without_emails_fails" {
  command = plan
  variables { budget = { monthly_usd = 5, emails = [] } }
  expect_failures = [var.budget]
}

run "sms_limit_below_a_dollar_fails" {
  command = plan
  variables { sms = { monthly_usd = 0 } }
  expect_failures = [var.sms]
}

run "boundary_that_is_no_policy_fails" {
  command = plan
  variables { permissions_boundary = "boundary" }
  expect_failures = [var.permissions_boundary]
}

run "on_call_policy_writes_controls_only" {
  assert {
    condition = [for statement in jsondecode(output.on_call_policy).Statement : statement if statement.Sid == "SilenceAcknowledgeAndNote"] == [{
      Sid       = "SilenceAcknowledgeAndNote", Effect = "Allow", Action = ["dynamodb:PutItem"], Resource = ["arn:aws:dynamodb:eu-west-1:123456789012:table/portpulse"]
      Condition = { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["controls", "notes"] }, Null = { "dynamodb:LeadingKeys" = ["false"] } }
    }]
    error_message = "People on call may write silences, acknowledgements and notes only: ${output.on_call_policy}"
  }
  assert {
    condition     = length(jsondecode(output.on_call_policy).Statement) == 2
    error_message = "The other statement must read the table: ${output.on_call_policy}"
  }
}

run "deployer_policy_fits_and_names_resources" {
  assert {
    condition     = length(output.deployer_policy) <= 6144
    error_message = "A managed policy has at most 6,144 characters, and this one ${length(output.deployer_policy)}."
  }
  assert {
    condition     = [for statement in jsondecode(output.deployer_policy).Statement : statement.Sid if contains(statement.Resource, "*")] == ["Account"]
    error_message = "Only actions that support no resource may have `*`."
  }
}

run "agent_is_deployed" {
  variables {
    permissions_boundary = "arn:aws:iam::123456789012:policy/boundary"
    agents               = { office-berlin-2 = { user = true } }
    monitors = {
      printer = {
        host = "192.168.0.7", service = "http", tier = "critical", locations = ["office-berlin-2"]
        http = { bearer_token = "ssm:/office/printer" }
      }
    }
  }

  assert {
    condition     = output.agents["office-berlin-2"].user == "portpulse-agent-office-berlin-2" && length(module.agent) == 1
    error_message = "There must be an agent with a user."
  }
  assert {
    condition     = module.agent["office-berlin-2"].boundaries == ["arn:aws:iam::123456789012:policy/boundary"]
    error_message = "The permissions boundary must apply to the user of an agent."
  }
  assert {
    condition     = strcontains(module.agent["office-berlin-2"].policy, "parameter/office/printer") && length(module.definitions.secrets) == 0
    error_message = "The agent must read the secret of its monitor, and regions must not."
  }
}

run "agent_with_the_name_of_a_region_fails" {
  command = plan
  variables { agents = { eu-west-2 = {} } }
  expect_failures = [var.agents]
}

run "without_standby_nothing_names_it" {
  assert {
    condition     = output.standby == null && length(module.standby_table) + length(module.standby_alerts) + length(aws_dynamodb_table_item.standby) == 0
    error_message = "Without a standby, there must be no table, no topic and no item of it."
  }
  assert {
    condition     = local.checker.home.standby == null && !strcontains(output.on_call_policy, "-standby")
    error_message = "Without a standby, neither checkers nor people on call may have permissions on it."
  }
}

run "standby_in_home_region_fails" {
  command = plan
  variables { standby = { region = "eu-west-1" } }
  override_data {
    target = data.aws_region.standby
    values = { name = "eu-west-1" }
  }
  expect_failures = [data.aws_region.standby]
}

run "standby_has_definitions_and_subscribers" {
  variables {
    standby        = { region = "us-east-2" }
    capacity       = "always_free"
    kms_key_arn    = "arn:aws:kms:eu-west-1:123456789012:key/1"
    topic_key_arns = { us-east-2 = "arn:aws:kms:us-east-2:123456789012:key/2" }
    relay_file     = "tests/fixtures/relay.yaml"
    relay_zip      = "tests/fixtures/checker.bin"
    subscribers = {
      team  = { protocol = "email", endpoint = "team@example.com", tags = ["team=orders"] }
      phone = { protocol = "sms", endpoint = "+447700900123" }
    }
  }

  assert {
    condition = output.standby == {
      region = "us-east-2", table = "portpulse-standby", topic_arn = "arn:aws:sns:us-east-2:123456789012:portpulse-standby-alerts"
    }
    error_message = "The output must name region, table and topic of the standby."
  }
  assert {
    condition     = module.standby_table[0].settings == { items = module.table.settings.items, billing_mode = "PAY_PER_REQUEST", protected = true, recoverable = false, key_arn = null }
    error_message = "The table must have the same definitions, and be on demand, protected and without a key of the customer: ${jsonencode(module.standby_table[0].settings)}"
  }
  assert {
    condition     = module.standby_alerts[0].settings == merge(module.alerts.settings, { name = "portpulse-standby-alerts", key_arn = "arn:aws:kms:us-east-2:123456789012:key/2" })
    error_message = "The topic must have the subscribers of the alert topic with their filters, SMS too, and the key of its region: ${jsonencode(module.standby_alerts[0].settings)}"
  }
  assert {
    condition = jsondecode(aws_dynamodb_table_item.standby[0].item) == {
      pk        = { S = "standby" }, sk = { S = "standby" }, region = { S = "us-east-2" }, table = { S = "portpulse-standby" }
      topic_arn = { S = "arn:aws:sns:us-east-2:123456789012:portpulse-standby-alerts" }
    } && aws_dynamodb_table_item.standby[0].table_name == "portpulse"
    error_message = "The table in the home region must name the standby: ${aws_dynamodb_table_item.standby[0].item}"
  }
  assert {
    condition     = local.checker.home.standby.topic_key_arn == "arn:aws:kms:us-east-2:123456789012:key/2" && local.checker.home.standby.table_name == "portpulse-standby"
    error_message = "Checkers and agents must know the standby and the key of its topic."
  }
  assert {
    condition = [for statement in jsondecode(output.on_call_policy).Statement : statement if statement.Sid == "CopyToStandby"] == [{
      Sid       = "CopyToStandby", Effect = "Allow", Action = ["dynamodb:GetItem", "dynamodb:PutItem"], Resource = ["arn:aws:dynamodb:us-east-2:123456789012:table/portpulse-standby"]
      Condition = { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["controls"] }, Null = { "dynamodb:LeadingKeys" = ["false"] } }
    }]
    error_message = "People on call may copy silences and acknowledgements to the standby, and nothing else: ${output.on_call_policy}"
  }
  assert {
    condition     = strcontains(output.deployer_policy, "\"arn:aws:dynamodb:*:123456789012:table/portpulse-standby\"")
    error_message = "Whoever applies the module must be allowed to create the table of the standby."
  }
}

run "moved_standby_fails" {
  command = plan
  variables { standby = { region = "us-west-2" } }
  # The first refuses the provider, the second the change: the run before applied another region.
  expect_failures = [data.aws_region.standby, output.standby]
}
