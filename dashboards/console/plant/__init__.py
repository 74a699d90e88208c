"""The sheets of the plant: units, fills, trailers, electricity, gas quality, settings."""
