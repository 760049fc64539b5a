# The whole: what is made for the regions named, and which settings are refused.

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

run "each_region_named_has_a_checker" {
  variables {
    subscribers = {
      team  = { protocol = "email", endpoint = "team@example.com" }
      phone = { protocol = "sms", endpoint = "+15555550100" }
    }
  }

  assert {
    condition     = toset(keys(output.checkers)) == toset(["eu-west-1", "us-east-1", "ap-southeast-1"])
    error_message = "A checker for each region named, and no other."
  }
  assert {
    condition     = output.table == "portpulse" && length(module.eu-west-2) == 0
    error_message = "The table carries the name of the deployment."
  }
  assert {
    condition     = [join(",", local.subscribers["phone"].severities), join(",", local.subscribers["team"].severities)] == ["critical", ""]
    error_message = "SMS hears only what is critical; email hears everything."
  }
  assert {
    condition     = keys(local.checker.watchers) == ["team"]
    error_message = "SMS is not subscribed in each region unless asked for."
  }
  assert {
    condition     = local.checker.function.timeout_seconds == 60 && local.checker.function.architecture == "arm64"
    error_message = "The defaults reach the checkers."
  }
}

run "nobody_to_relay_to_needs_no_relay" {
  command = plan

  assert {
    condition     = length(module.relay) == 0 && output.relay == null
    error_message = "Without a destination there is no relay."
  }
}

run "a_destination_needs_a_relay" {
  variables {
    relay_file  = "tests/fixtures/relay.yaml"
    relay_zip   = "tests/fixtures/checker.bin"
    subscribers = { team = { protocol = "email", endpoint = "team@example.com" } }
  }

  assert {
    condition     = output.relay.function_name == "portpulse-relay" && length(module.home_watchdog) == 0
    error_message = "There is a relay; the home region's watchdog hears of its troubles."
  }
}

run "where_home_does_not_check_there_is_a_watchdog_for_the_relay" {
  command = plan
  variables {
    home_region = "eu-north-1"
    relay_file  = "tests/fixtures/relay.yaml"
    relay_zip   = "tests/fixtures/checker.bin"
  }

  assert {
    condition     = length(module.home_watchdog) == 1
    error_message = "Somebody hears of the relay's troubles."
  }
}

run "a_faulty_file_of_destinations_is_refused" {
  command = plan
  variables { relay_file = "tests/fixtures/faulty-relay.yaml" }
  expect_failures = [output.relay]
}

run "a_file_of_destinations_that_is_not_there_is_refused" {
  command = plan
  variables { relay_file = "no/such/file.yaml" }
  expect_failures = [var.relay_file]
}

run "a_region_that_must_be_opted_into_is_refused" {
  command = plan
  variables { regions = ["eu-west-1", "af-south-1"] }
  expect_failures = [var.regions]
}

run "no_region_is_refused" {
  command = plan
  variables { regions = [] }
  expect_failures = [var.regions]
}

run "a_region_named_twice_is_refused" {
  command = plan
  variables { regions = ["eu-west-1", "eu-west-1"] }
  expect_failures = [var.regions]
}

run "an_unknown_home_is_refused" {
  command = plan
  variables { home_region = "mars-north-1" }
  expect_failures = [var.home_region]
}

run "a_name_that_breaks_others_is_refused" {
  command = plan
  variables { name = "Port_Pulse" }
  expect_failures = [var.name]
}

run "a_definitions_file_that_is_not_there_is_refused" {
  command = plan
  variables { monitors_file = "no/such/file.yaml" }
  expect_failures = [var.monitors_file]
}

run "a_faulty_definitions_file_is_refused" {
  command = plan
  variables { monitors_file = "tests/fixtures/faulty.yaml" }
  expect_failures = [output.groups]
}
