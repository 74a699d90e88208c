"""What is let in: a message held against the station file and the clock. Ingest and the alarm engine refuse alike.

Refusing is per value where it can be: an unknown signal beside good ones loses only itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from station.domain.plant import Plant, Signal
from station.domain.signals import UnitMessage
from station.errors import PayloadError
from station.wire import topics
from station.wire.json_v1 import Decoded, PlainPayload, Refusal, decode, decode_plain

OLDEST: Final = dt.timedelta(days=30)
NEWEST: Final = dt.timedelta(hours=24)
UnknownSignals = Literal["refuse", "ignore", "store"]
_PATHS_KEPT: Final = 65_536
_SHAPES_KEPT: Final = 64
"""Topics, and sets of signals a topic, whose rules are kept at hand; a unit sends a handful of sets."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What to do with a message that does not fit; the defaults are the contract's.

    Attributes:
        oldest: A message whose `t` lies further back than this is refused (reason `time`).
        newest: A message whose `t` lies further ahead than this is refused (reason `time`).
        unknown: A signal that the station file does not know is refused (a dead letter names it), ignored (nothing is
            said of it), or stored as an analog one. A message of unknown signals alone is refused under `ignore` too.
    """

    oldest: dt.timedelta = OLDEST
    newest: dt.timedelta = NEWEST
    unknown: UnknownSignals = "refuse"


class Admitted(msgspec.Struct, frozen=True):
    """The part of a message that came in (None where nothing did) and what was refused of it."""

    message: UnitMessage | None
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    discrete: bool
    highest: float
    """Highest state number of a discrete signal."""

    @classmethod
    def of(cls, signal: Signal) -> _Rule:
        return cls(signal.kind.is_discrete, float(len(signal.states) - 1) if signal.states else 1.0)


_ANALOG: Final = _Rule(discrete=False, highest=0.0)
_Rules = dict[str, _Rule]
_Shape = tuple[tuple[str, float], ...]
"""The discrete signals of a set of known ones, and the highest state of each."""


@dataclass(slots=True)
class _Path:
    """A topic that is known: whose it is, its rules, and the sets of signals that came on it."""

    place: topics.ReadingTopic
    rules: _Rules
    shapes: dict[tuple[str, ...], _Shape] = field(default_factory=dict)

    def shape(self, signals: tuple[str, ...]) -> _Shape | None:
        """Return what to look at in a message of these signals, None where one of them is unknown."""
        shape = self.shapes.get(signals)
        if shape is None and all(signal in self.rules for signal in signals):
            shape = tuple((s, self.rules[s].highest) for s in signals if self.rules[s].discrete)
            if len(self.shapes) >= _SHAPES_KEPT:
                self.shapes.clear()
            self.shapes[signals] = shape
        return shape


class Admission:
    """Judges messages of the stations that have a file.

    Args:
        plants: The stations that are known.
        accept_replays: Take `{station}~{id}` too, by the rules of its station.
        policy: What to do with what does not fit.
    """

    def __init__(self, plants: Iterable[Plant], *, accept_replays: bool = False, policy: Policy | None = None) -> None:
        self._rules = {
            plant.id: {
                key: {tag: _Rule.of(plant.signals[tag]) for tag in unit.tags} for key, unit in plant.units.items()
            }
            for plant in plants
        }
        self._accept_replays = accept_replays
        policy = policy or Policy()
        self._unknown = policy.unknown
        self._oldest_ms = int(policy.oldest.total_seconds() * 1000)
        self._newest_ms = int(policy.newest.total_seconds() * 1000)
        self._paths: dict[str, _Path] = {}

    @property
    def stations(self) -> list[str]:
        """The stations that are known."""
        return list(self._rules)

    def wants(self, station: str) -> bool:
        """Return False for what is none of ours to judge: replays, unless they are accepted."""
        return self._accept_replays or topics.REPLAY_MARK not in station

    def place_of(self, topic: str) -> topics.ReadingTopic | None:
        """Return whose readings come on a topic, None where it is none of readings."""
        path = self._paths.get(topic)
        return path.place if path is not None else topics.parse_reading(topic)

    def admit_plain(self, topic: str, payload: bytes, now_ms: int) -> UnitMessage | Refusal | None:
        """Return a message with nothing to refuse and nothing to remark, as nearly all are; None: ask `admit`.

        The same answer as `admit`, three times as fast: numbers only, all good, of signals that came on this topic
        before. A refusal of the whole message is returned where it is as plain: a flood of them shall cost little.
        """
        path = self._paths.get(topic)
        if path is None:
            return None
        said = decode_plain(payload)
        if not isinstance(said, PlainPayload):
            return said
        if not now_ms - self._oldest_ms <= said.t <= now_ms + self._newest_ms:
            return self._untimely(said.t, now_ms)
        values = said.v
        shape = path.shapes.get(tuple(values))
        if shape is None:
            return None
        for signal, highest in shape:
            number = values[signal]
            if not 0.0 <= number <= highest or number % 1.0:
                return None
        station, area, unit = path.place
        return UnitMessage(station, area, unit, said.t, values, {}, said.boot, said.seq, said.oldest)

    def _untimely(self, t_ms: int, now_ms: int) -> Refusal:
        rule = f"-{_shown(self._oldest_ms)} and +{_shown(self._newest_ms)}"
        return Refusal("time", f"t = {t_ms}: must be within {rule} of {now_ms}")

    def admit(self, topic: str, payload: bytes, now_ms: int) -> Admitted:
        """Return what of a message comes in, judged at `now_ms` (station clock, epoch ms). Never raises."""
        try:
            return self._admit(topic, payload, now_ms)
        except PayloadError as error:
            return Admitted(None, (Refusal(error.reason, str(error)),))

    def _admit(self, topic: str, payload: bytes, now_ms: int) -> Admitted:
        path = self._paths.get(topic) or self._find_path(topic)
        place, said = path.place, decode(payload)
        if not now_ms - self._oldest_ms <= said.t_ms <= now_ms + self._newest_ms:
            return Admitted(None, (self._untimely(said.t_ms, now_ms),))
        path.shape(tuple(said.values))
        values, refusals = self._admit_values(said, path.rules, place.unit)
        if not values:
            if not refusals:
                refusals = (Refusal("signal", f"field v holds no signal that unit {place.unit} knows"),)
            return Admitted(None, refusals)
        quality = said.quality
        if quality and len(values) < len(said.values) + len(said.refusals):
            quality = {signal: text for signal, text in quality.items() if signal in values}
        message = UnitMessage(
            place.station, place.area, place.unit, said.t_ms, values, quality, said.boot, said.seq, said.oldest
        )
        return Admitted(message, refusals)

    def _find_path(self, topic: str) -> _Path:
        place = topics.parse_reading(topic)
        if place is None:
            raise PayloadError("topic", f"topic {topic[:120]!r}: must be h2/v1/station/area/unit with a known area")
        path = _Path(place, self._unit_rules(place))
        if len(self._paths) >= _PATHS_KEPT:
            self._paths.clear()
        self._paths[topic] = path
        return path

    def _unit_rules(self, place: topics.ReadingTopic) -> _Rules:
        station = place.station
        if self._accept_replays:
            station = station.partition(topics.REPLAY_MARK)[0]
        units = self._rules.get(station)
        if units is None:
            raise PayloadError("station", f"station {place.station[:60]!r}: has no station file here")
        rules = units.get((place.area, place.unit))
        if rules is None:
            raise PayloadError("unit", f"unit {place.area}/{place.unit[:60]}: is not in the station file of {station}")
        return rules

    def _admit_values(
        self, said: Decoded, rules: _Rules, unit: str
    ) -> tuple[dict[str, float | None], tuple[Refusal, ...]]:
        values: dict[str, float | None] = {}
        refused = list(said.refusals)
        for signal, value in said.values.items():
            rule = rules.get(signal)
            if rule is None and self._unknown == "refuse":
                refused.append(Refusal("signal", f"v.{signal[:60]}: no such signal on unit {unit}", signal))
            elif rule is None and self._unknown == "ignore":
                continue
            elif value is None:
                values[signal] = None
            elif text := _fault(value, rule or _ANALOG):
                refused.append(Refusal("value", f"v.{signal} = {text}", signal))
            else:
                values[signal] = float(value)
        return values, tuple(refused)


def _fault(value: float | bool, rule: _Rule) -> str | None:
    """Return what is wrong with a value, None where nothing is."""
    if not rule.discrete:
        return f"{str(value).lower()}: must be a number, not a bool" if type(value) is bool else None
    number = float(value)
    if number.is_integer() and 0.0 <= number <= rule.highest:
        return None
    return f"{value}: must be a whole number from 0 to {rule.highest:.0f}"


def _shown(duration_ms: int) -> str:
    days, rest = divmod(duration_ms, 86_400_000)
    return f"{days} d" if days > 1 and not rest else f"{duration_ms / 3_600_000:g} h"
