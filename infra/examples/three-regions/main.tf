# A deployment in three regions, which starts three provider processes instead of 18. To add a region, add its provider; to remove one,
# remove it from `regions`, apply, and then remove its provider.

locals {
  tags = { Project = "portpulse" }
}

provider "aws" {
  region = "eu-west-1"
  default_tags { tags = local.tags }
}

provider "aws" {
  alias  = "us-east-1"
  region = "us-east-1"
  default_tags { tags = local.tags }
}

provider "aws" {
  alias  = "ap-southeast-1"
  region = "ap-southeast-1"
  default_tags { tags = local.tags }
}

module "portpulse" {
  source = "../.."

  home_region   = "eu-west-1"
  regions       = ["eu-west-1", "us-east-1", "ap-southeast-1"]
  monitors_file = "${path.module}/../../monitors.yaml"

  # A region without a checker may have any provider: the plan fails if a checker had the provider of another region.
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
    aws.eu-central-1   = aws
    aws.eu-north-1     = aws
    aws.ap-south-1     = aws
    aws.ap-northeast-1 = aws
    aws.ap-northeast-2 = aws
    aws.ap-northeast-3 = aws
    aws.ap-southeast-1 = aws.ap-southeast-1
    aws.ap-southeast-2 = aws
  }
}

output "unconfirmed" {
  description = "Unconfirmed subscriptions, by region of the topic, as of the last refresh."
  value       = module.portpulse.unconfirmed
}
