# Agents: their policy, identity, expected locations and configuration, and the groups of each.

mock_provider "aws" { source = "./tests/mocks" }

variables {
  name     = "portpulse"
  location = "office-berlin"
  groups   = ["1m#0", "5m#1"]
  home = {
    region     = "eu-west-1"
    table_name = "portpulse"
    table_arn  = "arn:aws:dynamodb:eu-west-1:123456789012:table/portpulse"
    topic_arn  = "arn:aws:sns:eu-west-1:123456789012:portpulse-alerts"
  }
}

run "policy_allows_own_groups_only" {
  module { source = "./modules/agent" }

  assert {
    condition = { for each in jsondecode(output.policy).Statement : each.Sid => [each.Action, each.Resource] } == {
      ReadTable            = [["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"], [var.home.table_arn]]
      WriteResults         = [["dynamodb:PutItem"], [var.home.table_arn]]
      PublishNotifications = [["sns:Publish"], [var.home.topic_arn]]
    }
    error_message = "The policy must have these actions on these resources, and nothing else: ${output.policy}"
  }
  assert {
    condition = alltrue([
      for each in jsondecode(output.policy).Statement : each.Condition.Null == { "dynamodb:LeadingKeys" = ["false"] } if startswith(each.Action[0], "dynamodb:")
    ])
    error_message = "`ForAllValues` alone would allow requests without keys."
  }
  assert {
    condition = toset(flatten([
      for each in jsondecode(output.policy).Statement : each.Condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] if each.Sid == "WriteResults"
      ])) == toset([
      "group#1m#0", "group#5m#1", "fleet", "incidents#*", "results#1m#0#*", "results#5m#1#*", "hourly#1m#0", "hourly#5m#1", "hourly#1m#0#phases",
      "hourly#5m#1#phases", "daily#1m#0", "daily#5m#1", "daily#1m#0#phases", "daily#5m#1#phases", "banners#1m#0", "banners#5m#1",
    ])
    error_message = "An agent must write its groups, and neither definitions nor controls nor other groups: ${output.policy}"
  }
  assert {
    condition     = output.agent.user == null && output.agent.role_arn == null && length(aws_iam_user.this) == 0
    error_message = "Without a choice, there must be neither a user nor a role."
  }
  assert {
    condition = [for item in values(aws_dynamodb_table_item.expected) : jsondecode(item.item)] == [
      for group in var.groups : { pk = { S = "group#${group}" }, sk = { S = "expects#office-berlin" }, kind = { S = "agent" } }
    ]
    error_message = "The agent must be listed as an agent in each of its groups."
  }
  assert {
    condition = yamldecode(output.agent.config) == {
      location = "office-berlin", table = "portpulse", home_region = "eu-west-1", topic = var.home.topic_arn
    }
    error_message = "The configuration must name location, table, home region and topic."
  }
}

run "policy_allows_standby_for_own_groups_only" {
  module { source = "./modules/agent" }
  variables {
    home = merge(var.home, {
      standby = {
        region        = "us-east-2"
        table_name    = "portpulse-standby"
        table_arn     = "arn:aws:dynamodb:us-east-2:123456789012:table/portpulse-standby"
        topic_arn     = "arn:aws:sns:us-east-2:123456789012:portpulse-standby-alerts"
        topic_key_arn = "arn:aws:kms:us-east-2:123456789012:key/2"
      }
    })
  }

  assert {
    condition = [for statement in jsondecode(output.policy).Statement : statement if strcontains(statement.Sid, "Standby")] == [
      {
        Sid       = "ReadStandby", Effect = "Allow", Action = ["dynamodb:GetItem", "dynamodb:Query"], Resource = ["arn:aws:dynamodb:us-east-2:123456789012:table/portpulse-standby"]
        Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["monitors#1m#0", "monitors#5m#1", "home"] }, Null = { "dynamodb:LeadingKeys" = ["false"] } }
      },
      {
        Sid       = "WriteStandby", Effect = "Allow", Action = ["dynamodb:PutItem"], Resource = ["arn:aws:dynamodb:us-east-2:123456789012:table/portpulse-standby"]
        Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["group#1m#0", "group#5m#1", "home"] }, Null = { "dynamodb:LeadingKeys" = ["false"] } }
      },
      { Sid = "PublishThroughStandby", Effect = "Allow", Action = ["sns:Publish"], Resource = ["arn:aws:sns:us-east-2:123456789012:portpulse-standby-alerts"] },
      {
        Sid       = "UseStandbyTopicKey", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey*"], Resource = ["arn:aws:kms:us-east-2:123456789012:key/2"]
        Condition = { StringEquals = { "kms:ViaService" = ["sns.us-east-2.amazonaws.com"] } }
      },
    ]
    error_message = "An agent may read definitions of its groups in the standby, write their copies and the row of the loss, and publish: ${output.policy}"
  }
  assert {
    condition = yamldecode(output.agent.config) == {
      location       = "office-berlin", table = "portpulse", home_region = "eu-west-1", topic = var.home.topic_arn
      standby_region = "us-east-2", standby_table = "portpulse-standby", standby_topic = var.home.standby.topic_arn
    }
    error_message = "The configuration must name the standby: ${output.agent.config}"
  }
}

run "user_and_role_have_the_policy" {
  module { source = "./modules/agent" }
  variables {
    user    = true
    trusted = ["arn:aws:iam::123456789012:role/machines"]
    home = merge(var.home, {
      kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/k", topic_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/t", secrets = ["ssm:/office/printer"]
    })
  }

  assert {
    condition     = output.agent.user == "portpulse-agent-office-berlin" && jsondecode(aws_iam_role.this[0].assume_role_policy).Statement[0].Principal.AWS == [var.trusted[0]]
    error_message = "The user must have the name of the agent, and only the trusted principals may assume the role."
  }
  assert {
    condition     = aws_iam_user_policy_attachment.this[0].policy_arn == aws_iam_policy.this.arn && aws_iam_role_policy_attachment.this[0].policy_arn == aws_iam_policy.this.arn
    error_message = "User and role must have the policy."
  }
  assert {
    condition     = [for each in jsondecode(output.policy).Statement : each.Resource if each.Sid == "UseTableKey"] == [["arn:aws:kms:eu-west-1:123456789012:key/k"]]
    error_message = "A customer managed key must be usable."
  }
  assert {
    condition = [for each in jsondecode(output.policy).Statement : [each.Effect, each.Action, each.Resource] if contains(["UseTopicKey", "ReadParameters"], each.Sid)] == [
      ["Allow", ["kms:Decrypt", "kms:GenerateDataKey*"], ["arn:aws:kms:eu-west-1:123456789012:key/t"]],
      ["Allow", ["ssm:GetParameter"], ["arn:aws:ssm:eu-west-1:123456789012:parameter/office/printer"]],
    ]
    error_message = "The key of the topic and the secrets of the monitors must be usable: ${output.policy}"
  }
}

run "largest_policy_fits" {
  module { source = "./modules/agent" }
  command = plan
  variables {
    groups = [for shard in range(16) : "30m#${shard}"]
    home = merge(var.home, {
      standby = {
        region     = "us-east-2"
        table_name = "portpulse-standby"
        table_arn  = "arn:aws:dynamodb:us-east-2:123456789012:table/portpulse-standby"
        topic_arn  = "arn:aws:sns:us-east-2:123456789012:portpulse-standby-alerts"
      }
    })
  }

  assert {
    condition     = length(output.policy) <= 6144
    error_message = "AWS allows 6,144 characters, not ${length(output.policy)}."
  }
}

run "many_groups_are_covered_by_a_wildcard" {
  module { source = "./modules/agent" }
  command = plan
  variables { groups = [for shard in range(17) : "30m#${shard}"] }

  assert {
    condition     = strcontains(output.policy, "\"group#*\"") && !strcontains(output.policy, "30m#") && length(output.policy) <= 6144
    error_message = "More than 16 groups must be covered by a wildcard."
  }
}

run "agent_without_monitors_fails" {
  module { source = "./modules/agent" }
  command = plan
  variables { groups = [] }
  expect_failures = [aws_iam_policy.this]
}

run "groups_and_diagnostics_know_agents" {
  module { source = "./modules/definitions" }
  variables {
    locations   = ["eu-west-1"]
    agents      = ["office-berlin", "home"]
    definitions = <<-EOT
      monitors:
        printer: { host: 192.168.0.7, port: 25, locations: [office-berlin], interval: 1m }
        both: { host: www.example.com, port: 443, locations: [office-berlin, eu-west-1] }
        other: { host: www.example.com, port: 80, interval: 10m }
    EOT
  }

  assert {
    condition     = jsonencode(output.groups_of) == jsonencode({ home = [], office-berlin = ["1m#0", "5m#0"] }) && length(output.diagnostics) == 0
    error_message = "An agent must have the groups with monitors that name it, and reach private addresses and port 25: ${join("\n", output.diagnostics)}"
  }
}
