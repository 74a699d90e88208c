"""The overview's picture as data: which tiles a station has, and which signal each number of them shows.

Tags are found by role, so that another station file draws itself. The page's script knows tiles and signals only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from api.live.station import LiveStation
from dashboards.console.pipes import station_pipes
from dashboards.console.texts import text_of
from station.domain.capacity_alert_rules import RISK_CHANCES, SHORT_CHANCES, chance_limits
from station.domain.plant import Plant, Signal, UnitKey

Json = dict[str, Any]
WORKING: Final = frozenset({"open", "loaded", "run", "connect", "leak-check", "fill", "hold", "end"})
"""States, by English name, in which equipment is at work: drawn filled, others drawn empty."""
AT_VEHICLE: Final = ("leak-check", "fill", "hold")
"""Only in these hose states does a vehicle speak; its numbers are blank otherwise, not stale."""
_DIGITS: Final = {
    "MPa": 1, "kPa": 0, "Pa": 0, "kg/h": 0, "g/s": 1, "degC": 0, "%": 0, "%LEL": 0, "kg": 1, "kW": 0, "m3/h": 1,
    "m/s": 1, "V": 0,
}  # fmt: skip
_UNITS_SHOWN: Final = {"degC": "°C", "m3/h": "m³/h", "umol/mol": "µmol/mol", "-": "", "enum": ""}
_SLOW_RESEND_S: Final = 60.0
"""Digital signals and states come on change and each 60 s."""


def station_layout(plant: Plant, language: str) -> Json:
    """Return sections of tiles and the signals, in one language, as plain JSON types."""
    draw = _Drawing(plant, language)
    sections = [
        ("trailer", [*draw.bays(), *draw.low_header()]),
        ("compression", draw.trains()),
        ("storage", [*draw.banks(), *draw.high_header()]),
        ("dispensing", draw.hoses()),
        ("cooling", [*draw.chillers(), *draw.brine()]),
        ("safety", [*draw.emergency(), *draw.gas(), *draw.vent()]),
        ("utilities", draw.utilities()),
    ]
    return {
        "id": plant.id,
        "name": plant.label.in_language(language),
        "timezone": plant.timezone.key,
        "chances": chances(plant),
        "totals": list(plant.tags_with_role("total")),
        "sections": [{"key": key, "title": text_of(key, language), "tiles": tiles} for key, tiles in sections if tiles],
        "pipes": station_pipes(plant),
        "signals": {signal.tag: signal_layout(signal, language) for signal in plant.signals.values()},
    }


def chances(plant: Plant) -> Json:
    """Return from which probability of a shortage on a figure is marked: where the alarms are raised."""
    return {
        "warn": chance_limits(plant, "CAP-RISK", RISK_CHANCES)[0],
        "bad": chance_limits(plant, "CAP-SHORT", SHORT_CHANCES)[0],
    }


def signal_layout(signal: Signal, language: str) -> Json:
    """Return what the page's script needs of a signal."""
    discrete = bool(signal.states) or signal.unit_of_measure == "-"
    abnormal = {state for alarm in signal.alarms if alarm.condition == "STATE" for state in alarm.states}
    body: Json = {
        "name": signal.name.in_language(language),
        "at": f"{signal.area}/{signal.unit}",
        "unit": _UNITS_SHOWN.get(signal.unit_of_measure, signal.unit_of_measure),
        "digits": _DIGITS.get(signal.unit_of_measure, 1),
        "range": [round(end, 3) for end in signal.instrument_range],
        "limits": dict(signal.limits),
        "stale_s": max(15.0, 3 * (max(signal.rate_s, _SLOW_RESEND_S) if discrete else signal.rate_s)),
    }
    if signal.states:
        body["states"] = [state.in_language(language) for state in signal.states]
        body["working"] = [number for number, state in enumerate(signal.states) if state.en in WORKING]
        body["abnormal"] = sorted(abnormal)
    elif discrete:
        body["states"] = [text_of("off", language), text_of("on", language)]
        body["abnormal"] = []
        body["working"] = [1]
    return body


def signals_now(live: LiveStation, language: str) -> dict[str, Json]:
    """Return every signal, with the limits that an engineer has set where they are others than the station file's."""
    return {
        tag: {**signal_layout(signal, language), "limits": live.alarms.limits_of(tag)}
        for tag, signal in live.plant.signals.items()
    }


class _Drawing:
    """Tiles of one plant in one language. A tile leaves out what its unit does not measure."""

    def __init__(self, plant: Plant, language: str) -> None:
        self._plant = plant
        self._language = language
        self._tags = {(one.area, one.unit, one.role): one.tag for one in plant.signals.values()}

    def bays(self) -> list[Json]:
        supply = self._plant.supply
        full = supply.fill_pressure_mpa
        span = (supply.floor_mpa, full)
        return [
            self._blank_while(
                "absent", self._tile(("trailer", bay), "flat", main="pressure", span=span, rows=[("flow", "flow")])
            )
            for bay in supply.bays
        ]

    def _blank_while(self, name: str, tile: Json) -> Json:
        """Leave a tile's numbers blank in a state in which nothing is there to be measured: they are not stale then."""
        state = tile["state"]
        names = [] if state is None else [one.en for one in self._plant.signals[state].states]
        if name in names:
            only = {"tag": state, "states": [number for number, one in enumerate(names) if one != name]}
            for row in [*tile["rows"], *([tile["main"]] if "main" in tile else [])]:
                row["only"] = only
        return tile

    def low_header(self) -> list[Json]:
        supply = self._plant.supply
        rows = [("filter", "filter_differential"), ("temperature", "temperature")]
        span = (supply.floor_mpa, supply.fill_pressure_mpa)
        return self._if_there(("trailer", "header-lp"), "flat", main="pressure", span=span, rows=rows)

    def trains(self) -> list[Json]:
        rows = [("suction", "suction_pressure"), ("discharge", "discharge_pressure")]
        return [
            self._tile(("compression", train.unit), "flat", main="flow", span=(0.0, 1.2 * train.rated_kg_h), rows=rows)
            for train in self._plant.trains
        ]

    def banks(self) -> list[Json]:
        rows = [("temperature", "temperature")]
        return [self._bank(("storage", bank.unit), bank.design_mpa, rows) for bank in self._plant.banks]

    def _bank(self, key: UnitKey, design_mpa: float, rows: Sequence[tuple[str, str]]) -> Json:
        tile = self._tile(key, "tall", main="pressure_a", span=(0.0, design_mpa), rows=rows)
        self._add_words(tile, key, "inlet", "inlet_open", ("closed", "open"))
        self._add_words(tile, key, "outlet", "outlet_open", ("closed", "open"))
        self._add_words(tile, key, "relief", "relief_lifted", ("seated", "lifted"), abnormal=True)
        return tile

    def high_header(self) -> list[Json]:
        highest = max((bank.design_mpa for bank in self._plant.banks), default=50.0)
        rows = [("temperature", "temperature")]
        return self._if_there(("storage", "header-hp"), "flat wide", main="pressure", span=(0.0, highest), rows=rows)

    def chillers(self) -> list[Json]:
        rows = [("return", "return_temperature"), ("flow", "brine_flow")]
        return [
            self._tile(("cooling", chiller.unit), "flat", main="supply_temperature", rows=rows)
            for chiller in self._plant.chillers
        ]

    def brine(self) -> list[Json]:
        return self._if_there(("cooling", "brine-tank"), "flat", main="level", span=(0.0, 100.0))

    def hoses(self) -> list[Json]:
        return [self._hose(hose.unit) for hose in self._plant.hoses]

    def _hose(self, unit: str) -> Json:
        tile = self._tile(("dispensing", unit), "narrow", main="pressure", span=(0.0, 45.0))
        tile["units"].append(f"vehicle/{unit}")
        state = tile["state"]
        self._add_row(tile, ("dispensing", unit), "flow", "flow")
        self._add_row(tile, ("vehicle", unit), "soc", "soc")
        total = self._tags.get(("dispensing", unit, "total"))
        if state is None:
            return tile
        states = [one.en for one in self._plant.signals[state].states]
        speaking = [states.index(name) for name in AT_VEHICLE if name in states]
        for row in tile["rows"]:
            if self._plant.signals[row["tag"]].area == "vehicle":
                row["only"] = {"tag": state, "states": speaking}
        if total is not None:
            counted = [number for number, name in enumerate(states) if name in WORKING]
            label = text_of("dispensed", self._language)
            tile["rows"].append({"label": label, "tag": total, "since": {"tag": state, "states": counted}})
        return tile

    def emergency(self) -> list[Json]:
        tiles = []
        for tag in self._plant.tags_with_role("esd_level"):
            signal = self._plant.signals[tag]
            tile = self._empty(signal.key, tag)
            buttons = self._unit_tags(signal.key, "esd_button")
            if buttons:
                tile["rows"].append(self._any("button", buttons, ("released", "pressed")))
            tiles.append(tile)
        return tiles

    def gas(self) -> list[Json]:
        """Return a tile for each place with detectors: the highest gas, and whether any sees fire."""
        tiles = []
        for key in self._plant.units:
            gas = self._unit_tags(key, "gas")
            if not gas:
                continue
            tile = self._empty(key, None)
            tile["rows"].append({"label": text_of("highest_gas", self._language), "tags": gas, "show": "max"})
            for role in ("flame", "smoke"):
                detectors = self._unit_tags(key, role)
                if detectors:
                    tile["rows"].append(self._any(role, detectors, ("clear", "detected")))
            tiles.append(tile)
        return tiles

    def vent(self) -> list[Json]:
        key = ("storage", "vent")
        tiles = self._if_there(key, "flat", rows=[("temperature", "temperature")])
        for tile in tiles:
            self._add_words(tile, key, "vent_flow", "flow_switch", ("none", "flowing"), abnormal=True)
        return tiles

    def utilities(self) -> list[Json]:
        wanted = [
            (("utilities", "power"), [("power", "power")]),
            (("utilities", "weather"), [("ambient", "ambient_temperature")]),
            (("utilities", "gas-services"), [("air", "air_pressure")]),
            (("utilities", "cooling-water"), [("water", "supply_temperature")]),
        ]
        return [tile for key, rows in wanted for tile in self._if_there(key, "slim", rows=rows)]

    def _if_there(self, key: UnitKey, shape: str, **options: Any) -> list[Json]:
        return [self._tile(key, shape, **options)] if key in self._plant.units else []

    def _tile(
        self,
        key: UnitKey,
        shape: str,
        *,
        main: str | None = None,
        span: tuple[float, float] | None = None,
        rows: Iterable[tuple[str, str]] = (),
    ) -> Json:
        tile = self._empty(key, self._tags.get((*key, "state")), shape)
        tag = None if main is None else self._tags.get((*key, main))
        if tag is not None:
            tile["main"] = {"tag": tag}
            if span is not None:
                tile["bar"] = {"tag": tag, "span": list(span)}
        for label, role in rows:
            self._add_row(tile, key, label, role)
        return tile

    def _empty(self, key: UnitKey, state: str | None, shape: str = "flat") -> Json:
        unit = self._plant.units[key]
        name = unit.label.in_language(self._language)
        units = [f"{unit.area}/{unit.name}"]
        return {"units": units, "name": name, "shape": shape, "state": state, "rows": []}

    def _add_row(self, tile: Json, key: UnitKey, label: str, role: str) -> None:
        tag = self._tags.get((*key, role))
        if tag is not None:
            tile["rows"].append({"label": text_of(label, self._language), "tag": tag})

    def _add_words(
        self, tile: Json, key: UnitKey, label: str, role: str, words: tuple[str, str], *, abnormal: bool = False
    ) -> None:
        tag = self._tags.get((*key, role))
        if tag is not None:
            row = {"label": text_of(label, self._language), "tag": tag, "words": self._words(words)}
            tile["rows"].append(row | ({"abnormal": [1]} if abnormal else {}))

    def _any(self, label: str, tags: Sequence[str], words: tuple[str, str]) -> Json:
        label = text_of(label, self._language)
        return {"label": label, "tags": list(tags), "show": "any", "words": self._words(words), "abnormal": [1]}

    def _words(self, words: tuple[str, str]) -> list[str]:
        return [text_of(word, self._language) for word in words]

    def _unit_tags(self, key: UnitKey, role: str) -> list[str]:
        signals = self._plant.signals
        return [tag for tag in self._plant.units[key].tags if signals[tag].role == role]
