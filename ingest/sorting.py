"""From raw messages to what is stored, what is set aside, and what is counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from ingest.ledger import DeadLetter, MinuteCount, MinuteKey, UnitName
from ingest.sequences import UnitSequence, Verdict
from ingest.spool import Batch
from station.domain.signals import UnitMessage
from station.wire import topics
from station.wire.admission import Admission, Admitted

_MINUTE_MS: Final = 60_000
_NO_UNIT: Final = frozenset({"topic", "station", "unit"})
"""Refused for these, a message belongs to no unit of ours, and is counted by reason alone."""


class _Numbering(msgspec.Struct):
    """The part of a refused payload that tells which number it was."""

    boot: str | None = None
    seq: int | None = None
    oldest: int | None = None


_numbering = msgspec.json.Decoder(_Numbering)


@dataclass(slots=True)
class Sorted:
    """A piece of the spool, sorted.

    Attributes:
        messages: To be stored.
        origins: (topic, payload, receive time by the station's clock) of each of them.
        dead: Not to be stored, or not wholly.
        minutes: Counts by unit and minute.
        units: Units heard in this piece.
        left: Runs of a unit's gateway after which another one was heard in this piece.
    """

    messages: list[UnitMessage] = field(default_factory=list)
    origins: list[tuple[str, bytes, int]] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    minutes: dict[MinuteKey, MinuteCount] = field(default_factory=dict)
    units: set[UnitName] = field(default_factory=set)
    left: dict[UnitName, set[str]] = field(default_factory=dict)
    duplicates: int = 0
    late: int = 0
    missing: int = 0


class Sorter:
    """Holds messages against the station file and against each unit's own numbering.

    Args:
        admission: What is let in.
        sequences: What is known of each unit; moves on with every message.
    """

    def __init__(self, admission: Admission, sequences: dict[UnitName, UnitSequence]) -> None:
        self._admission = admission
        self.sequences = sequences

    def sort(self, batches: Iterable[Batch]) -> Sorted:
        """Return what to do with each message of the batches."""
        done = Sorted()
        admit = self._admission.admit
        for batch in batches:
            received_ms = batch.station_ms
            for topic, payload in batch.messages:
                admitted = admit(topic, payload, received_ms)
                message = admitted.message
                if message is not None:
                    done.messages.append(message)
                    done.origins.append((topic, payload, received_ms))
                    name = (message.station, message.area, message.unit)
                    self._count(done, name, message.t_ms, (message.boot, message.seq, message.oldest))
                if admitted.refusals:
                    self._set_aside(done, topic, payload, received_ms, admitted)
        return done

    def _set_aside(self, done: Sorted, topic: str, payload: bytes, received_ms: int, admitted: Admitted) -> None:
        reason = admitted.refusals[0].reason
        text = "; ".join(refusal.text for refusal in admitted.refusals)
        done.dead.append(DeadLetter(received_ms, topic, payload, reason, text))
        place = topics.parse_reading(topic)
        if reason in _NO_UNIT or place is None:
            return
        t_ms = received_ms if admitted.message is None else admitted.message.t_ms
        name = (place.station, place.area, place.unit)
        if admitted.message is None:
            self._count_refused(done, name, payload, t_ms)
        _minute(done, name, t_ms).refused += 1

    def _count_refused(self, done: Sorted, name: UnitName, payload: bytes, t_ms: int) -> None:
        """A dead letter is settled too: its number is no gap, whatever else is wrong with it."""
        try:
            said = _numbering.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        if said.boot is not None and said.seq is not None and said.seq >= 0:
            newest = self.sequences[name].newest_ms if name in self.sequences else 0
            self._count(done, name, newest or t_ms, (said.boot[:64], said.seq, said.oldest), received=0)

    def _count(
        self,
        done: Sorted,
        name: UnitName,
        t_ms: int,
        numbering: tuple[str | None, int | None, int | None],
        received: int = 1,
    ) -> None:
        sequence = self.sequences.get(name)
        if sequence is None:
            sequence = self.sequences[name] = UnitSequence()
        elif sequence.runs and sequence.runs[-1].boot != numbering[0]:
            done.left.setdefault(name, set()).add(sequence.runs[-1].boot)
        verdict = sequence.observe(t_ms, *numbering)
        done.units.add(name)
        minute = _minute(done, name, t_ms)
        minute.received += received
        if verdict is not None:
            _book(done, name, minute, verdict)


def _book(done: Sorted, name: UnitName, minute: MinuteCount, verdict: Verdict) -> None:
    if verdict.duplicate:
        minute.duplicate += 1
        done.duplicates += 1
    elif verdict.late:
        minute.late += 1
        done.late += 1
    gap = verdict.opened
    if gap is not None:
        minute.gaps += gap.missing
        minute.gap_from_ms = gap.from_ms if minute.gap_from_ms is None else min(minute.gap_from_ms, gap.from_ms)
        minute.gap_to_ms = gap.to_ms if minute.gap_to_ms is None else max(minute.gap_to_ms, gap.to_ms)
        done.missing += gap.missing
    if verdict.filled is not None:
        # Where the gap was booked: in the minute of the message that showed it.
        _minute(done, name, verdict.filled.to_ms).gaps -= 1
        done.missing -= 1


def _minute(done: Sorted, name: UnitName, t_ms: int) -> MinuteCount:
    key = (*name, t_ms - t_ms % _MINUTE_MS)
    count = done.minutes.get(key)
    if count is None:
        count = done.minutes[key] = MinuteCount()
    return count
