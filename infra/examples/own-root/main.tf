# Portpulse in a configuration of your own: it monitors a database that the same configuration creates, and a list of hosts.

provider "aws" {
  region = "eu-west-1"
}

provider "aws" {
  alias  = "us-east-1"
  region = "us-east-1"
}

provider "aws" {
  alias  = "eu-central-1"
  region = "eu-central-1"
}

resource "aws_db_instance" "orders" {
  identifier                  = "orders"
  engine                      = "postgres"
  instance_class              = "db.t4g.micro"
  allocated_storage           = 20
  username                    = "orders"
  manage_master_user_password = true
  publicly_accessible         = true
  skip_final_snapshot         = true
}

locals {
  shops = ["berlin", "lisbon", "oslo"]
}

module "portpulse" {
  source = "../.." # git::https://github.com/OWNER/portpulse//infra?ref=TAG

  home_region = "eu-west-1"
  regions     = ["eu-west-1", "us-east-1", "eu-central-1"]

  monitors = merge(
    {
      orders-db = {
        host    = aws_db_instance.orders.address # known after apply
        port    = aws_db_instance.orders.port
        service = "postgres"
        tier    = "critical"
        tags    = ["team=orders"]
      }
    },
    { for shop in local.shops : "shop-${shop}" => { host = "${shop}.shop.example.com", service = "https", http = { path = "/health" } } },
  )

  subscribers = {
    team = { protocol = "email", endpoint = "team@example.com" }
  }

  # A region without a checker may have any provider.
  providers = {
    aws                = aws
    aws.standby        = aws
    aws.status         = aws
    aws.us-east-1      = aws.us-east-1
    aws.us-east-2      = aws
    aws.us-west-1      = aws
    aws.us-west-2      = aws
    aws.ca-central-1   = aws
    aws.sa-east-1      = aws
    aws.eu-west-1      = aws
    aws.eu-west-2      = aws
    aws.eu-west-3      = aws
    aws.eu-central-1   = aws.eu-central-1
    aws.eu-north-1     = aws
    aws.ap-south-1     = aws
    aws.ap-northeast-1 = aws
    aws.ap-northeast-2 = aws
    aws.ap-northeast-3 = aws
    aws.ap-southeast-1 = aws
    aws.ap-southeast-2 = aws
  }
}

output "groups" {
  description = "The group of each monitor, such as 1m#0."
  value       = module.portpulse.groups
}

output "unconfirmed" {
  description = "Unconfirmed subscriptions, by region of the topic, as of the last refresh."
  value       = module.portpulse.unconfirmed
}
