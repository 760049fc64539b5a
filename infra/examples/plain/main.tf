# A deployment of its own, which can use every region. Edit this file: ../../variables.tf describes all arguments.

module "portpulse" {
  source = "../.." # in a repository of your own: git::https://github.com/OWNER/portpulse//infra?ref=TAG

  home_region   = "eu-west-1" # the region of the provider without an alias
  regions       = ["eu-west-1", "us-east-1", "ap-southeast-1"]
  monitors_file = "${path.module}/../../monitors.yaml"
  relay_file    = "${path.module}/../../relay.yaml"

  subscribers = {
    team = { protocol = "email", endpoint = "team@example.com" }
  }

  providers = {
    aws                = aws
    aws.standby        = aws
    aws.status         = aws
    aws.us-east-1      = aws.us-east-1
    aws.us-east-2      = aws.us-east-2
    aws.us-west-1      = aws.us-west-1
    aws.us-west-2      = aws.us-west-2
    aws.ca-central-1   = aws.ca-central-1
    aws.sa-east-1      = aws.sa-east-1
    aws.eu-west-1      = aws.eu-west-1
    aws.eu-west-2      = aws.eu-west-2
    aws.eu-west-3      = aws.eu-west-3
    aws.eu-central-1   = aws.eu-central-1
    aws.eu-north-1     = aws.eu-north-1
    aws.ap-south-1     = aws.ap-south-1
    aws.ap-northeast-1 = aws.ap-northeast-1
    aws.ap-northeast-2 = aws.ap-northeast-2
    aws.ap-northeast-3 = aws.ap-northeast-3
    aws.ap-southeast-1 = aws.ap-southeast-1
    aws.ap-southeast-2 = aws.ap-southeast-2
  }
}
