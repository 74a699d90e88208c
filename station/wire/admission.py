"""What is let in: a message held against the station file and the clock. Ingest and the alarm engine refuse alike.

Refusing is per value where it can be: an unknown signal beside good ones loses only itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from station.domain.plant import Plant, Signal
from station.domain.signals import UnitMessage
from station.errors import PayloadError
from station.wire import topics
from station.wire.json_v1 import Decoded, Refusal, decode

OLDEST: Final = dt.timedelta(days=30)
NEWEST: Final = dt.timedelta(hours=24)
_OLDEST_MS: Final = int(OLDEST.total_seconds() * 1000)
_NEWEST_MS: Final = int(NEWEST.total_seconds() * 1000)


@dataclass(frozen=True, slots=True)
class Admitted:
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


class Admission:
    """Judges messages of the stations that have a file.

    Args:
        plants: The stations that are known.
        accept_replays: Take `{station}~{id}` too, by the rules of its station.
    """

    def __init__(self, plants: Iterable[Plant], *, accept_replays: bool = False) -> None:
        self._rules = {
            plant.id: {
                key: {tag: _Rule.of(plant.signals[tag]) for tag in unit.tags} for key, unit in plant.units.items()
            }
            for plant in plants
        }
        self._accept_replays = accept_replays

    def wants(self, station: str) -> bool:
        """Return False for what is none of ours to judge: replays, unless they are accepted."""
        return self._accept_replays or topics.REPLAY_MARK not in station

    def admit(self, topic: str, payload: bytes, now_ms: int) -> Admitted:
        """Return what of a message comes in, judged at `now_ms` (station clock, epoch ms). Never raises."""
        try:
            return self._admit(topic, payload, now_ms)
        except PayloadError as error:
            return Admitted(None, (Refusal(error.reason, str(error)),))

    def _admit(self, topic: str, payload: bytes, now_ms: int) -> Admitted:
        place = topics.parse_reading(topic)
        if place is None:
            raise PayloadError("topic", f"topic {topic[:120]!r}: must be h2/v1/station/area/unit with a known area")
        rules = self._unit_rules(place)
        said = decode(payload)
        if not now_ms - _OLDEST_MS <= said.t_ms <= now_ms + _NEWEST_MS:
            raise PayloadError("time", f"t = {said.t_ms}: must be within -30 d and +24 h of {now_ms}")
        values, refusals = _admit_values(said, rules, place.unit)
        if not values:
            return Admitted(None, refusals)
        quality = said.quality
        if quality and refusals:
            quality = {signal: text for signal, text in quality.items() if signal in values}
        message = UnitMessage(
            place.station, place.area, place.unit, said.t_ms, values, quality, said.boot, said.seq, said.oldest
        )
        return Admitted(message, refusals)

    def _unit_rules(self, place: topics.ReadingTopic) -> dict[str, _Rule]:
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
    said: Decoded, rules: dict[str, _Rule], unit: str
) -> tuple[dict[str, float | None], tuple[Refusal, ...]]:
    values: dict[str, float | None] = {}
    refused = list(said.refusals)
    for signal, value in said.values.items():
        rule = rules.get(signal)
        if rule is None:
            refused.append(Refusal("signal", f"v.{signal[:60]}: no such signal on unit {unit}", signal))
        elif value is None:
            values[signal] = None
        elif not rule.discrete:
            if type(value) is bool:
                text = f"v.{signal} = {str(value).lower()}: must be a number, not a bool"
                refused.append(Refusal("value", text, signal))
            else:
                values[signal] = value
        else:
            number = float(value)
            if number.is_integer() and 0.0 <= number <= rule.highest:
                values[signal] = number
            else:
                text = f"v.{signal} = {value}: must be a whole number from 0 to {rule.highest:.0f}"
                refused.append(Refusal("value", text, signal))
    return values, tuple(refused)
