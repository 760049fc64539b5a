# That this region should report: an item on the board of each group, in the home region's table. All checkers read it
# there with every tick, so that none of them has to be changed when a region comes or goes.

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

  # A region is missed when it does not report for two intervals and a minute: it is expected once its Lambda is there,
  # and before it is invoked (schedule.tf). It goes in the opposite order.
  depends_on = [module.function]
}
