"""Shipped property tables."""
