# Copy to terraform.tfvars and edit. variables.tf describes every variable.

home_region = "eu-west-1"
regions     = ["eu-west-1", "us-east-1", "ap-southeast-1"]

subscribers = {
  team  = { protocol = "email", endpoint = "team@example.com" }
  phone = { protocol = "sms", endpoint = "+15555550100" } # hears only what is critical
}
