"""Putting a simulated station together: scenario, physics, instruments, and the state it left behind."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import structlog

from cli.text_files import read_text
from simulators.physics import StationPhysics
from simulators.scenario import Scenario, load_scenario, scenario_names, shipped_scenario
from simulators.station import SimulatedStation
from station.adapters.property_tables import hydrogen_tables
from station.domain.plant import Plant
from station.errors import BadInputError

_log = structlog.get_logger(__name__)


def scenario_named(name: str, plant: Plant | None = None) -> Scenario:
    """Return a shipped scenario, or the one in a file.

    Args:
        name: Which.
        plant: The station that it is for: a fault that it cannot play is a mistake now, not first on its day.

    Raises:
        BadInputError: Neither; or the file has mistakes.
    """
    if name in scenario_names():
        return shipped_scenario(name, plant)
    file = Path(name)
    if file.suffix == ".toml" or file.exists():
        return load_scenario(read_text(file), file.name, plant)
    return shipped_scenario(name)


def new_station(plant: Plant, scenario: Scenario, start: dt.datetime, seed: int) -> SimulatedStation:
    """Return a station that starts at a moment, in a plausible state of a working day."""
    return SimulatedStation(plant, StationPhysics(plant, hydrogen_tables(), scenario, start, seed), seed)


def kept_station(plant: Plant, scenario: Scenario, file: Path) -> SimulatedStation | None:
    """Return the station as it was left in a file, None where there is none or it is of another kind.

    A state that cannot be read is set aside, named in the log; the store keeps what was measured.
    """
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return None
    tables = hydrogen_tables()

    def restore_physics(physics_state: bytes) -> StationPhysics:
        physics = StationPhysics.restore(plant, tables, physics_state)
        if physics.scenario != scenario:
            physics.play(scenario)
        return physics

    try:
        return SimulatedStation.restore(plant, restore_physics, data)
    except BadInputError as error:
        aside = file.with_suffix(".set-aside")
        file.replace(aside)
        _log.warning("simulator starts anew", reason=str(error), state_kept_in=str(aside))
        return None


def keep_station(station: SimulatedStation, file: Path) -> None:
    """Write the station's state so that a later start goes on from it; whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".new")
    temporary.write_bytes(station.snapshot())
    temporary.replace(file)
