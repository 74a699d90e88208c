"""The capacity inputs of a station, found by role once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from station.domain.plant import Plant, UnitKey
from station.errors import FinalError


class NoForecastError(FinalError):
    """A station that the forecast cannot be made for: it is watched without one."""


@dataclass(frozen=True, slots=True)
class BayTags:
    """One unloading bay."""

    unit: str
    pressure: str
    hose_pressure: str
    temperature: str
    flow: str
    state: str


@dataclass(frozen=True, slots=True)
class BankTags:
    """One storage bank."""

    unit: str
    pressure_a: str
    pressure_b: str
    temperature: str


@dataclass(frozen=True, slots=True)
class TrainTags:
    """One compressor train."""

    unit: str
    suction: str
    flow: str
    state: str


@dataclass(frozen=True, slots=True)
class ChillerTags:
    """One chiller."""

    unit: str
    state: str


@dataclass(frozen=True, slots=True)
class HoseTags:
    """One fuelling position."""

    unit: str
    state: str
    total: str
    delivery_temperature: str
    soc: str
    tank_volume: str


@dataclass(frozen=True, slots=True)
class CapacityTags:
    """All of them, in the station file's order of equipment; `units` are those whose messages matter."""

    bays: tuple[BayTags, ...]
    banks: tuple[BankTags, ...]
    trains: tuple[TrainTags, ...]
    chillers: tuple[ChillerTags, ...]
    hoses: tuple[HoseTags, ...]
    weighbridge: str
    header_pressure: str
    header_temperature: str
    bank_header_temperature: str
    ambient: str
    units: frozenset[UnitKey]

    def all(self) -> list[str]:
        """Return every tag that a snapshot may read."""
        own = _tags_of((*self.bays, *self.banks, *self.trains, *self.chillers, *self.hoses))
        headers = (self.header_pressure, self.header_temperature, self.bank_header_temperature)
        return [*own, self.weighbridge, *headers, self.ambient]


def capacity_tags(plant: Plant) -> CapacityTags:
    """Return the capacity inputs of a station.

    Raises:
        NoForecastError: Its file lacks equipment or signals without which there is no forecast; all of them are named.
    """
    find = _Finder(plant)
    single = {
        "weighbridge": find.tag("trailer", "weighbridge", "mass"),
        "header_pressure": find.tag("trailer", "header-lp", "pressure"),
        "header_temperature": find.tag("trailer", "header-lp", "temperature"),
        "bank_header_temperature": find.tag("storage", "header-hp", "temperature"),
        "ambient": find.tag("utilities", "weather", "ambient_temperature"),
    }
    bays = tuple(BayTags(u, *find.roles("trailer", u, BayTags)) for u in plant.supply.bays)
    banks = tuple(BankTags(b.unit, *find.roles("storage", b.unit, BankTags)) for b in plant.banks)
    trains = tuple(
        TrainTags(
            t.unit,
            find.tag("compression", t.unit, "suction_pressure"),
            find.tag("compression", t.unit, "flow"),
            find.tag("compression", t.unit, "state"),
        )
        for t in plant.trains
    )
    chillers = tuple(ChillerTags(c.unit, find.tag("cooling", c.unit, "state")) for c in plant.chillers)
    hoses = tuple(find.hose(h.unit) for h in plant.hoses)
    find.check({"unloading bay": bays, "bank": banks, "compressor train": trains, "hose": hoses})
    tags = _tags_of((*bays, *banks, *trains, *chillers, *hoses))
    units = frozenset(plant.signals[t].key for t in (*tags, *single.values()))
    return CapacityTags(bays, banks, trains, chillers, hoses, **single, units=units)


def _tags_of(rows: tuple[BayTags | BankTags | TrainTags | ChillerTags | HoseTags, ...]) -> list[str]:
    return [getattr(row, f.name) for row in rows for f in dataclasses.fields(row) if f.name != "unit"]


class _Finder:
    """Finds tags by role, and remembers what is not there."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._missing: list[str] = []

    def tag(self, area: str, unit: str, role: str) -> str:
        try:
            return self._plant.tag(area, unit, role)
        except KeyError:
            self._missing.append(f"{area}/{unit} {role}")
            return ""

    def roles(self, area: str, unit: str, row: type[BayTags | BankTags]) -> list[str]:
        return [self.tag(area, unit, f.name) for f in dataclasses.fields(row) if f.name != "unit"]

    def hose(self, unit: str) -> HoseTags:
        here, there = "dispensing", "vehicle"
        return HoseTags(
            unit,
            self.tag(here, unit, "state"),
            self.tag(here, unit, "total"),
            self.tag(here, unit, "delivery_temperature"),
            self.tag(there, unit, "soc"),
            self.tag(there, unit, "tank_volume"),
        )

    def check(self, equipment: Mapping[str, Sequence[object]]) -> None:
        missing = [*(f"any {name}" for name, rows in equipment.items() if not rows), *self._missing]
        if missing:
            raise NoForecastError(f"no capacity forecast: the station file lacks {', '.join(missing)}")
