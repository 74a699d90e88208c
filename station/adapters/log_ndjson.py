"""Logs as ndjson (contract section 8): a line a message, in the order sent, behind a line that says what made it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Final

import msgspec

from station.adapters.log_records import Found, LogRecord, OnBadLine, Records
from station.wire.plan_v1 import parse_time

_LINES_A_WRITE: Final = 2000


class _Line(msgspec.Struct):
    topic: str | None = None
    payload: msgspec.Raw = msgspec.Raw()
    received: int | float | str | None = None
    log: dict[str, object] | None = None


_decode_line: Final = msgspec.json.Decoder(_Line).decode
_decode_text: Final = msgspec.json.Decoder(str).decode
_check_json: Final = msgspec.json.Decoder(msgspec.Raw).decode
_encode: Final = msgspec.json.Encoder().encode


def write_ndjson(file: IO[bytes], records: Records, header: Mapping[str, object]) -> int:
    """Write a log as the records come; return how many there were."""
    count = 0
    lines = [_encode({"log": dict(header)}) + b"\n"]
    for line in _lines(records):
        lines.append(line)
        count += 1
        if len(lines) >= _LINES_A_WRITE:
            file.write(b"".join(lines))
            lines.clear()
    file.write(b"".join(lines))
    return count


def _lines(records: Records) -> Iterator[bytes]:
    beginnings: dict[str, bytes] = {}
    for record in records:
        topic, payload = record[0], record[1]
        begin = beginnings.get(topic)
        if begin is None:
            begin = beginnings[topic] = b'{"topic":' + _encode(topic) + b',"payload":'
        received = record[2] if len(record) > 2 else None
        end = b"}\n" if received is None else b',"received":%d}\n' % received
        yield begin + _on_one_line(payload) + end


def _on_one_line(payload: bytes) -> bytes:
    """Return a payload as JSON without line breaks; what is no JSON becomes a text."""
    try:
        _check_json(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _encode(payload.decode("utf-8", "backslashreplace"))
    if b"\n" in payload or b"\r" in payload:
        return msgspec.json.format(payload, indent=-1)
    return payload


def read_ndjson(lines: Iterable[tuple[int, bytes]], tell: OnBadLine) -> Iterator[Found]:
    """Yield the messages of numbered lines; header lines are passed over, a line that is no message is told of."""
    for number, line in lines:
        try:
            said = _decode_line(line)
            if said.topic is None:
                if said.log is None:
                    tell(number, "has no topic")
                continue
            yield Found(LogRecord(said.topic, _payload_of(said), _received_of(said)), number)
        except (ValueError, msgspec.DecodeError, RecursionError) as error:
            tell(number, f"is no message: {error}")


def header_of(line: bytes) -> dict[str, object] | None:
    """Return what a first line says made the log, None where it does not say."""
    try:
        return _decode_line(line).log
    except (ValueError, msgspec.DecodeError):
        return None


def _payload_of(said: _Line) -> bytes:
    payload = bytes(said.payload)
    if not payload:
        raise ValueError("has no payload")
    return _decode_text(payload).encode() if payload.startswith(b'"') else payload


def _received_of(said: _Line) -> int | None:
    return None if said.received is None else parse_time(said.received)
