"""Shipped station files."""
