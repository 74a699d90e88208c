"""Which stations a command works for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from station.adapters.plant_files import read_plant, shipped_plant
from station.domain.plant import Plant
from station.errors import BadInputError


def read_plants(files: Sequence[Path] | None) -> list[Plant]:
    """Return the stations of the files, the shipped Jinma station without any.

    Raises:
        BadInputError: A file has mistakes, or two name the same station.
    """
    plants = [read_plant(file) for file in files] if files else [shipped_plant()]
    ids = [plant.id for plant in plants]
    if len(set(ids)) != len(ids):
        raise BadInputError(f"--plant: two files name the same station ({', '.join(ids)})")
    return plants


def one_plant(files: Sequence[Path] | None) -> Plant:
    """Return the one station that a command works for.

    Raises:
        BadInputError: More than one was named.
    """
    plants = read_plants(files)
    if len(plants) != 1:
        raise BadInputError("--plant: this command takes one station")
    return plants[0]
