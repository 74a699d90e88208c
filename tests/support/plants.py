"""Stations for tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from station.adapters.plant_files import shipped_plant
from station.domain.plant import Plant
from station.domain.plant_file import load_plant

DATA = Path(__file__).parents[1] / "data"


def jinma() -> Plant:
    """Return the shipped station."""
    return shipped_plant()


def small_station_text() -> str:
    """Return the station file of a station with every section and few signals."""
    return (DATA / "small-station.toml").read_text(encoding="utf-8")


@cache
def small_station() -> Plant:
    """Return the station of `small_station_text`."""
    return load_plant(small_station_text(), "small-station.toml")
