# Lists this region as an expected location: an item in the state of each group, in the table of the home region. All
# checkers read the items in every tick, so that no checker changes when a region is added or removed.

resource "aws_dynamodb_table_item" "expected" {
  provider = aws.home
  for_each = local.targets

  table_name = var.home.table_name
  hash_key   = "pk"
  range_key  = "sk"
  item = jsonencode({
    pk = { S = "group#${each.key}" }
    sk = { S = "expects#${var.region}" }
  })

  # A location that does not report for two intervals and a minute is silent: it is listed after its Lambda exists and
  # before the first invocation (schedule.tf). Destruction runs in the opposite order.
  depends_on = [module.function]
}
