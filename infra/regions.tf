# The checkers, one module for each region.
#
# `providers` cannot depend on a variable, and a provider of version 5.x serves one region: each of the 17 regions that are enabled by
# default is spelled out. A region that is removed from the list is destroyed cleanly, because its provider stays.
#
# The module of a region has all its resources, including its items in the table of the home region, so that adding or
# removing a region changes nothing else.

module "us-east-1" {
  source    = "./modules/checker"
  count     = contains(var.regions, "us-east-1") ? 1 : 0
  providers = { aws = aws.us-east-1, aws.home = aws }

  region   = "us-east-1"
  vpc      = lookup(var.vpc, "us-east-1", null)
  name     = local.checker.name
  home     = local.checker.home
  shards   = local.checker.shards
  function = local.checker.function
  watchers = local.checker.watchers
  keys     = local.checker.keys
}

module "us-east-2" {
  source    = "./modules/checker"
  count     = contains(var.regions, "us-east-2") ? 1 : 0
  providers = { aws = aws.us-east-2, aws.home = aws }

  region   = "us-east-2"
  vpc      = lookup(var.vpc, "us-east-2", null)
  name     = local.checker.name
  home     = local.checker.home
  shards   = local.checker.shards
  function = local.checker.function
  watchers = local.checker.watchers
  keys     = local.checker.keys
}

module "us-west-1" {
  source    = "./modules/checker"
  count     = contains(var.regions, "us-west-1") ? 1 : 0
  providers = { aws = aws.us-west-1, aws.home = aws }

  region   = "us-west-1"
  vpc      = lookup(var.vpc, "us-west-1", null)
  name     = local.checker.name
  home     = local.checker.home
  shards   = local.checker.shards
  function = local.checker.function
  watchers = local.checker.watchers
  keys     = local.checker.keys
}

module "us-west-2" {
  source    = "./modules/checker"
  count     = contains(var.regions, "us-west-2") ? 1 : 0
  providers = { aws = aws.us-west-2, aws.home = aws }

  region   = "us-west-2"
  vpc      = lookup(var.vpc, "us-west-2", null)
  name     = local.checker.name
  home     = local.checker.home
  shards   = local.checker.shards
  function = local.checker.function
  watchers = local.checker.watchers
  keys     = local.checker.keys
}

module "ca-central-1" {
  source    = "./modules/checker"
  count     = contains(var.regions, "ca-central-1") ? 1 : 0
  providers = { aws = aws.ca-central-1, aws.home = aws }

  region   = "ca-central-1"
  vpc      = lookup(var.vpc, "ca-central-1", null)
  name     = local.checker.name
  home     = local.checker.home
  shards   = local.checker.shards
  function = local.checker.function
  watchers = local.checker.watchers
  keys     = local.checker.keys
}

module "sa-east-1" {
  source    = "./modules/checker"
  count     = contains(var.regions, "sa-east-1") ? 1 : 0
  providers = { aws = aws.sa-east-1, aws.home = aws }

  region   = "sa-east-1"
  vpc      = lookup(var.vpc, "sa-east-1", null)
  name     = local.checker.name
  home     = local.checker.home
  shards   = local.checker.shards
  function = local.checker.function
  watchers = local.checker.watchers
  keys     = local.checker.keys
}

module "eu-west-1" {
  source    = "./modules/checker"
  count     = contains(var.regions, "eu-west-1") ? 1 : 0
  providers = { aws = aws.eu-west-1, aws.home = aws }

  region   = "eu-west-1"
  vpc      = lookup(var.vpc, "eu-west-1", null)
  name     = local.checker.name
  home     = local.checker.home
  shards   = local.checker.shards
  function = local.checker.function
  watchers = local.checker.watchers
  keys     = local.checker.keys
}

module "eu-west-2" {
  source    = "./modules/checker"
  count     = contains(var.regions, "eu-west-2") ? 1 : 0
  providers = { aws = aws.eu-west-2, aws.home = aws }

  region   = "eu-west-2"
  vpc      = lookup(var.vpc, "eu-west-2", null)
  name     = local.checker.name
  home     = local.checker.home
  shards   = local.checker.shards
  function = local.checker.function
  watchers = local.checker.watchers
  keys     = local.checker.keys
}

module "eu-west-3" {
  source    = "./modules/checker"
  count     = contains(var.regions, "eu-west-3") ? 1 : 0
  providers = { aws = aws.eu-west-3, aws.home = aws }

  region   = "eu-west-3"
  vpc      = lookup(var.vpc, "eu-west-3", null)
  name     = local.checker.name
  home     = local.checker.home
  shards   = local.checker.shards
  function = local.checker.function
  watchers = local.checker.watchers
  keys     = local.checker.keys
}

module "eu-central-1" {
  source    = "./modules/checker"
  count     = contains(var.regions, "eu-central-1") ? 1 : 0
  providers = { aws = aws.eu-central-1, aws.home = aws }

  region   = "eu-central-1"
  vpc      = lookup(var.vpc, "eu-central-1", null)
  name     = local.checker.name
  home     = local.checker.home
  shards   = local.checker.shards
  function = local.checker.function
  watchers = local.checker.watchers
  keys     = local.checker.keys
}

module "eu-north-1" {
  source    = "./modules/checker"
  count     = contains(var.regions, "eu-north-1") ? 1 : 0
  providers = { aws = aws.eu-north-1, aws.home = aws }

  region   = "eu-north-1"
  vpc      = lookup(var.vpc, "eu-north-1", null)
  name     = local.checker.name
  home     = local.checker.home
  shards   = local.checker.shards
  function = local.checker.function
  watchers = local.checker.watchers
  keys     = local.checker.keys
}

module "ap-south-1" {
  source    = "./modules/checker"
  count     = contains(var.regions, "ap-south-1") ? 1 : 0
  providers = { aws = aws.ap-south-1, aws.home = aws }

  region   = "ap-south-1"
  vpc      = lookup(var.vpc, "ap-south-1", null)
  name     = local.checker.name
  home     = local.checker.home
  shards   = local.checker.shards
  function = local.checker.function
  watchers = local.checker.watchers
  keys     = local.checker.keys
}

module "ap-northeast-1" {
  source    = "./modules/checker"
  count     = contains(var.regions, "ap-northeast-1") ? 1 : 0
  providers = { aws = aws.ap-northeast-1, aws.home = aws }

  region   = "ap-northeast-1"
  vpc      = lookup(var.vpc, "ap-northeast-1", null)
  name     = local.checker.name
  home     = local.checker.home
  shards   = local.checker.shards
  function = local.checker.function
  watchers = local.checker.watchers
  keys     = local.checker.keys
}

module "ap-northeast-2" {
  source    = "./modules/checker"
  count     = contains(var.regions, "ap-northeast-2") ? 1 : 0
  providers = { aws = aws.ap-northeast-2, aws.home = aws }

  region   = "ap-northeast-2"
  vpc      = lookup(var.vpc, "ap-northeast-2", null)
  name     = local.checker.name
  home     = local.checker.home
  shards   = local.checker.shards
  function = local.checker.function
  watchers = local.checker.watchers
  keys     = local.checker.keys
}

module "ap-northeast-3" {
  source    = "./modules/checker"
  count     = contains(var.regions, "ap-northeast-3") ? 1 : 0
  providers = { aws = aws.ap-northeast-3, aws.home = aws }

  region   = "ap-northeast-3"
  vpc      = lookup(var.vpc, "ap-northeast-3", null)
  name     = local.checker.name
  home     = local.checker.home
  shards   = local.checker.shards
  function = local.checker.function
  watchers = local.checker.watchers
  keys     = local.checker.keys
}

module "ap-southeast-1" {
  source    = "./modules/checker"
  count     = contains(var.regions, "ap-southeast-1") ? 1 : 0
  providers = { aws = aws.ap-southeast-1, aws.home = aws }

  region   = "ap-southeast-1"
  vpc      = lookup(var.vpc, "ap-southeast-1", null)
  name     = local.checker.name
  home     = local.checker.home
  shards   = local.checker.shards
  function = local.checker.function
  watchers = local.checker.watchers
  keys     = local.checker.keys
}

module "ap-southeast-2" {
  source    = "./modules/checker"
  count     = contains(var.regions, "ap-southeast-2") ? 1 : 0
  providers = { aws = aws.ap-southeast-2, aws.home = aws }

  region   = "ap-southeast-2"
  vpc      = lookup(var.vpc, "ap-southeast-2", null)
  name     = local.checker.name
  home     = local.checker.home
  shards   = local.checker.shards
  function = local.checker.function
  watchers = local.checker.watchers
  keys     = local.checker.keys
}

locals {
  # Every region that may check, with its checker if it does.
  every_region = {
    "us-east-1"      = module.us-east-1
    "us-east-2"      = module.us-east-2
    "us-west-1"      = module.us-west-1
    "us-west-2"      = module.us-west-2
    "ca-central-1"   = module.ca-central-1
    "sa-east-1"      = module.sa-east-1
    "eu-west-1"      = module.eu-west-1
    "eu-west-2"      = module.eu-west-2
    "eu-west-3"      = module.eu-west-3
    "eu-central-1"   = module.eu-central-1
    "eu-north-1"     = module.eu-north-1
    "ap-south-1"     = module.ap-south-1
    "ap-northeast-1" = module.ap-northeast-1
    "ap-northeast-2" = module.ap-northeast-2
    "ap-northeast-3" = module.ap-northeast-3
    "ap-southeast-1" = module.ap-southeast-1
    "ap-southeast-2" = module.ap-southeast-2
  }
  checkers = { for region, checker in local.every_region : region => checker[0] if length(checker) > 0 }
}
