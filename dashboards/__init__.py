"""What operators look at: the console and Grafana dashboards as code."""
