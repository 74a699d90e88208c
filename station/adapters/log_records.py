"""What a log holds: messages as they were sent, and the readings in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from station.adapters.log_packing import CANNOT_UNPACK, opened_to_read
from station.domain.signals import BAD_NULL, GOOD, UnitMessage
from station.wire import json_v1, topics

MAX_LINE_BYTES: Final = 256 * 1024
"""Four times the largest payload of the contract; a longer line is not ours and is skipped without being held."""
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

OnBadLine = Callable[[int, str], None]
"""Told (line number from 1, what is wrong with it)."""


class LogRecord(NamedTuple):
    """One message as it was sent: `received` is epoch ms where the log says when it came."""

    topic: str
    payload: bytes
    received: int | None = None


class Found(NamedTuple):
    """A message of a log, and where it stands in the file.

    Attributes:
        record: The message.
        line: On which it stands, or the first of its readings does, from 1; of parquet the row.
        lines: Of each signal, where readings have lines of their own; empty where the message has one.
    """

    record: LogRecord
    line: int
    lines: Mapping[str, int] = MappingProxyType({})


Records = Iterable[LogRecord | tuple[str, bytes]]
Number = float | int


class Readings(msgspec.Struct):
    """What a long form keeps of a message: time, values, and what of them is not good. Bools have become numbers."""

    t: int
    v: dict[str, Number | bool | None]
    q: dict[str, str] = {}


_decode: Final = msgspec.json.Decoder(Readings).decode
_encode: Final = msgspec.json.Encoder().encode


def log_records(messages: Iterable[UnitMessage]) -> Iterator[LogRecord]:
    """Yield messages in the shape that `write_log` takes."""
    for message in messages:
        yield LogRecord(json_v1.topic_of(message), json_v1.encode(message))


class ReadingRecords:
    """Goes through records and yields those that are readings; counts all of them.

    Plans, queues, clocks and other retained words have no place in a long form.
    """

    def __init__(self, records: Records) -> None:
        self.count = 0
        self._records = records

    def __iter__(self) -> Iterator[tuple[str, Readings]]:
        """Yield (topic, what it says)."""
        known: dict[str, bool] = {}
        for record in self._records:
            self.count += 1
            topic, payload = record[0], record[1]
            reads = known.get(topic)
            if reads is None:
                reads = known[topic] = topics.parse_reading(topic) is not None
            if not reads:
                continue
            try:
                said = _decode(payload)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            if b"true" in payload or b"false" in payload:
                said.v = {signal: _number(value) for signal, value in said.v.items()}
            yield topic, said


def _number(value: Number | bool | None) -> Number | None:
    return int(value) if isinstance(value, bool) else value


def quality_of(said: Readings, signal: str, value: object) -> str:
    """Return the quality of one value of a message."""
    return said.q.get(signal, BAD_NULL if value is None else GOOD)


def record_of(
    place: topics.ReadingTopic, t_ms: int, values: Mapping[str, Number | None], q: Mapping[str, str]
) -> LogRecord:
    """Return the message of one unit and moment whose readings stood apart; what goes without saying is left out."""
    spoken = {
        signal: quality for signal, quality in q.items() if quality != (BAD_NULL if values[signal] is None else GOOD)
    }
    body: dict[str, object] = {"t": t_ms, "v": values}
    if spoken:
        body["q"] = spoken
    return LogRecord(topics.reading(*place), _encode(body))


class Gathering:
    """Puts the rows of a long form together again: those of one unit and moment that stand together are a message."""

    def __init__(self) -> None:
        self._key: tuple[topics.ReadingTopic, int] | None = None
        self._values: dict[str, Number | None] = {}
        self._quality: dict[str, str] = {}
        self._lines: dict[str, int] = {}

    def take(
        self, line: int, place: topics.ReadingTopic, t_ms: int, signal: str, value: Number | None, quality: str
    ) -> Found | None:
        """Take a row; return the message before it where this row begins another."""
        done = None
        if self._key != (place, t_ms) or signal in self._values or len(self._values) >= json_v1.MAX_SIGNALS:
            done = self.rest()
            self._key = (place, t_ms)
        self._values[signal] = value
        self._quality[signal] = quality
        self._lines[signal] = line
        return done

    def rest(self) -> Found | None:
        """Return the message that the rows since the last one make, None without any."""
        if self._key is None or not self._values:
            return None
        record = record_of(*self._key, self._values, self._quality)
        lines = self._lines
        self._key, self._values, self._quality, self._lines = None, {}, {}, {}
        return Found(record, next(iter(lines.values())), lines)


def numbered_lines(path: Path, tell: OnBadLine) -> Iterator[tuple[int, bytes]]:
    """Yield (number, line) of all that is not blank; of an overlong line, which is told of, nothing.

    Raises:
        BadInputError: The file cannot be opened.
    """
    number = 0
    with opened_to_read(path) as file:
        try:
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if number == 1:
                    line = line.removeprefix(_BYTE_ORDER_MARK)
                if len(line) > MAX_LINE_BYTES:
                    tell(number, f"is over {MAX_LINE_BYTES} bytes long")
                    while line and not line.endswith(b"\n"):
                        line = file.readline(MAX_LINE_BYTES)
                elif line.strip():
                    yield number, line
        except CANNOT_UNPACK as error:
            tell(number + 1, f"and all after it cannot be unpacked: {error}")
