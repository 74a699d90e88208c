"""The daily report: what a station day was, worked out of readings, journal and kept forecasts alone (DOMAIN 6)."""
