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
      phone  = { protocol = "sms", endpoint = "+447700900123", severities = ["critical"] }
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

run "two_subscribers_with_one_endpoint_fail" {
  command = plan
  module { source = "./modules/topic" }
  variables {
    subscribers = {
      team     = { protocol = "email", endpoint = "team@example.com", severities = ["critical"] }
      everyone = { protocol = "email", endpoint = "Team@example.com" }
    }
  }
  expect_failures = [var.subscribers]
}

run "one_address_with_two_protocols_is_valid" {
  command = plan
  module { source = "./modules/topic" }
  variables {
    subscribers = {
      hook  = { protocol = "https", endpoint = "https://example.com/a" }
      other = { protocol = "https", endpoint = "https://example.com/A" }
    }
  }
}

run "confirmation_without_authentication_is_listed" {
  module { source = "./modules/topic" }
  variables {
    subscribers = {
      clicked = { protocol = "email", endpoint = "clicked@example.com" }
      phone   = { protocol = "sms", endpoint = "+447700900123" }
    }
  }
  override_resource {
    target = aws_sns_topic_subscription.this
    values = { pending_confirmation = false, confirmation_was_authenticated = false }
  }

  assert {
    condition     = output.unauthenticated == ["clicked"] && output.unconfirmed == []
    error_message = "An email subscriber who opened the link must be listed, and a phone number not: ${jsonencode(output.unauthenticated)}"
  }
}

run "authenticated_confirmation_is_not_listed" {
  module { source = "./modules/topic" }
  variables { subscribers = { team = { protocol = "email", endpoint = "team@example.com" } } }
  override_resource {
    target = aws_sns_topic_subscription.this
    values = { pending_confirmation = false, confirmation_was_authenticated = true }
  }

  assert {
    condition     = output.unauthenticated == []
    error_message = "An authenticated confirmation must not be listed: ${jsonencode(output.unauthenticated)}"
  }
}

run "customer_managed_key_encrypts_messages" {
  command = plan
  module { source = "./modules/topic" }
  variables { kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1" }

  assert {
    condition     = aws_sns_topic.this.kms_master_key_id == "arn:aws:kms:eu-west-1:123456789012:key/1"
    error_message = "The topic must have the given key."
  }
}

run "key_alias_fails" {
  command = plan
  module { source = "./modules/topic" }
  variables { kms_key_arn = "alias/aws/sns" }
  expect_failures = [var.kms_key_arn]
}
