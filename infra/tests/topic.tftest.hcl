# Subscribers: who hears what.

mock_provider "aws" { source = "./tests/mocks" }

variables {
  name = "portpulse-alerts"
}

run "each_subscriber_has_its_filter" {
  module { source = "./modules/topic" }
  variables {
    subscribers = {
      all    = { protocol = "email", endpoint = "all@example.com" }
      phone  = { protocol = "sms", endpoint = "+15555550100", severities = ["critical"] }
      orders = { protocol = "https", endpoint = "https://example.com/hook", severities = ["critical", "warning"], tags = ["team=orders"] }
    }
  }

  assert {
    condition     = aws_sns_topic_subscription.this["all"].filter_policy == null
    error_message = "Who names nothing hears everything."
  }
  assert {
    condition     = jsondecode(aws_sns_topic_subscription.this["phone"].filter_policy) == { severity = ["critical"] }
    error_message = "Severities are filtered by the attribute `severity`."
  }
  assert {
    condition     = jsondecode(aws_sns_topic_subscription.this["orders"].filter_policy) == { severity = ["critical", "warning"], tag = ["team=orders"] }
    error_message = "Tags are filtered by the attribute `tag`."
  }
}

run "a_number_without_country_is_refused" {
  command = plan
  module { source = "./modules/topic" }
  variables { subscribers = { phone = { protocol = "sms", endpoint = "0555 0100" } } }
  expect_failures = [var.subscribers]
}

run "an_unknown_protocol_is_refused" {
  command = plan
  module { source = "./modules/topic" }
  variables { subscribers = { pager = { protocol = "pager", endpoint = "x" } } }
  expect_failures = [var.subscribers]
}

run "an_unencrypted_hook_is_refused" {
  command = plan
  module { source = "./modules/topic" }
  variables { subscribers = { hook = { protocol = "https", endpoint = "http://example.com" } } }
  expect_failures = [var.subscribers]
}

run "an_unknown_severity_is_refused" {
  command = plan
  module { source = "./modules/topic" }
  variables { subscribers = { all = { protocol = "email", endpoint = "a@example.com", severities = ["fatal"] } } }
  expect_failures = [var.subscribers]
}
