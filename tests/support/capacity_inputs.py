"""A scripted station that says every capacity input each 20 s, one hose filling, and what is done to one of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from api.forecast.engine import CLOCKS_APART_MS, CapacityEngine
from api.forecast.inputs import CapacityInputs
from api.forecast.tags import capacity_tags
from station.domain.capacity_alerts import CapacityAlerts
from station.domain.capacity_forecast import Forecast
from station.domain.capacity_snapshot import StationSnapshot
from station.domain.signals import UnitMessage
from station.domain.static_capacity import static_capacity
from tests.support.plants import jinma

PLANT = jinma()
TAGS = capacity_tags(PLANT)
MINUTE_MS = 60_000
EACH_MS = 20_000
Values = dict[str, float | None]


def state(tag: str, name: str) -> float:
    """Return a state's number."""
    return float(PLANT.signals[tag].state_number(name))


def at_rest() -> dict[str, float]:
    """A healthy station at rest, every capacity input with a value but those of vehicles."""
    values: dict[str, float] = {}
    for bay in TAGS.bays:
        values |= {bay.pressure: 12.0, bay.hose_pressure: 11.9, bay.temperature: 20.0, bay.flow: 0.0}
        values[bay.state] = state(bay.state, "open")
    for bank in TAGS.banks:
        values |= {bank.pressure_a: 43.0, bank.pressure_b: 43.2, bank.temperature: 21.0}
    for train in TAGS.trains:
        values |= {train.suction: 12.0, train.flow: 0.0, train.state: state(train.state, "stop")}
    for chiller in TAGS.chillers:
        values[chiller.state] = state(chiller.state, "run")
    for hose in TAGS.hoses:
        values |= {hose.state: state(hose.state, "idle"), hose.total: 5000.0, hose.delivery_temperature: 18.0}
    values |= {TAGS.weighbridge: 0.0, TAGS.header_pressure: 11.9, TAGS.header_temperature: 19.0}
    return values | {TAGS.bank_header_temperature: 20.0, TAGS.ambient: 18.0}


def messages(
    t_ms: int, values: Mapping[str, float | None], quality: Mapping[str, str] | None = None
) -> list[UnitMessage]:
    """Return one message a unit."""
    units: dict[tuple[str, str], Values] = {}
    for tag, value in values.items():
        units.setdefault(PLANT.signals[tag].key, {})[tag] = value
    marked = quality or {}
    return [
        UnitMessage(PLANT.id, area, unit, t_ms, inside, {t: q for t, q in marked.items() if t in inside})
        for (area, unit), inside in units.items()
    ]


@dataclass
class Recorder:
    """A runner that keeps what it is asked for."""

    backlog: int = 0
    asked: list[tuple[StationSnapshot, bool]] = field(default_factory=list)

    def submit(self, snapshot: StationSnapshot, *, on_grid: bool) -> None:
        self.asked.append((snapshot, on_grid))

    def finished(self) -> list[Forecast]:
        return []

    def close(self) -> None:
        pass


Harm = Callable[[Values, dict[str, str], str], None]


def silent(values: Values, _quality: dict[str, str], tag: str) -> None:
    """The tag is in no message."""
    values.pop(tag, None)


def bad(values: Values, quality: dict[str, str], tag: str) -> None:
    """The tag comes with a value that is marked bad."""
    if tag in values:
        quality[tag] = "bad:fault"


def null(values: Values, _quality: dict[str, str], tag: str) -> None:
    """The tag comes without a value."""
    if tag in values:
        values[tag] = None


HARMS: tuple[Harm, ...] = (silent, bad, null)


class ScriptedStation:
    """A station that fills one truck at hose number `filling` and is otherwise at rest.

    Attributes:
        changes: Values that differ from the usual.
        hurt: Tags with what is done to each.
        seen: The snapshot of each full minute.
    """

    def __init__(self, start_ms: int, filling: int = 0) -> None:
        self.start_ms = self.t_ms = start_ms
        self.filling = TAGS.hoses[filling]
        self.inputs, self.runner = CapacityInputs(PLANT), Recorder()
        self.engine = CapacityEngine(PLANT, self.inputs, self.runner)
        self.changes: Values = {}
        self.hurt: dict[str, Harm] = {}
        self.seen: list[StationSnapshot] = []

    def run(self, minutes: float) -> None:
        """Let station time pass."""
        until = self.t_ms + round(minutes * MINUTE_MS)
        while self.t_ms < until:
            self.engine.advance(self.t_ms)
            newest = self.engine.newest_snapshot
            if newest is not None and (not self.seen or self.seen[-1] is not newest):
                self.seen.append(newest)
            values, quality = self._values(), dict[str, str]()
            for tag, harm in self.hurt.items():
                harm(values, quality, tag)
            for message in messages(self.t_ms, values, quality):
                self.inputs.observe(message)
            self.t_ms += EACH_MS
        self.engine.advance(self.t_ms + CLOCKS_APART_MS + 1)

    def _values(self) -> Values:
        minutes = (self.t_ms - self.start_ms) / MINUTE_MS
        hose, values = self.filling, dict[str, float | None](at_rest())
        doing = "connect" if minutes < 1.0 else "fill"
        values |= {hose.state: state(hose.state, doing), hose.delivery_temperature: -20.0}
        values[hose.total] = 5000.0 + 1.2 * max(0.0, minutes - 1.0)
        if doing == "fill":
            values |= {hose.soc: 30.0 + 2.0 * minutes, hose.tank_volume: 2100.0}
        return values | self.changes


def alert_times(asked: list[tuple[StationSnapshot, bool]], like: Forecast, alert: str) -> list[tuple[int, bool, str]]:
    """Return (time, active, priority) of each change of an alert over the forecasts that were asked for.

    Only what rests on the inputs is of the snapshots; the rest is another forecast's.
    """
    alerts, told = CapacityAlerts(PLANT), list[tuple[int, bool, str]]()
    for snapshot, on_grid in asked:
        static = static_capacity(PLANT, snapshot)
        detail = dataclasses.replace(like.detail, static=static, on_grid=on_grid)
        made = dataclasses.replace(
            like, at_ms=snapshot.at_ms, valid=static.valid, inputs=snapshot.inputs, detail=detail
        )
        for c in alerts.update(made):
            if c.id == alert and (not told or told[-1][1:] != (c.active, c.priority)):
                told.append((c.at_ms, c.active, c.priority))
    return told
