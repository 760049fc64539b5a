terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
      # The home region's, for what is said there of this region.
      configuration_aliases = [aws.home]
    }
  }
}
