"""Grafana dashboards as code and their push."""
