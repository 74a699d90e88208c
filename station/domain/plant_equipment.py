"""The equipment, supply and demand sections of a station file."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TypeVar

from station.domain.capacity_parameters import CapacityParameters
from station.domain.mass_balance import BalanceParameters
from station.domain.plant import Bank, Chiller, FillRules, Fleet, Hose, Supply, Train, TruckType
from station.domain.plant_signals import Catalogue
from station.domain.toml_reader import TomlTable, nearest

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_SHARE_ROUNDING = 0.001  # shares are written with three decimals

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Equipment:
    """The machines of a station."""

    trains: tuple[Train, ...]
    banks: tuple[Bank, ...]
    chillers: tuple[Chiller, ...]
    hoses: tuple[Hose, ...]


@dataclass(frozen=True, slots=True)
class _Family:
    """A kind of equipment: where its units stand and which roles make a unit one of them."""

    key: str
    area: str
    marks: frozenset[str]
    needs: frozenset[str]


_TRAINS = _Family("trains", "compression", frozenset({"state"}), frozenset({"state", "flow", "suction_pressure"}))
_BANKS = _Family("banks", "storage", frozenset({"pressure_a"}), frozenset({"pressure_a", "temperature"}))
_CHILLERS = _Family("chillers", "cooling", frozenset({"state"}), frozenset({"state", "supply_temperature"}))
_HOSES = _Family(
    "hoses", "dispensing", frozenset({"state", "total"}), frozenset({"state", "total", "pressure", "flow"})
)
_BAYS = _Family("bays", "trailer", frozenset({"state"}), frozenset({"state", "pressure", "temperature"}))


def read_supply(root: TomlTable, catalogue: Catalogue) -> Supply:
    """Return how tube trailers come."""
    table = root.table("supply", "supply")
    bays = table.texts("bays")
    _check_family(table, _BAYS, [(bay, ("bays", i)) for i, bay in enumerate(bays)], catalogue)
    supply = Supply(
        bays=tuple(bays),
        volume_m3=table.number("volume_m3", above=0, at_most=200),
        fill_pressure_mpa=table.number("fill_pressure_mpa", above=0, at_most=100),
        fill_temperature_c=table.number("fill_temperature_c", at_least=-60, at_most=100),
        floor_mpa=table.number("floor_mpa", above=0, at_most=100),
        swap=table.duration("swap"),
        delivery_times=_read_times(table, "delivery_times"),
        delivery_kg=table.number("delivery_kg", above=0),
        on_call_below_kg=table.number("on_call_below_kg", at_least=0),
        lateness_median=table.duration("lateness_median"),
        lateness_p95=table.duration("lateness_p95"),
    )
    _rising(table, [("floor_mpa", supply.floor_mpa), ("fill_pressure_mpa", supply.fill_pressure_mpa)])
    if supply.lateness_p95 < supply.lateness_median:
        table.wrong("lateness_p95 is less than lateness_median", "lateness_p95")
    table.finish()
    return supply


def _read_times(table: TomlTable, key: str) -> tuple[dt.time, ...]:
    times = []
    for position, text in enumerate(table.texts(key)):
        match = _TIME.fullmatch(text)
        if match is None:
            table.wrong(f"{key}: {text!r} must be a time of day like 06:30", key, position)
        else:
            times.append(dt.time(int(match.group(1)), int(match.group(2))))
    if times != sorted(times):
        table.wrong(f"{key} must rise through the day", key)
    return tuple(times)


def read_equipment(root: TomlTable, catalogue: Catalogue) -> Equipment:
    """Return trains, banks, chillers and hoses; every such unit has exactly one row."""
    table = root.table("equipment", "equipment")
    equipment = Equipment(
        _read_family(table, _TRAINS, catalogue, _read_train),
        _read_family(table, _BANKS, catalogue, _read_bank),
        _read_family(table, _CHILLERS, catalogue, _read_chiller),
        _read_family(table, _HOSES, catalogue, lambda row, unit: _read_hose(row, unit, catalogue)),
    )
    table.finish()
    return equipment


def _read_family(
    table: TomlTable, family: _Family, catalogue: Catalogue, read: Callable[[TomlTable, str], _Item]
) -> tuple[_Item, ...]:
    items: list[_Item] = []
    named: list[tuple[str, tuple[str | int, ...]]] = []
    for row in table.tables(family.key, family.key, required=False):
        units = row.texts("units")
        position = row.path[-1]
        named += [(unit, (family.key, position, "units", i)) for i, unit in enumerate(units)]
        row.title = f"{family.key} {', '.join(units)}" if units else family.key
        first = read(row, units[0]) if units else None
        row.finish()
        if first is not None:
            items.append(first)
            items += [read(_quiet(row), unit) for unit in units[1:]]
    _check_family(table, family, named, catalogue)
    return tuple(items)


def _quiet(row: TomlTable) -> TomlTable:
    """Return the same row for another unit; its mistakes are told once, so those repeated here collapse into them."""
    return TomlTable(row.data, row.path, row.mistakes, row.title)


def _check_family(
    table: TomlTable, family: _Family, named: list[tuple[str, tuple[str | int, ...]]], catalogue: Catalogue
) -> None:
    """Note units that are named twice or do not exist or lack a role, and units that no row names."""
    names = catalogue.names(family.area)
    seen: set[str] = set()
    for unit, path in named:
        if unit in seen:
            table.wrong(f"{family.key}: {unit!r} stands twice", *path)
        elif unit not in names:
            table.wrong(f"{family.key}: {unit!r} is no unit of area {family.area}{nearest(unit, names)}", *path)
        else:
            lacking = sorted(family.needs - catalogue.roles(family.area, unit))
            if lacking:
                table.wrong(f"{family.key}: unit {family.area}/{unit} has no signal with role {lacking[0]!r}", *path)
        seen.add(unit)
    for unit in names:
        if unit not in seen and family.marks <= catalogue.roles(family.area, unit):
            where = "supply.bays" if family is _BAYS else f"equipment.{family.key}"
            table.wrong(f"unit {family.area}/{unit} is missing in {where}", family.key)


def _read_train(row: TomlTable, unit: str) -> Train:
    train = Train(
        unit=unit,
        rated_kg_h=row.number("rated_kg_h", above=0),
        rated_suction_mpa=row.number("rated_suction_mpa", above=0),
        floor_suction_mpa=row.number("floor_suction_mpa", above=0),
        max_discharge_mpa=row.number("max_discharge_mpa", above=0),
        intercool_c=row.number("intercool_c", at_least=-40, at_most=150),
        efficiency_gas_path=row.number("efficiency_gas_path", above=0, at_most=1),
        efficiency_shaft=row.number("efficiency_shaft", above=0, at_most=1),
        efficiency_motor=row.number("efficiency_motor", above=0, at_most=1),
        min_off=row.duration("min_off"),
        mtbf_h=row.number("mtbf_h", above=0),
        mttr_median_h=row.number("mttr_median_h", above=0),
    )
    _rising(
        row,
        [
            ("floor_suction_mpa", train.floor_suction_mpa),
            ("rated_suction_mpa", train.rated_suction_mpa),
            ("max_discharge_mpa", train.max_discharge_mpa),
        ],
    )
    return train


def _read_bank(row: TomlTable, unit: str) -> Bank:
    bank = Bank(
        unit=unit,
        volume_m3=row.number("volume_m3", above=0),
        working_mpa=row.number("working_mpa", above=0),
        design_mpa=row.number("design_mpa", above=0),
        relief_mpa=row.number("relief_mpa", above=0),
        recharge_start_mpa=row.number("recharge_start_mpa", above=0),
        recharge_stop_mpa=row.number("recharge_stop_mpa", above=0),
        floor_mpa=row.number("floor_mpa", above=0) if row.has("floor_mpa") else None,
        recharge_rank=row.whole("recharge_rank", at_least=1),
        draw_rank=row.whole("draw_rank", at_least=1),
    )
    steps = [("recharge_start_mpa", bank.recharge_start_mpa), ("recharge_stop_mpa", bank.recharge_stop_mpa)]
    steps += [("working_mpa", bank.working_mpa), ("relief_mpa", bank.relief_mpa), ("design_mpa", bank.design_mpa)]
    _rising(row, [("floor_mpa", bank.floor_mpa), *steps] if bank.floor_mpa is not None else steps)
    return bank


def _read_chiller(row: TomlTable, unit: str) -> Chiller:
    return Chiller(
        unit=unit,
        duty_kw=row.number("duty_kw", above=0),
        brine_supply_c=row.number("brine_supply_c", at_least=-80, at_most=30),
        mtbf_h=row.number("mtbf_h", above=0),
        mttr_median_h=row.number("mttr_median_h", above=0),
    )


def _read_hose(row: TomlTable, unit: str, catalogue: Catalogue) -> Hose:
    names = catalogue.names("dispensing")
    hose = Hose(
        unit=unit,
        dispenser=row.text("dispenser"),
        max_flow_g_s=row.number("max_flow_g_s", above=0),
        mtbf_h=row.number("mtbf_h", above=0),
        mttr_median_h=row.number("mttr_median_h", above=0),
    )
    if hose.dispenser and hose.dispenser not in names:
        row.wrong(
            f"dispenser {hose.dispenser!r} is no unit of area dispensing{nearest(hose.dispenser, names)}", "dispenser"
        )
    return hose


def read_fleet(root: TomlTable) -> Fleet:
    """Return who comes to fuel on a usual day."""
    table = root.table("fleet", "fleet")
    fleet = Fleet(
        trucks_per_day=table.whole("trucks_per_day"),
        mean_fill_kg=table.number("mean_fill_kg", above=0),
        types=tuple(_read_truck_type(row) for row in table.tables("types", "truck type")),
        arrival_soc_mean=table.number("arrival_soc_mean", at_least=0, at_most=1),
        arrival_soc_sd=table.number("arrival_soc_sd", at_least=0, at_most=1),
        handling=table.duration("handling"),
        handling_sigma=table.number("handling_sigma", at_least=0),
        patience=table.duration("patience"),
        hourly_share=tuple(table.numbers("hourly_share", 24)),
        day_factor_cv=table.number("day_factor_cv", at_least=0),
        weekday_factor=tuple(table.numbers("weekday_factor", 7)) if table.has("weekday_factor") else (1.0,) * 7,
        season_amplitude=table.number("season_amplitude", at_least=0, at_most=1)
        if table.has("season_amplitude")
        else 0.0,
        season_peak=table.whole("season_peak", at_least=1) if table.has("season_peak") else 1,
    )
    if any(factor < 0 for factor in fleet.weekday_factor):
        table.wrong("weekday_factor: a factor is negative", "weekday_factor")
    _shares(table, "types", [kind.share for kind in fleet.types])
    _shares(table, "hourly_share", fleet.hourly_share)
    table.finish()
    return fleet


def _read_truck_type(row: TomlTable) -> TruckType:
    name = row.text("name")
    row.title = f"truck type {name}"
    kind = TruckType(
        name=name,
        tanks=row.whole("tanks", at_least=1),
        tank_litres=row.number("tank_litres", above=0),
        share=row.number("share"),
        kind=row.word("kind", ("III", "IV"), "III"),
        receptacle_g_s=row.number("receptacle_g_s", above=0, at_most=400) if row.has("receptacle_g_s") else 60.0,
    )
    row.finish()
    return kind


def read_fill(root: TomlTable) -> FillRules:
    """Return how a fill runs."""
    table = root.table("fill", "fill")
    rules = FillRules(
        cooled_gas_c=table.number("cooled_gas_c", at_least=-40, at_most=50),
        mean_flow_g_s=table.number("mean_flow_g_s", above=0),
        ramp_cooled_mpa_min=table.number("ramp_cooled_mpa_min", above=0),
        ramp_uncooled_mpa_min=table.number("ramp_uncooled_mpa_min", above=0),
        end_soc=table.number("end_soc", above=0, at_most=1),
        stop_temperature_c=table.number("stop_temperature_c", above=0, at_most=85),
        source_margin_mpa=table.number("source_margin_mpa", at_least=0),
        end_margin_mpa=table.number("end_margin_mpa", at_least=0),
        heating_cooled_k=table.number("heating_cooled_k", at_least=0),
        heating_uncooled_k=table.number("heating_uncooled_k", at_least=0),
    )
    table.finish()
    return rules


def read_parameters(root: TomlTable) -> dict[str, float]:
    """Return the numbers that tune the forecast and the mass balance, those that the file sets."""
    table = root.table("parameters", "parameters", required=False)
    known = [parameter.name for of in (CapacityParameters, BalanceParameters) for parameter in fields(of)]
    for key in table.data:
        if key not in known:
            table.wrong(f"parameter {key!r} is unknown{nearest(key, known)}", key)
    return {key: table.number(key) for key in table.data}


def _shares(table: TomlTable, key: str, shares: Iterable[float]) -> None:
    """Note shares that are negative or do not sum to 1."""
    values = list(shares)
    total = math.fsum(values)
    if any(share < 0 for share in values):
        table.wrong(f"{key}: a share is negative", key)
    if table.has(key) and abs(total - 1.0) > _SHARE_ROUNDING:
        table.wrong(f"{key}: shares sum to {total:.4g}, must sum to 1", key)


def _rising(table: TomlTable, steps: list[tuple[str, float]]) -> None:
    """Note numbers that must not fall from one to the next but do."""
    for (lower, low), (upper, high) in pairwise(steps):
        if low > high:
            table.wrong(f"{lower} {low:g} is above {upper} {high:g}", lower)
