terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6.0"
      # Provider of the home region, for the items of this region in its table.
      configuration_aliases = [aws.home]
    }
  }
}
