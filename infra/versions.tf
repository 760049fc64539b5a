terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6.0"
      # The default provider is that of the home region; a region without a checker may have any provider.
      # `aws.status` is that of the region of the status page, by default the home region, and `aws.standby` that of the standby, if there
      # is one.
      configuration_aliases = [
        aws.standby,
        aws.status,
        aws.us-east-1,
        aws.us-east-2,
        aws.us-west-1,
        aws.us-west-2,
        aws.ca-central-1,
        aws.sa-east-1,
        aws.eu-west-1,
        aws.eu-west-2,
        aws.eu-west-3,
        aws.eu-central-1,
        aws.eu-north-1,
        aws.ap-south-1,
        aws.ap-northeast-1,
        aws.ap-northeast-2,
        aws.ap-northeast-3,
        aws.ap-southeast-1,
        aws.ap-southeast-2,
      ]
    }
  }
}
