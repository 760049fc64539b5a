# The root module: its resources for given regions, and the settings that it rejects.

mock_provider "aws" { source = "./tests/mocks" }
mock_provider "aws" {
  alias  = "us-east-1"
  source = "./tests/mocks"
}
mock_provider "aws" {
  alias  = "us-east-2"
  source = "./tests/mocks"
}
mock_provider "aws" {
  alias  = "us-west-1"
  source = "./tests/mocks"
}
mock_provider "aws" {
  alias  = "us-west-2"
  source = "./tests/mocks"
}
mock_provider "aws" {
  alias  = "ca-central-1"
  source = "./tests/mocks"
}
mock_provider "aws" {
  alias  = "sa-east-1"
  source = "./tests/mocks"
}
mock_provider "aws" {
  alias  = "eu-west-1"
  source = "./tests/mocks"
}
mock_provider "aws" {
  alias  = "eu-west-2"
  source = "./tests/mocks"
}
mock_provider "aws" {
  alias  = "eu-west-3"
  source = "./tests/mocks"
}
mock_provider "aws" {
  alias  = "eu-central-1"
  source = "./tests/mocks"
}
mock_provider "aws" {
  alias  = "eu-north-1"
  source = "./tests/mocks"
}
mock_provider "aws" {
  alias  = "ap-south-1"
  source = "./tests/mocks"
}
mock_provider "aws" {
  alias  = "ap-northeast-1"
  source = "./tests/mocks"
}
mock_provider "aws" {
  alias  = "ap-northeast-2"
  source = "./tests/mocks"
}
mock_provider "aws" {
  alias  = "ap-northeast-3"
  source = "./tests/mocks"
}
mock_provider "aws" {
  alias  = "ap-southeast-1"
  source = "./tests/mocks"
}
mock_provider "aws" {
  alias  = "ap-southeast-2"
  source = "./tests/mocks"
}

variables {
  home_region = "eu-west-1"
  regions     = ["eu-west-1", "us-east-1", "ap-southeast-1"]
  zip         = "tests/fixtures/checker.bin"
}

run "each_region_has_one_checker" {
  variables {
    subscribers = {
      team  = { protocol = "email", endpoint = "team@example.com" }
      phone = { protocol = "sms", endpoint = "+15555550100" }
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
    condition     = local.checker.function.timeout_seconds == 60 && local.checker.function.architecture == "arm64"
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
    condition     = output.relay.function_name == "portpulse-relay" && length(module.home_watchdog) == 0
    error_message = "There must be a relay, whose alarm uses the watchdog of the home region's checker."
  }
}

run "relay_without_checker_at_home_creates_watchdog" {
  command = plan
  variables {
    home_region = "eu-north-1"
    relay_file  = "tests/fixtures/relay.yaml"
    relay_zip   = "tests/fixtures/checker.bin"
  }

  assert {
    condition     = length(module.home_watchdog) == 1
    error_message = "A home region without a checker must have a watchdog topic for the relay's alarm."
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
