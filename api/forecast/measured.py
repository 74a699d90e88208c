"""The newest reading of each capacity input, with how long a bad or silent one has been so."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from station.domain.capacity_snapshot import InputNow
from station.domain.plant import Plant
from station.domain.signals import GOOD, Reading, UnitMessage, quality_rank

TOO_OLD_S = 60.0
"""An input older than this is degraded (DOMAIN 4.2), but a slow one may miss one of its samples."""


@dataclass(slots=True)
class Measured:
    """Newest usable values of some tags.

    A bad value never replaces a usable one; it starts the time for which its tag is degraded.

    Attributes:
        first_ms: Time of the oldest reading taken, None before the first.
    """

    plant: Plant
    first_ms: int | None = None
    _values: dict[str, tuple[int, float, str]] = field(default_factory=dict)
    _bad_since: dict[str, tuple[int, str]] = field(default_factory=dict)

    def observe(self, message: UnitMessage) -> None:
        """Take a message; every value in it is kept, quality is looked at only where it says something."""
        t_ms = message.t_ms
        if self.first_ms is None:
            self.first_ms = t_ms
        was_bad = self._bad_since and not self._bad_since.keys().isdisjoint(message.values)
        if message.quality or was_bad or None in message.values.values():
            for reading in message.readings():
                self._take(reading)
            return
        values = self._values
        for tag, value in message.values.items():
            values[tag] = (t_ms, value, GOOD)  # type: ignore[assignment]  # no None here, see above

    def prime(self, reading: Reading) -> None:
        """Take a stored reading."""
        if self.first_ms is None or reading.t_ms < self.first_ms:
            self.first_ms = reading.t_ms
        self._take(reading)

    def _take(self, reading: Reading) -> None:
        if reading.value is None or quality_rank(reading.quality) == 2:
            self._bad_since.setdefault(reading.signal, (reading.t_ms, reading.quality))
            return
        self._bad_since.pop(reading.signal, None)
        self._values[reading.signal] = (reading.t_ms, reading.value, reading.quality)

    def value(self, tag: str) -> float | None:
        """Return the newest usable value, however old."""
        known = self._values.get(tag)
        return None if known is None else known[1]

    def time_ms(self, tag: str) -> int | None:
        """Return when that was, epoch ms."""
        known = self._values.get(tag)
        return None if known is None else known[0]

    def look(self, tag: str, at_ms: int) -> InputNow:
        """Return an input as it stands; `source` is `measured` where it can be used, else `last value` or `none`."""
        known, bad = self._values.get(tag), self._bad_since.get(tag)
        age_s = None if known is None else (at_ms - known[0]) / 1000.0
        if bad is not None:
            source = "none" if known is None else "last value"
            value = None if known is None else known[1]
            return InputNow(tag, value, bad[1], age_s, source, max(0.0, (at_ms - bad[0]) / 1000.0))
        if known is None or age_s is None:
            silent = 0.0 if self.first_ms is None else (at_ms - self.first_ms) / 1000.0
            return InputNow(tag, None, "bad:missing", None, "none", max(silent, 0.001))
        limit_s = max(TOO_OLD_S, 2.0 * self.plant.signals[tag].rate_s)
        if age_s > limit_s:
            return InputNow(tag, known[1], "bad:stale", age_s, "last value", age_s - limit_s)
        return InputNow(tag, known[1], known[2], age_s, "measured", 0.0)


@dataclass(slots=True)
class InputReader:
    """Reads the inputs of one snapshot and notes each, with what stands in for those that cannot be used."""

    measured: Measured
    at_ms: int
    notes: list[InputNow] = field(default_factory=list)

    def read(self, tag: str, *twins: str, wanted_since_ms: int | None = None) -> float | None:
        """Return the value of a tag, of its first usable twin, or its last one; None where it was never known.

        Args:
            tag: The input.
            twins: What stands in for it, best first.
            wanted_since_ms: Since when it should say anything: the sensors of a bay speak while a trailer stands there.
        """
        own = self.measured.look(tag, self.at_ms)
        if wanted_since_ms is not None and own.degraded_s > 0.0:
            own = replace(own, degraded_s=min(own.degraded_s, max(0.0, (self.at_ms - wanted_since_ms) / 1000.0)))
        return self._note(own, twins)

    def _note(self, own: InputNow, twins: tuple[str, ...]) -> float | None:
        chosen = own
        if own.source != "measured":
            for twin in twins:
                other = self.measured.look(twin, self.at_ms)
                if other.source == "measured":
                    chosen = replace(own, value=other.value, source=twin)
                    break
        self.notes.append(chosen)
        return chosen.value

    def read_pair(self, tag: str, twin: str) -> float | None:
        """Return the mean of two redundant sensors, or the one that can be used."""
        first, second = self.read(tag, twin), self.read(twin, tag)
        if first is None or second is None:
            return first if second is None else second
        return 0.5 * (first + second)

    def read_state(self, tag: str) -> str | None:
        """Return a state's English name, the last one known where it is silent."""
        number = self.read(tag)
        states = self.measured.plant.signals[tag].states
        if number is None or not 0 <= int(number) < len(states):
            return None
        return states[int(number)].en
