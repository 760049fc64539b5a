# Checks documents against a JSON Schema: types, choices, patterns, bounds, missing and unknown names. HCL has no recursion: each
# level of nesting is a module of its own. What is nested more deeply is left to `portpulse validate`.

variable "nodes" {
  description = "The documents, as in ./level."
  type        = any
}

module "level_0" {
  source = "./level"
  nodes  = var.nodes
}

module "level_1" {
  source = "./level"
  nodes  = module.level_0.children
}

module "level_2" {
  source = "./level"
  nodes  = module.level_1.children
}

module "level_3" {
  source = "./level"
  nodes  = module.level_2.children
}

module "level_4" {
  source = "./level"
  nodes  = module.level_3.children
}

module "level_5" {
  source = "./level"
  nodes  = module.level_4.children
}

module "level_6" {
  source = "./level"
  nodes  = module.level_5.children
}

output "texts" {
  description = "Of each node its place, its owner, and its diagnostics as lines of `place: what (help)`; empty without any."
  value       = concat(module.level_0.texts, module.level_1.texts, module.level_2.texts, module.level_3.texts, module.level_4.texts, module.level_5.texts, module.level_6.texts)
}
