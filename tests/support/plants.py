"""Stations for tests."""

from __future__ import annotations

from station.adapters.plant_files import shipped_plant
from station.domain.plant import Plant


def jinma() -> Plant:
    """Return the shipped station."""
    return shipped_plant()
