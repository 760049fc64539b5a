# A topic and its subscriptions.

resource "aws_sns_topic" "this" {
  name              = var.name
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_subscription" "this" {
  for_each = var.subscribers

  topic_arn = aws_sns_topic.this.arn
  protocol  = each.value.protocol
  endpoint  = each.value.endpoint

  # Each message carries the attributes `severity` and `tag`, each a text or a list of texts.
  filter_policy = length(local.filters[each.key]) == 0 ? null : jsonencode(local.filters[each.key])
}

locals {
  filters = {
    for name, subscriber in var.subscribers : name => {
      for attribute, values in { severity = subscriber.severities, tag = subscriber.tags } : attribute => values if length(values) > 0
    }
  }
}
