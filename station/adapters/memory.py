"""The reading store in memory: for tests, and for `memory://`, a service that keeps nothing."""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from station.adapters.point_rules import Stored, counts, merged, message_from, refusal, storable_fields, visible, worst
from station.adapters.windowing import MINUTE_MS, check_windows
from station.domain.signals import Reading, UnitMessage
from station.errors import PointsRefusedError
from station.ports import Aggregate, Course, Minute, ServicePoint, Window

AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "mean": lambda values: math.fsum(values) / len(values),
    "min": min,
    "max": max,
    "last": lambda values: values[-1],
    "count": lambda values: float(len(values)),
}
_UnitPoints = dict[int, dict[str, Stored]]
_PointKey = tuple[str, tuple[tuple[str, str], ...], int]


class MemoryReadings:
    """A `ReadingStore` of plain dictionaries, written to be read: the other stores are checked against it."""

    writes_at_once = 1

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._units: dict[tuple[str, str, str], _UnitPoints] = defaultdict(dict)
        self._past: dict[tuple[str, str, str], _UnitPoints] = defaultdict(dict)
        """What was forgotten: only minutes and windows of whole minutes are still worked out of it."""
        self._points: dict[_PointKey, dict[str, float | str]] = {}

    def write(self, messages: Sequence[UnitMessage]) -> None:
        """Store messages; see `ReadingStore.write`."""
        refused: dict[int, str] = {}
        with self._lock:
            for index, message in enumerate(messages):
                if reason := refusal(message):
                    refused[index] = reason
                    continue
                self._put(message)
        if refused:
            raise PointsRefusedError(refused)

    def _put(self, message: UnitMessage) -> None:
        points = self._units[message.station, message.area, message.unit]
        point = points.setdefault(message.t_ms, {})
        for signal, value in message.values.items():
            new = (value, message.quality_of(signal))
            point[signal] = merged(point[signal], new) if signal in point else new

    def write_points(self, points: Sequence[ServicePoint]) -> None:
        """Store points of our own services."""
        with self._lock:
            for point in points:
                tags = tuple(sorted((name, value) for name, value in point.tags.items() if value))
                if fields := storable_fields(point.fields):
                    self._points.setdefault((point.measurement, tags, point.t_ms), {}).update(fields)

    def read_points(self, measurement: str, tags: Mapping[str, str], start_ms: int, end_ms: int) -> list[ServicePoint]:
        """Return points of a measurement, oldest first."""
        with self._lock:
            found = [
                ServicePoint(name, dict(own), dict(fields), t_ms)
                for (name, own, t_ms), fields in self._points.items()
                if name == measurement and start_ms <= t_ms < end_ms and tags.items() <= dict(own).items()
            ]
        return sorted(found, key=lambda point: (point.t_ms, sorted(point.tags.items())))

    def _readings(self, station: str, signal: str, *, past: bool = False) -> list[Reading]:
        found: list[Reading] = []
        with self._lock:
            for (of_station, _, _), points in [*self._units.items(), *(self._past.items() if past else ())]:
                if of_station == station:
                    found += [
                        Reading(signal, t_ms, *visible(point[signal]))
                        for t_ms, point in points.items()
                        if signal in point
                    ]
        return sorted(found, key=lambda reading: reading.t_ms)

    def latest(self, station: str, signals: Sequence[str]) -> dict[str, Reading]:
        """Return the newest reading of each signal that has one."""
        found = {signal: self._readings(station, signal) for signal in signals}
        return {signal: readings[-1] for signal, readings in found.items() if readings}

    def raw(self, station: str, signal: str, start_ms: int, end_ms: int, limit: int | None = None) -> list[Reading]:
        """Return the readings of one signal, oldest first."""
        return [r for r in self._readings(station, signal) if start_ms <= r.t_ms < end_ms][:limit]

    def windows(
        self,
        station: str,
        signal: str,
        start_ms: int,
        end_ms: int,
        every_ms: int,
        aggregate: Aggregate,
        offset_ms: int = 0,
    ) -> list[Window]:
        """Return non-empty windows; see `ReadingStore.windows`."""
        check_windows(every_ms, [aggregate])
        grouped: dict[int, list[Reading]] = defaultdict(list)
        whole_minutes = every_ms % MINUTE_MS == 0 and offset_ms % MINUTE_MS == 0
        for reading in self._readings(station, signal, past=whole_minutes):
            if start_ms <= reading.t_ms < end_ms:
                grouped[reading.t_ms - (reading.t_ms - offset_ms) % every_ms].append(reading)
        return [_window(t_ms, readings, aggregate) for t_ms, readings in sorted(grouped.items())]

    def courses(
        self,
        station: str,
        signals: Sequence[str],
        start_ms: int,
        end_ms: int,
        every_ms: int,
        aggregates: Sequence[Aggregate],
        offset_ms: int = 0,
    ) -> list[Course]:
        """Return windows of some signals with several numbers each; see `ReadingStore.courses`."""
        check_windows(every_ms, aggregates)
        over = (start_ms, end_ms, every_ms)
        return [
            _course({name: self.windows(station, one, *over, name, offset_ms) for name in aggregates})
            for one in signals
        ]

    def minutes(self, station: str, signal: str, start_ms: int, end_ms: int) -> list[Minute]:
        """Return minutes of a signal, oldest first."""
        grouped: dict[int, list[Reading]] = defaultdict(list)
        for reading in self._readings(station, signal, past=True):
            grouped[reading.t_ms - reading.t_ms % MINUTE_MS].append(reading)
        return [_minute(t_ms, readings) for t_ms, readings in sorted(grouped.items()) if start_ms <= t_ms < end_ms]

    def messages(self, station: str, start_ms: int, end_ms: int) -> Iterator[UnitMessage]:
        """Yield the stored messages in order of (t, area, unit)."""
        with self._lock:
            found = [
                (t_ms, area, unit, dict(point))
                for (of_station, area, unit), points in self._units.items()
                if of_station == station
                for t_ms, point in points.items()
                if start_ms <= t_ms < end_ms
            ]
        for t_ms, area, unit, point in sorted(found, key=lambda item: item[:3]):
            seen = {signal: visible(stored) for signal, stored in point.items()}
            values = {signal: value for signal, (value, _) in seen.items()}
            quality = {signal: text for signal, (_, text) in seen.items()}
            yield message_from(station, (area, unit), t_ms, values, quality)

    def span(self, station: str) -> tuple[int, int] | None:
        """Return the times of the oldest and the newest message of a station."""
        with self._lock:
            times = [t for (of_station, _, _), points in self._units.items() if of_station == station for t in points]
        return (min(times), max(times)) if times else None

    def stations(self) -> list[str]:
        """Return the ids of stations that have readings, sorted."""
        with self._lock:
            return sorted({station for (station, _, _), points in self._units.items() if points})

    def forget_before(self, t_ms: int) -> None:
        """Delete readings and points older than `t_ms`; minutes stay."""
        with self._lock:
            for unit, points in self._units.items():
                for old in [t for t in points if t < t_ms]:
                    self._past[unit][old] = points.pop(old)
            for key in [key for key in self._points if key[2] < t_ms]:
                del self._points[key]

    def forget_station(self, station: str) -> None:
        """Delete everything of a station."""
        with self._lock:
            for kept in (self._units, self._past):
                for unit in [unit for unit in kept if unit[0] == station]:
                    del kept[unit]
            for key in [key for key in self._points if dict(key[1]).get("station") == station]:
                del self._points[key]

    def forget_minutes_before(self, t_ms: int) -> None:
        """Delete minutes older than `t_ms`."""
        with self._lock:
            for points in self._past.values():
                for old in [t for t in points if t < t_ms]:
                    del points[old]

    def close(self) -> None:
        """Do nothing: the readings go with the object."""


def _course(windows: Mapping[Aggregate, Sequence[Window]]) -> Course:
    first = next(iter(windows.values()))
    numbers = {name: [window.value for window in found] for name, found in windows.items()}
    return Course([window.t_ms for window in first], numbers, [window.quality for window in first])


def _window(t_ms: int, readings: Sequence[Reading], aggregate: Aggregate) -> Window:
    numbers = [r.value for r in readings if r.value is not None and counts(r.value, r.quality)]
    value = AGGREGATES[aggregate](numbers) if numbers else None
    return Window(t_ms, value, worst(r.quality for r in readings))


def _minute(t_ms: int, readings: Sequence[Reading]) -> Minute:
    numbers = [r.value for r in readings if r.value is not None and counts(r.value, r.quality)]
    bad = len(readings) - len(numbers)
    if not numbers:
        return Minute(t_ms, None, None, None, None, 0, bad)
    mean = AGGREGATES["mean"](numbers)
    return Minute(t_ms, mean, min(numbers), max(numbers), numbers[-1], len(numbers), bad)
