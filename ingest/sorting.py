"""From raw messages to what is stored, what is set aside, and what is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from ingest.ledger import DeadLetter, MinuteCount, MinuteKey, UnitName, encode_sequences
from ingest.sequences import UnitSequence, Verdict
from ingest.spool import Batch
from station.domain.signals import UnitMessage
from station.wire.admission import Admission

_MINUTE_MS: Final = 60_000
_NO_UNIT: Final = frozenset({"topic", "station", "unit"})
"""Refused for these, a message belongs to no unit of ours, and is counted by reason alone."""


class _Numbering(msgspec.Struct):
    """The part of a refused payload that tells which number it was."""

    boot: str | None = None
    seq: int | None = None
    oldest: int | None = None


_numbering = msgspec.json.Decoder(_Numbering)


class Mark(NamedTuple):
    """All of `boot` up to `seq` is settled once the piece is; `earlier` ones are noted before a unit's last run."""

    unit: UnitName
    boot: str
    seq: int
    earlier: bool


@dataclass(slots=True)
class Sorted:
    """A piece of the spool, sorted.

    Attributes:
        messages: To be stored.
        origins: (topic, payload, receive time by the station's clock) of each of them.
        dead: Not to be stored, or not wholly.
        minutes: Counts by unit and minute.
        marks: What is settled with this piece.
        sequences: Every unit's numbering behind this piece, as the ledger keeps it.
    """

    messages: list[UnitMessage] = field(default_factory=list)
    origins: list[tuple[str, bytes, int]] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    minutes: dict[MinuteKey, MinuteCount] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)
    sequences: bytes = b""
    duplicates: int = 0
    late: int = 0
    missing: int = 0

    def minute(self, name: UnitName, t_ms: int) -> MinuteCount:
        """Return the counts of a unit's minute."""
        key = (*name, t_ms - t_ms % _MINUTE_MS)
        count = self.minutes.get(key)
        if count is None:
            count = self.minutes[key] = MinuteCount()
        return count


class _Heard:
    """A unit in the piece at hand: its numbering, the minute it is in, the runs that another one followed."""

    __slots__ = ("from_ms", "left", "minute", "name", "sequence")

    def __init__(self, name: UnitName, sequence: UnitSequence) -> None:
        self.name = name
        self.sequence = sequence
        self.minute = MinuteCount()
        self.from_ms = -1
        self.left: set[str] = set()


class Sorter:
    """Holds messages against the station file and against each unit's own numbering.

    Args:
        admission: What is let in.
        sequences: What is known of each unit; moves on with every message.
        numbered: False where this is one of several workers, who each see a part of a unit's numbers.
    """

    def __init__(self, admission: Admission, sequences: dict[UnitName, UnitSequence], *, numbered: bool = True) -> None:
        self._admission = admission
        self._sequences = sequences
        self._numbered = numbered
        self._heard: dict[UnitName, _Heard] = {}

    def sort(self, batches: Iterable[Batch]) -> Sorted:
        """Return what to do with each message of the batches."""
        done = Sorted()
        self._heard = {}
        by_topic: dict[str, _Heard] = {}
        admit = self._admission.admit_plain
        take, remember = done.messages.append, done.origins.append
        for batch in batches:
            received_ms = batch.station_ms
            refused: Counter[str] = Counter()
            for topic, payload in batch.messages:
                message = admit(topic, payload, received_ms)
                if isinstance(message, UnitMessage):
                    take(message)
                    remember((topic, payload, received_ms))
                    heard = by_topic.get(topic)
                    if heard is None:
                        heard = by_topic[topic] = self._hear(message)
                    self._count(done, heard, message.t_ms, message.boot, message.seq, message.oldest)
                elif message is None:
                    self._look_closer(done, topic, payload, received_ms)
                else:
                    letter = DeadLetter(received_ms, topic, payload, message.reason, message.text)
                    done.dead.append(letter)
                    refused[topic] += 1
                    self._settle(done, letter)
            for topic, count in refused.items():
                if (place := self._admission.place_of(topic)) is not None:
                    done.minute(place, received_ms).refused += count
        done.marks = [mark for heard in self._heard.values() for mark in _marks(heard)]
        done.sequences = encode_sequences(self._sequences)
        return done

    def _hear(self, message: UnitMessage) -> _Heard:
        return self._unit((message.station, message.area, message.unit))

    def _unit(self, name: UnitName) -> _Heard:
        heard = self._heard.get(name)
        if heard is None:
            sequence = self._sequences.get(name)
            if sequence is None:
                sequence = self._sequences[name] = UnitSequence()
            heard = self._heard[name] = _Heard(name, sequence)
        return heard

    def _look_closer(self, done: Sorted, topic: str, payload: bytes, received_ms: int) -> None:
        admitted = self._admission.admit(topic, payload, received_ms)
        message = admitted.message
        if message is not None:
            done.messages.append(message)
            done.origins.append((topic, payload, received_ms))
            heard = self._hear(message)
            self._count(done, heard, message.t_ms, message.boot, message.seq, message.oldest)
        if admitted.refusals:
            text = "; ".join(refusal.text for refusal in admitted.refusals)
            self._set_aside(done, DeadLetter(received_ms, topic, payload, admitted.refusals[0].reason, text), message)

    def _set_aside(self, done: Sorted, letter: DeadLetter, message: UnitMessage | None) -> None:
        """Keep a letter and count it; `message` is what came in beside what was refused."""
        done.dead.append(letter)
        place = self._admission.place_of(letter.topic)
        if letter.reason in _NO_UNIT or place is None:
            return
        t_ms = letter.received_ms if message is None else message.t_ms
        if message is None:
            self._settle(done, letter)
        done.minute(place, t_ms).refused += 1

    def _settle(self, done: Sorted, letter: DeadLetter) -> None:
        """A dead letter is settled too: its number is no gap, whatever else is wrong with it."""
        if letter.reason == "json" or b'"seq"' not in letter.payload:
            return
        try:
            said = _numbering.decode(letter.payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        name = self._admission.place_of(letter.topic)
        if name is not None and said.boot is not None and said.seq is not None and said.seq >= 0:
            heard = self._unit(name)
            newest_ms = heard.sequence.newest_ms or letter.received_ms
            self._count(done, heard, newest_ms, said.boot[:64], said.seq, said.oldest, received=0)

    def _count(
        self,
        done: Sorted,
        heard: _Heard,
        t_ms: int,
        boot: str | None,
        seq: int | None,
        oldest: int | None,
        received: int = 1,
    ) -> None:
        if not 0 <= t_ms - heard.from_ms < _MINUTE_MS:
            heard.minute = done.minute(heard.name, t_ms)
            heard.from_ms = t_ms - t_ms % _MINUTE_MS
        heard.minute.received += received
        if not self._numbered:
            boot = seq = oldest = None
        runs = heard.sequence.runs
        if runs and runs[-1].boot != boot:
            heard.left.add(runs[-1].boot)
        verdict = heard.sequence.observe(t_ms, boot, seq, oldest)
        if verdict is not None:
            _book(done, heard, verdict)


def _marks(heard: _Heard) -> list[Mark]:
    runs = heard.sequence.runs
    return [
        Mark(heard.name, run.boot, run.settled, earlier=run is not runs[-1])
        for run in runs
        if run is runs[-1] or run.boot in heard.left
    ]


def _book(done: Sorted, heard: _Heard, verdict: Verdict) -> None:
    minute = heard.minute
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
        done.minute(heard.name, verdict.filled.to_ms).gaps -= 1
        done.missing -= 1
