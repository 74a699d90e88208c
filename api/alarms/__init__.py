"""The alarm engine."""
