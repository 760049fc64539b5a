# A topic: the filters of its subscribers, and the subscribers that it rejects.

mock_provider "aws" { source = "./tests/mocks" }

variables {
  name = "portpulse-alerts"
}

run "subscribers_have_severity_and_tag_filters" {
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
    error_message = "A subscriber without severities and tags must have no filter."
  }
  assert {
    condition     = jsondecode(aws_sns_topic_subscription.this["phone"].filter_policy) == { severity = ["critical"] }
    error_message = "Severities must be filtered by the attribute `severity`."
  }
  assert {
    condition     = jsondecode(aws_sns_topic_subscription.this["orders"].filter_policy) == { severity = ["critical", "warning"], tag = ["team=orders"] }
    error_message = "Tags must be filtered by the attribute `tag`."
  }
}

run "phone_number_without_country_code_fails" {
  command = plan
  module { source = "./modules/topic" }
  variables { subscribers = { phone = { protocol = "sms", endpoint = "0555 0100" } } }
  expect_failures = [var.subscribers]
}

run "unknown_protocol_fails" {
  command = plan
  module { source = "./modules/topic" }
  variables { subscribers = { pager = { protocol = "pager", endpoint = "x" } } }
  expect_failures = [var.subscribers]
}

run "unencrypted_endpoint_fails" {
  command = plan
  module { source = "./modules/topic" }
  variables { subscribers = { hook = { protocol = "https", endpoint = "http://example.com" } } }
  expect_failures = [var.subscribers]
}

run "unknown_severity_fails" {
  command = plan
  module { source = "./modules/topic" }
  variables { subscribers = { all = { protocol = "email", endpoint = "a@example.com", severities = ["fatal"] } } }
  expect_failures = [var.subscribers]
}
