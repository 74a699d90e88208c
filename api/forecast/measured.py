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
    _doubts: dict[str, tuple[int, str]] = field(default_factory=dict)

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

    def doubt(self, tag: str, at_ms: int, quality: str) -> None:
        """Mark a tag whose values no longer fit those around it; a bad one is not used, an uncertain one is named."""
        before = self._doubts.get(tag)
        self._doubts[tag] = (at_ms if before is None else before[0], quality)

    def believe(self, tag: str) -> None:
        """Take a doubt back."""
        self._doubts.pop(tag, None)

    def is_doubted(self, tag: str) -> bool:
        """Return whether a tag is doubted in any way."""
        return tag in self._doubts

    def is_dropped(self, tag: str) -> bool:
        """Return whether a tag is doubted so much that it is not used."""
        return tag in self._doubts and quality_rank(self._doubts[tag][1]) == 2

    def is_heard(self, tag: str, at_ms: int) -> bool:
        """Return whether the device itself says something usable and new of a tag."""
        return self._look(tag, at_ms, self._bad_since.get(tag)).source == "measured"

    def is_fresh(self, tag: str, at_ms: int) -> bool:
        """Return whether a tag can be used."""
        return self.is_heard(tag, at_ms) and not self.is_dropped(tag)

    def look(self, tag: str, at_ms: int) -> InputNow:
        """Return an input as it stands; `source` is `measured` where it can be used, else `last value` or `none`."""
        bad, doubt = self._bad_since.get(tag), self._doubts.get(tag)
        if bad is None and doubt is not None and self.is_dropped(tag):
            return self._look(tag, at_ms, doubt)
        own = self._look(tag, at_ms, bad)
        if doubt is None or own.source != "measured":
            return own
        return replace(own, quality=doubt[1], degraded_s=max(0.001, (at_ms - doubt[0]) / 1000.0))

    def _look(self, tag: str, at_ms: int, bad: tuple[int, str] | None) -> InputNow:
        known = self._values.get(tag)
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

    def read(
        self,
        tag: str,
        *twins: str,
        model: tuple[str, float | None] | None = None,
        wanted_since_ms: int | None = None,
    ) -> float | None:
        """Return the value of a tag or of what stands in for it; None where it was never known."""
        return self.note(tag, *twins, model=model, wanted_since_ms=wanted_since_ms).value

    def note(
        self,
        tag: str,
        *twins: str,
        model: tuple[str, float | None] | None = None,
        wanted_since_ms: int | None = None,
    ) -> InputNow:
        """Note an input: its own value, that of its first usable twin, a model's, or its last one.

        Args:
            tag: The input.
            twins: Other measurements that stand in for it, best first.
            model: What stands in for it after those: (its name, its value).
            wanted_since_ms: Since when it should say anything: the sensors of a bay speak while a trailer stands there.
                It has as long to begin as any other may be silent.
        """
        own = self.measured.look(tag, self.at_ms)
        if wanted_since_ms is not None and own.degraded_s > 0.0:
            wanted_s = (self.at_ms - wanted_since_ms) / 1000.0
            own = replace(own, degraded_s=min(own.degraded_s, max(0.0, wanted_s - TOO_OLD_S)))
        chosen = own
        if own.source != "measured":
            usable = ((twin, self.measured.look(twin, self.at_ms)) for twin in twins)
            twin, other = next(((t, o) for t, o in usable if o.source == "measured"), (None, None))
            if twin is not None and other is not None:
                chosen = replace(own, value=other.value, source=twin)
            elif model is not None and model[1] is not None:
                chosen = replace(own, value=model[1], source=model[0])
        self.notes.append(chosen)
        return chosen

    def pair(self, tag: str, twin: str, model: tuple[str, float | None]) -> tuple[InputNow, InputNow]:
        """Note two redundant sensors; of two that are doubted the mean is used."""
        first = self.note(tag, twin, model=model)
        second = self.note(twin, tag, model=model)
        if first.value is None or second.value is None or not (_is_doubted(first) and _is_doubted(second)):
            return first, second
        mean = 0.5 * (first.value + second.value)
        first = replace(first, value=mean, source=f"mean with {twin}")
        second = replace(second, value=mean, source=f"mean with {tag}")
        self.notes[-2:] = [first, second]
        return first, second

    def read_state(self, tag: str, model: tuple[str, str | None] | None = None) -> str | None:
        """Return a state's English name, what a model says or the last one known where it is silent."""
        spec = self.measured.plant.signals[tag]
        stand_in = None
        if model is not None and model[1] is not None:
            stand_in = (model[0], float(spec.state_number(model[1])))
        number = self.read(tag, model=stand_in)
        states = self.measured.plant.signals[tag].states
        if number is None or not 0 <= int(number) < len(states):
            return None
        return states[int(number)].en


def _is_doubted(note: InputNow) -> bool:
    """Return whether an input is measured and does not fit what stands beside it."""
    return note.source == "measured" and note.degraded_s > 0.0
