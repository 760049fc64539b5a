output "url" {
  description = "Where to look at it."
  value       = "https://${var.home.region}.console.aws.amazon.com/cloudwatch/home?region=${var.home.region}#dashboards/dashboard/${aws_cloudwatch_dashboard.this.dashboard_name}"
}
