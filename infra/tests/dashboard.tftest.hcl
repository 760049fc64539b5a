# The dashboard: its graphs, and the free number of metrics.

mock_provider "aws" { source = "./tests/mocks" }

variables {
  name    = "portpulse"
  checker = "portpulse-checker"
  regions = ["us-east-1", "eu-west-1"]
  home    = { region = "eu-west-1", table = "portpulse", topic = "portpulse-alerts" }
}

run "dashboard_without_relay_has_region_and_home_graphs" {
  module { source = "./modules/dashboard" }

  assert {
    condition = [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : "${widget.properties.title}: ${join(" ", [for metric in widget.properties.metrics : metric[1]])}"] == [
      "Checker invocations by region: Invocations Invocations",
      "Checker errors by region: Errors Errors",
      "Table capacity units: ConsumedReadCapacityUnits ConsumedWriteCapacityUnits",
      "Throttled table requests: ReadThrottleEvents WriteThrottleEvents",
      "Alert topic: NumberOfMessagesPublished NumberOfNotificationsDelivered NumberOfNotificationsFailed",
    ]
    error_message = "A dashboard without a relay must have these graphs: ${aws_cloudwatch_dashboard.this.dashboard_body}"
  }
  assert {
    condition = jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets[0].properties.metrics == [
      ["AWS/Lambda", "Invocations", "FunctionName", "portpulse-checker", { region = "eu-west-1", label = "eu-west-1" }],
      ["AWS/Lambda", "Invocations", "FunctionName", "portpulse-checker", { region = "us-east-1", label = "us-east-1" }],
    ]
    error_message = "Each metric must be read from its own region."
  }
}

run "seventeen_regions_and_relay_stay_within_free_metrics" {
  module { source = "./modules/dashboard" }
  variables {
    regions = [for number in range(17) : "region-${number}"]
    home    = { region = "eu-west-1", table = "portpulse", topic = "portpulse-alerts", relay = "portpulse-relay", dead_letters = "portpulse-relay-dead-letters" }
  }

  assert {
    condition     = sum([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : length(widget.properties.metrics)]) == 44
    error_message = "There must be 44 metrics, within the 50 of a free dashboard: ${sum([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : length(widget.properties.metrics)])}"
  }
}
