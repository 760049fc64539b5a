output "agent" {
  description = "What the agent needs: its configuration file, the policy, and the user and role if there are any."
  value = {
    config = join("", [
      "location: ${var.location}\n",
      "table: ${var.home.table_name}\n",
      "home_region: ${var.home.region}\n",
      "topic: ${var.home.topic_arn}\n",
      var.home.page_url == null ? "" : "page_url: ${var.home.page_url}\n",
      join("", [for standby in var.home.standby[*] : "standby_region: ${standby.region}\nstandby_table: ${standby.table_name}\nstandby_topic: ${standby.topic_arn}\n"]),
    ])
    policy_arn = aws_iam_policy.this.arn
    user       = one(aws_iam_user.this[*].name)
    role_arn   = one(aws_iam_role.this[*].arn)
  }
}

output "boundaries" {
  description = "The permissions boundaries of the user and the role, for tests."
  value       = concat(aws_iam_user.this[*].permissions_boundary, aws_iam_role.this[*].permissions_boundary)
}

output "policy" {
  description = "The policy, as JSON."
  value       = local.policy
}
