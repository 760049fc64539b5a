# The dashboard: what it shows, within what costs nothing.

mock_provider "aws" { source = "./tests/mocks" }

variables {
  name    = "portpulse"
  checker = "portpulse-checker"
  regions = ["us-east-1", "eu-west-1"]
  home    = { region = "eu-west-1", table = "portpulse", topic = "portpulse-alerts" }
}

run "each_region_and_what_is_at_home" {
  module { source = "./modules/dashboard" }

  assert {
    condition = [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : "${widget.properties.title}: ${join(" ", [for metric in widget.properties.metrics : metric[1]])}"] == [
      "Ticks, by region: Invocations Invocations",
      "Ticks that failed, by region: Errors Errors",
      "Units of the table: ConsumedReadCapacityUnits ConsumedWriteCapacityUnits",
      "Requests that the table turned away: ReadThrottleEvents WriteThrottleEvents",
      "Alerts: NumberOfMessagesPublished NumberOfNotificationsDelivered NumberOfNotificationsFailed",
    ]
    error_message = "Without a relay, none is shown: ${aws_cloudwatch_dashboard.this.dashboard_body}"
  }
  assert {
    condition = jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets[0].properties.metrics == [
      ["AWS/Lambda", "Invocations", "FunctionName", "portpulse-checker", { region = "eu-west-1", label = "eu-west-1" }],
      ["AWS/Lambda", "Invocations", "FunctionName", "portpulse-checker", { region = "us-east-1", label = "us-east-1" }],
    ]
    error_message = "A metric is read in the region where it is."
  }
}

run "seventeen_regions_and_a_relay_cost_nothing" {
  module { source = "./modules/dashboard" }
  variables {
    regions = [for number in range(17) : "region-${number}"]
    home    = { region = "eu-west-1", table = "portpulse", topic = "portpulse-alerts", relay = "portpulse-relay", dead_letters = "portpulse-relay-dead-letters" }
  }

  assert {
    condition     = sum([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : length(widget.properties.metrics)]) == 44
    error_message = "At most 50 metrics: ${sum([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : length(widget.properties.metrics)])}"
  }
}
