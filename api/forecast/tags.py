"""The capacity inputs of a station, found by role once."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from station.domain.plant import Plant, UnitKey


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
    """Return the capacity inputs of a station."""
    tag = plant.tag
    single = {
        "weighbridge": tag("trailer", "weighbridge", "mass"),
        "header_pressure": tag("trailer", "header-lp", "pressure"),
        "header_temperature": tag("trailer", "header-lp", "temperature"),
        "bank_header_temperature": tag("storage", "header-hp", "temperature"),
        "ambient": tag("utilities", "weather", "ambient_temperature"),
    }
    bays = tuple(BayTags(u, *_roles(plant, "trailer", u, BayTags)) for u in plant.supply.bays)
    banks = tuple(BankTags(b.unit, *_roles(plant, "storage", b.unit, BankTags)) for b in plant.banks)
    trains = tuple(
        TrainTags(
            t.unit,
            tag("compression", t.unit, "suction_pressure"),
            tag("compression", t.unit, "flow"),
            tag("compression", t.unit, "state"),
        )
        for t in plant.trains
    )
    chillers = tuple(ChillerTags(c.unit, tag("cooling", c.unit, "state")) for c in plant.chillers)
    hoses = tuple(_hose(plant, h.unit) for h in plant.hoses)
    tags = _tags_of((*bays, *banks, *trains, *chillers, *hoses))
    units = frozenset(plant.signals[t].key for t in (*tags, *single.values()))
    return CapacityTags(bays, banks, trains, chillers, hoses, **single, units=units)


def _roles(plant: Plant, area: str, unit: str, row: type[BayTags | BankTags]) -> list[str]:
    return [plant.tag(area, unit, f.name) for f in dataclasses.fields(row) if f.name != "unit"]


def _tags_of(rows: tuple[BayTags | BankTags | TrainTags | ChillerTags | HoseTags, ...]) -> list[str]:
    return [getattr(row, f.name) for row in rows for f in dataclasses.fields(row) if f.name != "unit"]


def _hose(plant: Plant, unit: str) -> HoseTags:
    here, there = "dispensing", "vehicle"
    return HoseTags(
        unit,
        plant.tag(here, unit, "state"),
        plant.tag(here, unit, "total"),
        plant.tag(here, unit, "delivery_temperature"),
        plant.tag(there, unit, "soc"),
        plant.tag(there, unit, "tank_volume"),
    )
