"""Which signals a station must have for a report to be made of its days."""

from __future__ import annotations

from collections.abc import Iterable

from station.domain.plant import Plant
from station.errors import FinalError

_Places = Iterable[tuple[str, Iterable[str], tuple[str, ...]]]


class NoReportError(FinalError):
    """A station of whose days no report can be made; what its file lacks is named."""


def check_needs(plant: Plant) -> None:
    """Do nothing where a report can be made of a station's days.

    Raises:
        NoReportError: Its file lacks equipment or signals; all of them are named.
    """
    missing = [f"a {kind}" for kind, units in (("hose", plant.hoses), ("bank", plant.banks)) if not units]
    for area, units, roles in _needed(plant):
        missing += [f"{area}/{unit} {role}" for unit in units for role in roles if not _has(plant, area, unit, role)]
    if missing:
        raise NoReportError(f"{plant.id}: no report can be made: its station file lacks {', '.join(missing)}")


def _needed(plant: Plant) -> _Places:
    hoses = [hose.unit for hose in plant.hoses]
    return [
        ("trailer", plant.supply.bays, ("state", "pressure", "temperature", "flow")),
        ("trailer", ["weighbridge"], ("mass",)),
        ("compression", [train.unit for train in plant.trains], ("state", "flow", "power")),
        ("storage", [bank.unit for bank in plant.banks], ("pressure_a", "pressure_b", "temperature")),
        ("cooling", [chiller.unit for chiller in plant.chillers], ("state", "power")),
        ("dispensing", hoses, ("state", "total", "pressure", "delivery_temperature")),
        ("vehicle", hoses, ("pressure", "temperature", "tank_volume", "command", "soc")),
        ("utilities", ["power"], ("power", "energy")),
    ]


def _has(plant: Plant, area: str, unit: str, role: str) -> bool:
    try:
        plant.tag(area, unit, role)
    except KeyError:
        return False
    return True
