"""A simulated hour of the station, again and again with other noise: many values in little time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from bench.figures import count_values, messages
from station.adapters.plant_files import shipped_plant
from station.domain.signals import Kind, UnitMessage

HOUR_MS = 3_600_000


class StationHours:
    """The busy hour from 10:00, each message at its own rate; analog values walk by -1..1 of their last digit.

    Args:
        units: Only these, all where none is named.
    """

    def __init__(self, units: Sequence[tuple[str, str]] = ()) -> None:
        hour = messages(60.0)
        self._messages = [one for one in hour if not units or (one.area, one.unit) in units]
        self.values = count_values(self._messages)
        self.start_ms = hour[0].t_ms - hour[0].t_ms % HOUR_MS
        self._random = np.random.default_rng(1)
        numbers = [(tag, number) for one in self._messages for tag, number in one.values.items()]
        self._is_null = [place for place, (_, number) in enumerate(numbers) if number is None]
        self._thousandths = np.rint(np.array([number or 0.0 for _, number in numbers]) * 1000)
        digit = _last_digits(numbers)
        self._digit = np.array([digit[tag] for tag, _ in numbers])

    def hour(self, start_ms: int) -> Iterator[UnitMessage]:
        """Yield the messages of an hour that begins at `start_ms`."""
        noise = self._random.integers(-1, 2, len(self._digit)) * self._digit
        numbers: list[float | None] = ((self._thousandths + noise) / 1000).tolist()
        for place in self._is_null:
            numbers[place] = None
        shift_ms, at = start_ms - self.start_ms, 0
        for one in self._messages:
            size = len(one.values)
            values = dict(zip(one.values, numbers[at : at + size], strict=True))
            at += size
            yield msgspec.structs.replace(one, t_ms=one.t_ms + shift_ms, values=values)


def _last_digits(numbers: Sequence[tuple[str, float | None]]) -> dict[str, int]:
    """Return the step in which each analog signal was written, in thousandths; 0 for states and counters."""
    signals = shipped_plant().signals
    step: dict[str, int] = {}
    for tag, number in numbers:
        signal = signals[tag]
        if signal.kind is not Kind.ANALOG_INPUT or number is None:
            step.setdefault(tag, 0)
            continue
        whole = round(number * 1000)
        own = 1 if whole % 10 else 10 if whole % 100 else 100 if whole % 1000 else 1000
        step[tag] = min(own, step.get(tag) or own)
    return step
