# A Lambda of Portpulse with its log and, if it is invoked asynchronously, its dead-letter queue.

resource "aws_lambda_function" "this" {
  function_name                  = var.name
  description                    = var.description
  role                           = aws_iam_role.this.arn
  runtime                        = "provided.al2023"
  handler                        = "bootstrap"
  architectures                  = [var.function.architecture]
  filename                       = var.function.zip
  source_code_hash               = var.function.sha256 != null ? local.release_hash : fileexists(var.function.zip) ? filebase64sha256(var.function.zip) : null
  memory_size                    = var.function.memory_mb
  timeout                        = var.function.timeout_seconds
  reserved_concurrent_executions = var.function.reserved_concurrency

  environment {
    variables = merge(var.function.environment, var.settings, {
      PORTPULSE_TABLE       = var.home.table_name
      PORTPULSE_HOME_REGION = var.home.region
    })
  }

  dynamic "vpc_config" {
    for_each = var.vpc[*]
    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
      # By default, a function in dual-stack subnets has IPv4 only.
      ipv6_allowed_for_dual_stack = vpc_config.value.ipv6
    }
  }

  lifecycle {
    precondition {
      condition     = var.function.sha256 != null || fileexists(var.function.zip)
      error_message = "The zip of ${var.name} does not exist: ${var.function.zip}. Build it in the top directory of the repository: infra/build ${var.function.architecture}"
    }
    precondition {
      condition     = var.vpc == null || var.may_join_vpc
      error_message = "A function in a VPC requires `may_join_vpc`."
    }
  }

  # Lambda checks role and queue when the function is created, and would create a log group without retention.
  depends_on = [aws_iam_role_policy.this, aws_cloudwatch_log_group.this, terraform_data.download, terraform_data.network_interfaces]
}

# Destroyed between the function and its role: waits until Lambda has deleted the network interfaces of the function, which it does with
# the role, up to 20 minutes after the function. Otherwise the interfaces stay, and block their subnets.
resource "terraform_data" "network_interfaces" {
  count = var.vpc == null ? 0 : 1

  input = { function = var.name, region = var.region }

  provisioner "local-exec" {
    when = destroy
    # Without the AWS CLI, or without its permission, the whole time passes.
    command     = <<-EOT
      seconds=$${PORTPULSE_INTERFACES_SECONDS:-1200}
      while [ "$seconds" -gt 0 ]; do
        if found=$(aws ec2 describe-network-interfaces --region "$REGION" --filters "Name=description,Values=AWS Lambda VPC ENI-$FUNCTION-*" --query 'NetworkInterfaces[].NetworkInterfaceId' --output text 2>/dev/null); then
          [ -n "$found" ] || exit 0
          echo "Lambda still has network interfaces of $FUNCTION: $found"
        fi
        sleep 10
        seconds=$((seconds - 10))
      done
    EOT
    environment = { FUNCTION = self.output.function, REGION = self.output.region }
  }

  depends_on = [aws_iam_role_policy.this]
}

# Downloads the zip before the function is created or its code changes. The file is needed at no other time.
resource "terraform_data" "download" {
  count = var.function.sha256 == null ? 0 : 1

  triggers_replace = [var.function.url, var.function.sha256, var.name, var.region]

  lifecycle {
    precondition {
      condition     = var.function.sha256 != "missing"
      error_message = "`release` has no SHA-256 for the file of ${var.function.url}."
    }
  }

  provisioner "local-exec" {
    command     = file("${path.module}/download.sh")
    environment = { URL = var.function.url, SHA256 = var.function.sha256, FILE = var.function.zip }
  }
}

locals {
  # Lambda has the checksum in Base64: 64 hexadecimal digits and two zeros are 22 groups of 12 bits, two characters each.
  alphabet     = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  groups       = [for n in range(22) : try(parseint(substr("${var.function.sha256}00", 3 * n, 3), 16), 0)]
  release_hash = "${substr(join("", [for bits in local.groups : "${substr(local.alphabet, floor(bits / 64), 1)}${substr(local.alphabet, bits % 64, 1)}"]), 0, 43)}="
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.function.log_retention_days
}

resource "aws_lambda_function_event_invoke_config" "this" {
  count = var.asynchronous == null ? 0 : 1

  function_name                = aws_lambda_function.this.function_name
  maximum_retry_attempts       = var.asynchronous.retries
  maximum_event_age_in_seconds = var.asynchronous.max_age_seconds

  destination_config {
    on_failure {
      destination = aws_sqs_queue.dead_letters[0].arn
    }
  }
}

resource "aws_sqs_queue" "dead_letters" {
  count = var.asynchronous == null ? 0 : 1

  name                      = "${var.name}-dead-letters"
  message_retention_seconds = 14 * 86400
  sqs_managed_sse_enabled   = true
}
