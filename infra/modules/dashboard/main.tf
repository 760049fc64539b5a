# The dashboard of Portpulse itself, from free AWS metrics. An account has three free dashboards of up to 50 metrics
# each: this is one. https://aws.amazon.com/cloudwatch/pricing/
#
# It shows all 17 regions, deployed or not, so that it does not change when a region is added or removed; a region
# without data draws no line. With the metrics of the home region, two metrics of each region fit into the 50.
# Durations and throttles are on the console page of each Lambda.

locals {
  # The `metrics` of each widget, by its title: namespace, metric, dimension, its value, options.
  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
  of_checkers = {
    for metric in ["Invocations", "Errors"] : metric => [
      for region in sort(var.regions) : ["AWS/Lambda", metric, "FunctionName", var.checker, { region = region, label = region }]
    ]
  }
  of_table = {
    for metric in ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "ReadThrottleEvents", "WriteThrottleEvents"] :
    metric => ["AWS/DynamoDB", metric, "TableName", var.home.table]
  }
  of_topic = [
    for metric in ["NumberOfMessagesPublished", "NumberOfNotificationsDelivered", "NumberOfNotificationsFailed"] :
    ["AWS/SNS", metric, "TopicName", var.home.topic]
  ]
  of_relay = concat(
    [for relay in var.home.relay[*] : ["AWS/Lambda", "Invocations", "FunctionName", relay]],
    [for relay in var.home.relay[*] : ["AWS/Lambda", "Errors", "FunctionName", relay]],
    [for queue in var.home.dead_letters[*] : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue, { stat = "Maximum" }]],
  )

  graphs = [
    for graph in [
      { title = "Ticks, by region", stat = "Sum", metrics = local.of_checkers.Invocations },
      { title = "Ticks that failed, by region", stat = "Sum", metrics = local.of_checkers.Errors },
      { title = "Units of the table", stat = "Sum", metrics = [local.of_table.ConsumedReadCapacityUnits, local.of_table.ConsumedWriteCapacityUnits] },
      { title = "Requests that the table turned away", stat = "Sum", metrics = [local.of_table.ReadThrottleEvents, local.of_table.WriteThrottleEvents] },
      { title = "Alerts", stat = "Sum", metrics = local.of_topic },
      { title = "The relay, and what it could not deliver", stat = "Sum", metrics = local.of_relay },
    ] : graph if length(graph.metrics) > 0
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  # Two graphs to a row of 24 columns.
  dashboard_body = jsonencode({
    widgets = [
      for index, graph in local.graphs : {
        type   = "metric"
        x      = 12 * (index % 2)
        y      = 6 * floor(index / 2)
        width  = 12
        height = 6
        properties = {
          title   = graph.title
          region  = var.home.region
          metrics = graph.metrics
          stat    = graph.stat
          period  = 300
          view    = "timeSeries"
          yAxis   = { left = { min = 0 } }
        }
      }
    ]
  })
}
