# The dashboard of Portpulse itself, from free AWS metrics. An account has three free dashboards of up to 50 metrics
# each: this is one. https://aws.amazon.com/cloudwatch/pricing/
#
# It shows all 17 regions, deployed or not, so that it does not change when a region is added or removed; a region
# without data draws no line. With the metrics of the home region, two metrics of each region fit into the 50.
# Durations and throttles are on the console page of each Lambda.

locals {
  # The `metrics` of each widget, by its title: namespace, metric, dimension, its value, options.
  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
  checker_metrics = {
    for metric in ["Invocations", "Errors"] : metric => [
      for region in sort(var.regions) : ["AWS/Lambda", metric, "FunctionName", var.checker, { region = region, label = region }]
    ]
  }
  table_metrics = {
    for metric in ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "ReadThrottleEvents", "WriteThrottleEvents"] :
    metric => ["AWS/DynamoDB", metric, "TableName", var.home.table]
  }
  topic_metrics = [
    for metric in ["NumberOfMessagesPublished", "NumberOfNotificationsDelivered", "NumberOfNotificationsFailed"] :
    ["AWS/SNS", metric, "TopicName", var.home.topic]
  ]
  relay_metrics = concat(
    [for relay in var.home.relay[*] : ["AWS/Lambda", "Invocations", "FunctionName", relay]],
    [for relay in var.home.relay[*] : ["AWS/Lambda", "Errors", "FunctionName", relay]],
    [for queue in var.home.dead_letters[*] : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue, { stat = "Maximum" }]],
  )

  graphs = [
    for graph in [
      { title = "Checker invocations by region", stat = "Sum", metrics = local.checker_metrics.Invocations },
      { title = "Checker errors by region", stat = "Sum", metrics = local.checker_metrics.Errors },
      { title = "Table capacity units", stat = "Sum", metrics = [local.table_metrics.ConsumedReadCapacityUnits, local.table_metrics.ConsumedWriteCapacityUnits] },
      { title = "Throttled table requests", stat = "Sum", metrics = [local.table_metrics.ReadThrottleEvents, local.table_metrics.WriteThrottleEvents] },
      { title = "Alert topic", stat = "Sum", metrics = local.topic_metrics },
      { title = "Relay and dead-letter queue", stat = "Sum", metrics = local.relay_metrics },
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
