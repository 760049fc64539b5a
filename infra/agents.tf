# Agents: locations on networks of the user. An agent has an expected location and permissions here; the program runs on a machine of the
# user (functions/local/README.md).

variable "agents" {
  description = <<-EOT
    Agents, by the name of their location, such as { office-berlin = { user = true } }. An agent checks only monitors whose `locations`
    name it. `user` creates an IAM user without an access key; `trusted` names the principals (ARNs) that may assume a role that is created
    for the agent. With neither, attach the policy in the output `agents` to what the machine has. The locations of monitors in the variable
    `monitors` must be known at plan.
  EOT
  type = map(object({
    user    = optional(bool, false)
    trusted = optional(list(string), [])
  }))
  default = {}

  validation {
    condition     = alltrue([for name in keys(var.agents) : can(regex("^[a-z0-9][a-z0-9-]{0,31}$", name)) && !can(regex("^(af|ap|ca|cn|eu|il|me|mx|sa|us)-(gov-)?(north|south|east|west|central)[a-z]*-[0-9]$", name)) && name != "local"])
    error_message = "The name of an agent must have 1 to 32 characters of a-z, 0-9 and `-`, begin with a letter or digit, and be neither an AWS region nor `local`."
  }
}

module "agent" {
  source   = "./modules/agent"
  for_each = var.agents

  name     = var.name
  location = each.key
  groups   = module.definitions.groups_of[each.key]
  home     = merge(local.checker.home, { secrets = module.definitions.secrets_of[each.key] })
  user     = each.value.user
  trusted  = each.value.trusted

  permissions_boundary = var.permissions_boundary
}

output "agents" {
  description = "By agent: `config`, the content of its configuration file; `policy_arn`; and `user` and `role_arn` if they were created."
  value       = { for name, agent in module.agent : name => agent.agent }
}
