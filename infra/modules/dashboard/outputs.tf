output "url" {
  description = "URL of the dashboard."
  value       = "https://${var.home.region}.console.aws.amazon.com/cloudwatch/home?region=${var.home.region}#dashboards/dashboard/${aws_cloudwatch_dashboard.this.dashboard_name}"
}
