"""Logs that this project did not write: what a mapping file says of them, and reading them as our messages."""
