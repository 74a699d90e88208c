"""Reads the gas property tables that ship with the package."""

from __future__ import annotations

import functools
from importlib import resources

import numpy as np

from station.domain.hydrogen import PROPERTY_NAMES, HydrogenTables


@functools.cache
def hydrogen_tables() -> HydrogenTables:
    """Return the shipped hydrogen tables, read once a process (about 5 ms)."""
    with resources.files("station.data").joinpath("hydrogen.npz").open("rb") as file, np.load(file) as arrays:
        for array in (loaded := {name: arrays[name] for name in arrays.files}).values():
            array.setflags(write=False)
    return HydrogenTables(
        density_kg_m3=loaded["density_kg_m3"],
        temperature_k=loaded["temperature_k"],
        properties={name: loaded[name] for name in PROPERTY_NAMES},
    )
