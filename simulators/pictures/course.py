"""What a station said over a stretch of time, on an even grid; read from its messages alone, as any log has them."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from station.domain.mass_balance import Accuracy, BalanceTerms, MassBalance
from station.domain.plant import Plant
from station.errors import BadInputError
from station.wire import json_v1, plan_v1, topics

Floats = npt.NDArray[np.float64]

_SETTLED_S: Final = 120.0
"""Every signal has been said once by then: the audit begins."""
_AUDIT_EVERY_S: Final = 900.0


@dataclass(slots=True)
class SeenFill:
    """One fill as the wire tells it; times epoch ms, NaN where nothing was said."""

    hose: str
    connect_ms: int
    fill_ms: int
    end_ms: int
    kg: float
    start_mpa: float
    end_mpa: float
    end_c: float
    end_soc: float

    @property
    def minutes(self) -> float:
        """From the first flow to the last [min]."""
        return (self.end_ms - self.fill_ms) / 60_000.0


@dataclass(slots=True)
class _Hose:
    """A hose's fill under way."""

    total: str
    connect_ms: int | None = None
    fill_ms: int | None = None
    first_kg: float = 0.0
    start_mpa: float = math.nan


class Course:
    """Takes messages in the order of their arrival and lays every signal on an even grid.

    Args:
        plant: The station.
        accuracy: Of its instruments, for the audit of the kilograms.
        grain_s: Spacing of the grid [s].

    Attributes:
        fills: That ended, in order.
        waits: (moment epoch ms, minutes) of each truck that left the gate.
        audits: The kilograms, each quarter of an hour.
        planned_kg, planned_trucks: By date, as the plan says.
    """

    def __init__(self, plant: Plant, accuracy: Accuracy, grain_s: float) -> None:
        self.plant = plant
        self.fills: list[SeenFill] = []
        self.waits: list[tuple[int, float]] = []
        self.audits: list[BalanceTerms] = []
        self.planned_kg: dict[dt.date, float] = {}
        self.planned_trucks: dict[dt.date, int] = {}
        self._grain_ms = round(grain_s * 1000)
        self._place = {tag: number for number, tag in enumerate(plant.signals)}
        self._now = [math.nan] * len(plant.signals)
        self._rows: list[list[float]] = []
        self._times: list[int] = []
        self._queue_lengths: list[int] = []
        self._waiting: dict[str, int] = {}
        self._next_ms = self._first_ms = 0
        self._balance = MassBalance(plant, accuracy)
        self._audited_ms: int | None = None
        self._hoses = {
            plant.tag("dispensing", hose.unit, "state"): (
                hose.unit,
                _Hose(plant.tag("dispensing", hose.unit, "total")),
            )
            for hose in plant.hoses
        }
        self._states = {name: number for number, name in enumerate(_hose_states(plant))}
        self._blank = _blanks(plant)

    @property
    def t_ms(self) -> npt.NDArray[np.int64]:
        """Times of the grid, epoch ms."""
        return np.array(self._times, dtype=np.int64)

    @property
    def queue(self) -> Floats:
        """Trucks at the gate at each time of the grid."""
        return np.array(self._queue_lengths, dtype=np.float64)

    def local(self, t_ms: int) -> dt.datetime:
        """Return a moment in the station's own time."""
        return dt.datetime.fromtimestamp(t_ms / 1000.0, self.plant.timezone)

    def finish(self) -> None:
        """Lay the grid's columns out; nothing may be taken afterwards.

        Raises:
            BadInputError: Too little was taken for a picture.
        """
        if len(self._rows) < 2:
            raise BadInputError("nothing of this station to picture: no readings, or less than a minute of them")
        self._grid = np.array(self._rows)
        self._audit(self._times[-1])

    def column(self, tag: str) -> Floats:
        """Return a signal on the grid; NaN where it has no value."""
        return np.asarray(self._grid[:, self._place[tag]])

    def of(self, area: str, unit: str, role: str) -> Floats:
        """Return a signal on the grid by what it is."""
        return self.column(self.plant.tag(area, unit, role))

    def take(self, topic: str, payload: bytes) -> None:
        """Take one message of a log or of a simulation."""
        place = topics.parse_reading(topic)
        if place is not None:
            if place.station == self.plant.id:
                said = json_v1.decode(payload)
                self._reading(said.t_ms, dict(said.values))
            return
        parts = topic.split("/")
        if len(parts) == 5 and parts[2:5] == [self.plant.id, "queue", "gate"]:
            self._gate(payload)
        elif len(parts) == 5 and parts[2:4] == [self.plant.id, "plan"]:
            self._plan(dt.date.fromisoformat(parts[4]), payload)

    # ---- what is said

    def _reading(self, t_ms: int, values: dict[str, float | None]) -> None:
        self._tick(t_ms)
        for tag in values.keys() & self._hoses.keys():
            self._fill(*self._hoses[tag], t_ms, values[tag])
        now = self._now
        for tag, value in values.items():
            if (place := self._place.get(tag)) is not None:
                now[place] = math.nan if value is None else value
        for tag in values.keys() & self._blank.keys():
            state, others = self._blank[tag]
            if values[tag] == state:
                for place in others:
                    now[place] = math.nan
        self._balance.take(t_ms, values)

    def _tick(self, t_ms: int) -> None:
        if not self._next_ms:
            self._first_ms = t_ms
            self._next_ms = t_ms // self._grain_ms * self._grain_ms + self._grain_ms
        while t_ms >= self._next_ms:
            self._rows.append(self._now.copy())
            self._times.append(self._next_ms)
            self._queue_lengths.append(len(self._waiting))
            if self._next_ms % round(_AUDIT_EVERY_S * 1000) == 0:
                self._audit(self._next_ms)
            self._next_ms += self._grain_ms

    def _audit(self, t_ms: int) -> None:
        if self._audited_ms is None:
            if t_ms - self._first_ms >= _SETTLED_S * 1000:
                self._balance.begin()
                self._audited_ms = t_ms
        elif t_ms > self._audited_ms:
            self.audits.append(self._balance.terms())

    def _fill(self, unit: str, hose: _Hose, t_ms: int, state: float | None) -> None:
        names, now, plant = self._states, self._now, self.plant
        if state == names["connect"] and hose.connect_ms is None:
            hose.connect_ms, hose.first_kg = t_ms, now[self._place[hose.total]]
        elif state == names["fill"] and hose.fill_ms is None:
            hose.fill_ms = t_ms
            hose.start_mpa = now[self._place[plant.tag("vehicle", unit, "pressure")]]
        elif state == names["end"] and hose.connect_ms is not None and hose.fill_ms is not None:
            read = [now[self._place[plant.tag("vehicle", unit, role)]] for role in ("pressure", "temperature", "soc")]
            kg = now[self._place[hose.total]] - hose.first_kg
            self.fills.append(SeenFill(unit, hose.connect_ms, hose.fill_ms, t_ms, kg, hose.start_mpa, *read))
            hose.connect_ms = hose.fill_ms = None
        elif state == names["idle"]:
            hose.connect_ms = hose.fill_ms = None

    def _gate(self, payload: bytes) -> None:
        t_ms, trucks = plan_v1.parse_gate_queue(payload)
        waiting = {truck.id: truck.since_ms for truck in trucks}
        self.waits += [
            (t_ms, (t_ms - since) / 60_000.0) for truck, since in self._waiting.items() if truck not in waiting
        ]
        self._waiting = waiting

    def _plan(self, day: dt.date, payload: bytes) -> None:
        plan = plan_v1.parse_plan(payload, day, self.plant.timezone, "mqtt")
        self.planned_kg[day] = sum(truck.kg for truck in plan.trucks)
        self.planned_trucks[day] = len(plan.trucks)


def _hose_states(plant: Plant) -> list[str]:
    signal = plant.signals[plant.tag("dispensing", plant.hoses[0].unit, "state")]
    return [state.en for state in signal.states]


def _blanks(plant: Plant) -> dict[str, tuple[int, list[int]]]:
    """Return state tag -> (the state in which its unit's other signals are silent, their places)."""
    place = {tag: number for number, tag in enumerate(plant.signals)}
    blank: dict[str, tuple[int, list[int]]] = {}
    for hose in plant.hoses:
        command = plant.tag("vehicle", hose.unit, "command")
        others = [place[tag] for tag in plant.units[("vehicle", hose.unit)].tags if tag != command]
        blank[command] = plant.signals[command].state_number("none"), others
    for bay in plant.supply.bays:
        state = plant.tag("trailer", bay, "state")
        roles = ("pressure", "temperature", "hose_pressure", "flow")
        others = [place[plant.tag("trailer", bay, role)] for role in roles]
        blank[state] = plant.signals[state].state_number("absent"), others
    return blank
