"""The units, gateways and signals of a station file."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import pairwise

from station.domain.alarm_types import (
    BEHAVIOURS,
    LIMITS,
    PRIORITIES,
    AlarmType,
    Wording,
    limit_for,
    make_alarm,
)
from station.domain.plant import AlarmSpec, Gateway, Signal, Text, Unit, UnitKey
from station.domain.signals import AREAS, Kind
from station.domain.toml_reader import TomlTable, nearest

UNITS_OF_MEASURE: Mapping[str, tuple[float, float]] = {
    "MPa": (0.0, 200.0),  # absolute
    "kPa": (0.0, 1000.0),
    "Pa": (-100_000.0, 100_000.0),
    "degC": (-273.15, 2000.0),
    "kg/h": (0.0, 1e6),
    "kg": (0.0, 1e12),
    "g/s": (0.0, 1e6),
    "m3/h": (0.0, 1e6),
    "L": (0.0, 1e9),
    "%": (0.0, 200.0),  # density SOC may pass 100
    "%LEL": (-100.0, 100.0),
    "kW": (-1e6, 1e6),
    "kWh": (0.0, 1e12),
    "V": (0.0, 1e6),
    "A": (0.0, 1e6),
    "Hz": (0.0, 1000.0),
    "mm/s": (0.0, 1000.0),
    "mm/h": (0.0, 1000.0),
    "m/s": (0.0, 200.0),
    "deg": (0.0, 360.0),
    "umol/mol": (0.0, 1e6),
    "s": (0.0, 1e9),
    "ms": (-1e9, 1e9),
    "-": (0.0, 1.0),
    "enum": (0.0, 1000.0),
}
"""Units of measure we know, and what a limit or a normal value in them can be at all."""

MANY_OF_A_ROLE = frozenset({"gas", "flame", "smoke", "esd_button", "fan", "heartbeat_age"})
"""Roles that several signals of one unit may play; every other role stands once in a unit."""

_TAG = re.compile(r"[A-Z]{1,5}-[0-9A-Z]{1,8}(?:-[0-9A-Z]{1,4})?")
_UNIT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_NO_TEXT = Text("", "")


@dataclass(slots=True)
class Catalogue:
    """What has been read of units and signals, for the sections that refer to them.

    Attributes:
        units: (area, name) -> unit.
        signals: Tag -> signal.
        where: Tag -> its table, to note mistakes that show up later.
    """

    units: dict[UnitKey, Unit] = field(default_factory=dict)
    signals: dict[str, Signal] = field(default_factory=dict)
    where: dict[str, TomlTable] = field(default_factory=dict)

    def names(self, area: str) -> list[str]:
        """Return the names of an area's units."""
        return [name for unit_area, name in self.units if unit_area == area]

    def by_role(self, area: str, unit: str, role: str) -> list[Signal]:
        """Return signals by area, unit and role, each of which may hold `*`."""
        units = [u for key, u in self.units.items() if fnmatchcase(key[0], area) and fnmatchcase(key[1], unit)]
        signals = [self.signals[tag] for u in units for tag in u.tags]
        return [s for s in signals if s.role == role or fnmatchcase(s.role, role)]

    def roles(self, area: str, unit: str) -> set[str]:
        """Return the roles that a unit has."""
        return {self.signals[tag].role for tag in self.units[(area, unit)].tags}


def read_catalogue(root: TomlTable, types: Mapping[str, AlarmType]) -> tuple[Catalogue, tuple[Gateway, ...]]:
    """Return the units with their signals, and the gateways that carry them."""
    tables = [(key, table) for table in root.tables("units") if (key := _unit_key(table))]
    gateways, carrier = _read_gateways(root, tables)
    states = _read_state_names(root.table("states", required=False))
    catalogue = Catalogue()
    for key, table in tables:
        _read_unit(table, key, catalogue, _SignalReader(types, states, carrier.get(key, "")))
    _check_references(catalogue, root, gateways)
    return catalogue, gateways


def _unit_key(table: TomlTable) -> UnitKey | None:
    at = table.text("at")
    table.title = f"unit {at}" if at else "unit"
    area, _, name = at.partition("/")
    if at and area not in AREAS:
        table.wrong(f"area {area!r} is unknown{nearest(area, AREAS)}", "at")
    elif at and not _UNIT_NAME.fullmatch(name):
        table.wrong("at must be area/name, the name of letters, digits, - _ .", "at")
    else:
        return (area, name) if at else None
    return None


def _read_gateways(
    root: TomlTable, tables: list[tuple[UnitKey, TomlTable]]
) -> tuple[tuple[Gateway, ...], dict[UnitKey, str]]:
    """Return the gateways and which one carries each unit; a unit with none or two is a mistake."""
    known = dict(tables)
    carrier: dict[UnitKey, str] = {}
    gateways: dict[str, Gateway] = {}
    for table in root.tables("gateways"):
        gateway_id = table.text("id")
        table.title = f"gateway {gateway_id}"
        if gateway_id in gateways:
            table.wrong("id stands twice", "id")
        units = _carried(table, gateway_id, known, carrier)
        heartbeat = table.text("heartbeat") if table.has("heartbeat") else None
        gateways[gateway_id] = Gateway(gateway_id, Text(table.text("en"), table.text("zh")), units, heartbeat)
        table.finish()
    for key, table in known.items():
        if key not in carrier:
            table.wrong("no gateway carries it", "at")
    return tuple(gateways.values()), carrier


def _carried(
    table: TomlTable, gateway_id: str, known: Mapping[UnitKey, TomlTable], carrier: dict[UnitKey, str]
) -> tuple[UnitKey, ...]:
    units: list[UnitKey] = []
    for position, pattern in enumerate(table.texts("units")):
        found = [key for key in known if fnmatchcase("/".join(key), pattern)]
        if not found:
            names = ["/".join(key) for key in known]
            table.wrong(f"units: {pattern!r} is no unit{nearest(pattern, names)}", "units", position)
        for key in found:
            if key in carrier:
                table.wrong(f"unit {'/'.join(key)} is already carried by gateway {carrier[key]}", "units", position)
            carrier.setdefault(key, gateway_id)
        units += found
    return tuple(units)


def _read_state_names(table: TomlTable) -> dict[str, tuple[Text, ...]]:
    sets = {}
    for name, row in table.each_table("states"):
        en, zh = row.texts("en"), row.texts("zh")
        if len(en) != len(zh):
            row.wrong(f"en has {len(en)} names, zh {len(zh)}")
        if len(set(en)) != len(en):
            row.wrong("en names must differ", "en")
        sets[name] = tuple(Text(e, z) for e, z in zip(en, zh, strict=False))
        row.finish()
    return sets


def _read_unit(table: TomlTable, key: UnitKey, catalogue: Catalogue, reader: _SignalReader) -> None:
    if key in catalogue.units:
        table.wrong("stands twice", "at")
        return
    tags: list[str] = []
    roles: dict[str, str] = {}
    compared: dict[str, str] = {}
    for row in table.tables("signals"):
        signal = reader.read(row, key)
        if not signal.tag:
            continue
        if signal.tag in catalogue.signals:
            row.wrong(f"tag stands twice, first in unit {'/'.join(catalogue.signals[signal.tag].key)}", "tag")
            continue
        if signal.role in roles and signal.role not in MANY_OF_A_ROLE:
            row.wrong(f"role {signal.role!r} is already played by {roles[signal.role]}", "role")
        roles.setdefault(signal.role, signal.tag)
        tags.append(signal.tag)
        catalogue.signals[signal.tag] = signal
        catalogue.where[signal.tag] = row
        compared[signal.tag] = reader.twin_role(signal, row)
    for tag, role in compared.items():
        catalogue.signals[tag] = _with_twin(catalogue.signals[tag], roles.get(role))
    catalogue.units[key] = Unit(key[0], key[1], Text(table.text("en"), table.text("zh")), tuple(tags))
    table.finish()


@dataclass(frozen=True, slots=True)
class _SignalReader:
    """Reads the signals of one unit."""

    types: Mapping[str, AlarmType]
    states: Mapping[str, tuple[Text, ...]]
    gateway: str

    def read(self, row: TomlTable, key: UnitKey) -> Signal:
        """Return one signal with its alarms."""
        tag = row.text("tag")
        row.title = f"signal {tag}" if tag else "signal"
        if tag and not _TAG.fullmatch(tag):
            row.wrong(f"tag {tag!r} must look like PT-330A: letters, a dash, digits and letters", "tag")
        role = row.text("role")
        kind = row.word("kind", [k.value for k in Kind], default=None) or Kind.ANALOG_INPUT.value
        states = self._states(row, kind)
        unit = self._unit_of_measure(row, kind)
        low, high = row.numbers("normal", 2)
        if low > high:
            row.wrong(f"normal: {low:g} is above {high:g}", "normal")
        signal = Signal(
            tag=tag,
            area=key[0],
            unit=key[1],
            kind=Kind(kind),
            role=role,
            name=Text(row.text("en"), row.text("zh")),
            unit_of_measure=unit,
            normal_lo=low,
            normal_hi=high,
            limits=_read_limits(row, unit, low, high),
            rate_s=row.number("rate", above=0, at_most=86400),
            fill_rate_s=row.number("fill_rate", above=0, at_most=86400) if row.has("fill_rate") else None,
            states=states,
            alarms=(),
            watches=tuple(row.texts("watches", required=False)),
            gateway=self.gateway,
        )
        alarms = self._alarms(row, signal, self._type(row, role))
        row.finish()
        return replace(signal, alarms=alarms)

    def twin_role(self, signal: Signal, row: TomlTable) -> str:
        """Return the role of the transmitter that a signal is compared with; none is called ""."""
        if not any(alarm.condition == "DEV" for alarm in signal.alarms):
            return ""
        return self.types[row.text("type", default=signal.role)].rules["DEV"].to or ""

    def _states(self, row: TomlTable, kind: str) -> tuple[Text, ...]:
        if kind != Kind.STATE.value:
            return ()
        return self.states.get(row.word("states", self.states), ())

    def _unit_of_measure(self, row: TomlTable, kind: str) -> str:
        usual = {Kind.STATE.value: "enum", Kind.DIGITAL_INPUT.value: "-"}.get(kind)
        return row.word("unit", UNITS_OF_MEASURE, default=usual)

    def _type(self, row: TomlTable, role: str) -> AlarmType:
        name = row.text("type", default=role)
        if name and name not in self.types:
            said = (
                f"type {name!r} is unknown"
                if row.has("type")
                else f"no alarm type is called like role {name!r}; say type"
            )
            row.wrong(f"{said}{nearest(name, self.types)}", "type" if row.has("type") else "role")
        return self.types.get(name, AlarmType(name))

    def _alarms(self, row: TomlTable, signal: Signal, kind: AlarmType) -> tuple[AlarmSpec, ...]:
        """Return one alarm for each limit and behaviour, for abnormal states, for silence and for a failed sensor."""
        if kind.name not in self.types:
            return ()
        states = ["STATE"] if kind.states and signal.states else []
        conditions = [*signal.limits, *_behaviours(signal, kind), *states, "STALE", "BAD"]
        lacking = [lack for condition in conditions if (lack := kind.lacks(condition))]
        if lacking:
            row.wrong(f"its alarm type {kind.name!r} is not complete: {lacking[0]}")
            return ()
        wording = Wording(signal.name, signal.unit_of_measure)
        deadband = kind.deadband_for(signal.instrument_range)
        return tuple(
            _state_alarm(row, signal, kind)
            if condition == "STATE"
            else make_alarm(
                kind,
                condition,
                wording,
                limit=_limit_of(signal, kind, condition),
                deadband=deadband if condition in LIMITS else 0.0,
            )
            for condition in conditions
        )


def _with_twin(signal: Signal, twin: str | None) -> Signal:
    """Return a signal with its twin; without one there is nothing to deviate from."""
    if twin is not None:
        return replace(signal, twin=twin)
    return replace(signal, alarms=tuple(alarm for alarm in signal.alarms if alarm.condition != "DEV"))


def _behaviours(signal: Signal, kind: AlarmType) -> list[str]:
    """Return the behaviours that a signal is watched for; those of numbers only where it measures one."""
    found = [name for name in BEHAVIOURS if kind.watches(name)]
    if kind.watches("DEV") and kind.rules["DEV"].to == signal.role:
        found.remove("DEV")  # Of two that differ one tells.
    return found if signal.kind is Kind.ANALOG_INPUT else [name for name in found if name == "DROPOUT"]


def _limit_of(signal: Signal, kind: AlarmType, condition: str) -> float | None:
    if condition in BEHAVIOURS:
        return limit_for(kind.rules[condition], signal.instrument_range)
    return signal.limits.get(condition)


def _state_alarm(row: TomlTable, signal: Signal, kind: AlarmType) -> AlarmSpec:
    numbers = {state.en: number for number, state in enumerate(signal.states)}
    for state in kind.states:
        if state not in numbers:
            row.wrong(
                f"its alarm type {kind.name!r} names state {state!r}, which it does not have{nearest(state, numbers)}"
            )
    abnormal = [(numbers[state], priority) for state, priority in kind.states.items() if state in numbers]
    named = [signal.states[number] for number, _ in abnormal]
    words = Text(", ".join(state.en for state in named), "、".join(state.zh for state in named))
    spec = make_alarm(kind, "STATE", Wording(signal.name, "enum", words), limit=None, deadband=0.0)
    highest = min(
        (priority for _, priority in abnormal if priority in PRIORITIES), key=PRIORITIES.index, default=spec.priority
    )
    weights = tuple(abnormal) if len({priority for _, priority in abnormal}) > 1 else ()
    return replace(spec, priority=highest, states=tuple(number for number, _ in abnormal), state_priorities=weights)


def _read_limits(row: TomlTable, unit: str, normal_lo: float, normal_hi: float) -> dict[str, float]:
    """Return the configured limits; they must rise from LL to HH, on the right side of normal, and be possible."""
    limits = {name: row.number(name) for name in LIMITS if row.has(name)}
    ordered = list(limits.items())
    for (lower, low), (upper, high) in pairwise(ordered):
        if low >= high:
            row.wrong(f"limit {lower} {low} {'is above' if low > high else 'equals'} {upper} {high}", lower)
    for name, value in ordered:
        if name in {"LL", "L"} and value > normal_hi:
            row.wrong(f"limit {name} {value} is above everything normal (to {normal_hi:g})", name)
        if name in {"H", "HH"} and value < normal_lo:
            row.wrong(f"limit {name} {value} is below everything normal (from {normal_lo:g})", name)
    _check_possible(row, unit, [("normal", normal_lo), ("normal", normal_hi), *ordered])
    return {name: value for name, value in limits.items() if not math.isnan(value)}


def _check_possible(row: TomlTable, unit: str, values: list[tuple[str, float]]) -> None:
    """Note values that the unit of measure, or the transmitter where its `range` is given, cannot have."""
    least, most = UNITS_OF_MEASURE.get(unit, (-math.inf, math.inf))
    where = f"what {unit} can be"
    if row.has("range"):
        (least, most), where = row.numbers("range", 2), "the instrument range"
    for name, value in values:
        if value < least or value > most:
            what = name if name == "normal" else f"limit {name}"
            row.wrong(f"{what} {value:g} is outside {where} ({least:g} to {most:g})", name)


def _check_references(catalogue: Catalogue, root: TomlTable, gateways: tuple[Gateway, ...]) -> None:
    names = {name for _, name in catalogue.units}
    for tag, signal in catalogue.signals.items():
        for position, watched in enumerate(signal.watches):
            if watched not in names:
                catalogue.where[tag].wrong(
                    f"watches {watched!r}, which is no unit{nearest(watched, names)}", "watches", position
                )
    for position, gateway in enumerate(gateways):
        if gateway.heartbeat is not None and gateway.heartbeat not in catalogue.signals:
            guess = nearest(gateway.heartbeat, catalogue.signals)
            root.wrong(
                f"gateway {gateway.id}: heartbeat {gateway.heartbeat!r} is no signal{guess}",
                "gateways",
                position,
                "heartbeat",
            )
