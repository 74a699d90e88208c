"""The newest reading of each signal of one station, and what of it changed since it was last asked."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

import msgspec

from station.domain.signals import BAD_NULL, GOOD, Reading, UnitMessage

_encoder = msgspec.json.Encoder()


class _State(msgspec.Struct):
    """What `whole_state` and `take_changes` say."""

    t: int
    values: dict[str, tuple[float | None, str, int]]


_state_of = msgspec.json.Decoder(_State).decode


class LatestValues:
    """Newest readings by signal; safe from any thread. A late reading never replaces a newer one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, tuple[float | None, str, int]] = {}
        self._changed: set[str] = set()
        self._newest_ms = 0

    def update(self, message: UnitMessage) -> None:
        """Take the values of a message."""
        t_ms, quality = message.t_ms, message.quality
        with self._lock:
            values = self._values
            for signal, value in message.values.items():
                held = values.get(signal)
                if held is None or held[2] <= t_ms:
                    said = GOOD if value is not None else BAD_NULL
                    values[signal] = (value, quality.get(signal, said) if quality else said, t_ms)
                    self._changed.add(signal)
            self._newest_ms = max(self._newest_ms, t_ms)

    def forget(self) -> None:
        """Know nothing: station time was set back, and what was heard is of a later day."""
        with self._lock:
            self._values.clear()
            self._changed.clear()
            self._newest_ms = 0

    def prime(self, readings: Iterable[Reading]) -> None:
        """Take readings of before this start."""
        with self._lock:
            for reading in readings:
                self._values.setdefault(reading.signal, (reading.value, reading.quality, reading.t_ms))
                self._newest_ms = max(self._newest_ms, reading.t_ms)

    def adopt(self, state: bytes) -> None:
        """Take what another one's `whole_state` or `take_changes` said, as changes of this one."""
        said = _state_of(state)
        with self._lock:
            self._values |= said.values
            self._changed.update(said.values)
            self._newest_ms = max(self._newest_ms, said.t)

    def get(self, signal: str) -> Reading | None:
        """Return the newest reading of a signal, None where it never said anything."""
        held = self._values.get(signal)
        return None if held is None else Reading(signal, held[2], held[0], held[1])

    def all(self) -> Mapping[str, tuple[float | None, str, int]]:
        """Return signal -> (value, quality, t_ms) of every signal that has one: a copy."""
        with self._lock:
            return dict(self._values)

    @property
    def newest_ms(self) -> int:
        """Source time of the newest reading, epoch ms; 0 before any."""
        return self._newest_ms

    def whole_state(self) -> bytes:
        """Return `{"t", "values": {signal: [value, quality, t]}}` of every signal."""
        return _encoder.encode({"t": self._newest_ms, "values": self.all()})

    def take_changes(self) -> bytes | None:
        """Return the same of the signals that said something since the last call, None where none did."""
        with self._lock:
            if not self._changed:
                return None
            changed, self._changed = self._changed, set()
            values = {signal: self._values[signal] for signal in changed}
        return _encoder.encode({"t": self._newest_ms, "values": values})
