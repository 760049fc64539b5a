# The standby: a table and a topic in a second region, for the time in which the home region is lost. It decides nothing
# (shared/store/HOME.md): checkers and agents copy decisions there, and notify through its topic that home cannot be reached.

variable "standby" {
  description = <<-EOT
    A standby in a second region, such as { region = "us-east-1" }, which need not run a checker; null for none. The provider `aws.standby`
    must be one of that region. While the home region cannot be reached, its topic notifies people of that, with what one location sees.
    To move it, remove it and apply first.
  EOT
  type        = object({ region = string })
  default     = null
}

data "aws_region" "standby" {
  provider = aws.standby
  count    = var.standby == null ? 0 : 1

  lifecycle {
    precondition {
      condition     = var.standby.region != var.home_region
      error_message = "`standby.region` is the home region, ${var.home_region}, and would be lost with it: choose another region."
    }
    postcondition {
      condition     = self.name == var.standby.region
      error_message = "The provider of the standby has the region ${self.name}, and `standby.region` is ${var.standby.region}: pass a provider of ${var.standby.region} as `aws.standby`."
    }
  }
}

# The region of the standby when it was created. A provider of another region would not find the resources in the first one, and Terraform
# would forget them.
resource "terraform_data" "standby" {
  count = var.standby == null ? 0 : 1
  input = var.standby.region

  lifecycle {
    ignore_changes = [input]
  }
}

# On demand and with a key of AWS, whatever the table of the home region has: while nothing is lost, it costs nothing.
module "standby_table" {
  source    = "./modules/table"
  count     = var.standby == null ? 0 : 1
  providers = { aws = aws.standby }

  name                   = "${var.name}-standby"
  point_in_time_recovery = false
  deletion_protection    = var.deletion_protection
  items                  = module.definitions.items
}

# The subscribers of the alert topic, without the relay: its Lambda is lost with the home region.
module "standby_alerts" {
  source    = "./modules/topic"
  count     = var.standby == null ? 0 : 1
  providers = { aws = aws.standby }

  name        = "${var.name}-standby-alerts"
  kms_key_arn = lookup(var.topic_key_arns, var.standby.region, null)
  subscribers = local.subscribers
}

# Where commands find the standby.
resource "aws_dynamodb_table_item" "standby" {
  count = var.standby == null ? 0 : 1

  table_name = module.table.name
  hash_key   = "pk"
  range_key  = "sk"
  item = jsonencode({
    pk        = { S = "standby" }
    sk        = { S = "standby" }
    region    = { S = var.standby.region }
    table     = { S = module.standby_table[0].name }
    topic_arn = { S = module.standby_alerts[0].arn }
  })
}

locals {
  standby = one([
    for region in var.standby[*].region : {
      region        = region
      table_name    = module.standby_table[0].name
      table_arn     = module.standby_table[0].arn
      topic_arn     = module.standby_alerts[0].arn
      topic_key_arn = lookup(var.topic_key_arns, region, null)
    }
  ])
}

output "standby" {
  description = "Region, table and topic of the standby; null without one."
  value       = one([for standby in local.standby[*] : { region = standby.region, table = standby.table_name, topic_arn = standby.topic_arn }])

  precondition {
    condition     = alltrue([for first in terraform_data.standby : first.output == var.standby.region])
    error_message = "`standby.region` is ${try(var.standby.region, "")}, and the standby is in ${join("", terraform_data.standby[*].output)}. To move it, set `standby = null` and keep the provider, apply, and then set the new region and provider."
  }
}
