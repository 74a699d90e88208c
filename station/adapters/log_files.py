"""Log files of messages: ndjson, plain or gzipped (contract section 8).

One line a message, in the order sent. A line that cannot be read is named by its number and costs only itself; files
are recognised by their first bytes, not by their name.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, NamedTuple, cast

import msgspec

from station.domain.signals import UnitMessage
from station.errors import BadInputError, FinalError
from station.wire import json_v1
from station.wire.plan_v1 import parse_time

MAX_LINE_BYTES: Final = 256 * 1024
"""Four times the largest payload of the contract; a longer line is not ours and is skipped without being held."""
_GZIP_LEVEL: Final = 3
"""A station-day in a third of level 6's time, and 15 % larger."""
_LINES_A_WRITE: Final = 2000
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

OnBadLine = Callable[[int, str], None]
"""Told (line number from 1, what is wrong with it)."""


class LogRecord(NamedTuple):
    """One message as it was sent: `received` is epoch ms where the log says when it came."""

    topic: str
    payload: bytes
    received: int | None = None


class _Line(msgspec.Struct):
    topic: str | None = None
    payload: msgspec.Raw = msgspec.Raw()
    received: int | float | str | None = None
    log: dict[str, object] | None = None


_decode_line: Final = msgspec.json.Decoder(_Line).decode
_decode_text: Final = msgspec.json.Decoder(str).decode
_check_json: Final = msgspec.json.Decoder(msgspec.Raw).decode
_encode: Final = msgspec.json.Encoder().encode


def log_records(messages: Iterable[UnitMessage]) -> Iterator[LogRecord]:
    """Yield messages in the shape that `write_log` takes."""
    for message in messages:
        yield LogRecord(json_v1.topic_of(message), json_v1.encode(message))


def write_log(path: Path, records: Iterable[LogRecord | tuple[str, bytes]], header: Mapping[str, object]) -> int:
    """Write a log as the records come, in flat memory.

    Args:
        path: Where to; gzipped if its name ends in `.gz`. The same records make the same bytes.
        records: (topic, payload) or `LogRecord`, in the order sent.
        header: What made the log: version, station, seed or range; never the wall time.

    Returns:
        How many messages were written.

    Raises:
        BadInputError: The file cannot be opened.
        FinalError: Writing failed midway (disk full).
    """
    count = 0
    with _opened_to_write(path) as file:
        lines = [_encode({"log": dict(header)}) + b"\n"]
        for line in _lines(records):
            lines.append(line)
            count += 1
            if len(lines) >= _LINES_A_WRITE:
                file.write(b"".join(lines))
                lines.clear()
        file.write(b"".join(lines))
    return count


def _lines(records: Iterable[LogRecord | tuple[str, bytes]]) -> Iterator[bytes]:
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


@contextmanager
def _opened_to_write(path: Path) -> Iterator[IO[bytes]]:
    try:
        plain = path.open("wb")
    except OSError as error:
        raise BadInputError(f"cannot write {path}: {error.strerror}") from error
    try:
        with plain:
            if path.suffix != ".gz":
                yield plain
                return
            # no file name and no time inside: the same log is the same bytes
            with gzip.GzipFile("", "wb", _GZIP_LEVEL, plain, mtime=0) as packed:
                yield cast("IO[bytes]", packed)
    except OSError as error:
        raise FinalError(f"writing {path} failed: {error.strerror}; the file is incomplete") from error


def read_log(path: Path, on_bad: OnBadLine | None = None) -> Iterator[LogRecord]:
    """Yield the messages of a log in flat memory; header lines are passed over.

    Args:
        path: The log, plain or gzipped.
        on_bad: Told of each line that is no message.

    Raises:
        BadInputError: The file cannot be opened, or is packed in a way that is not read here.
    """
    tell = on_bad or _pass_over
    for number, line in _numbered_lines(path, tell):
        if len(line) > MAX_LINE_BYTES:
            tell(number, f"is over {MAX_LINE_BYTES} bytes long")
            continue
        try:
            said = _decode_line(line)
            if said.topic is None:
                if said.log is None:
                    tell(number, "has no topic")
                continue
            yield LogRecord(said.topic, _payload_of(said), _received_of(said))
        except (ValueError, msgspec.DecodeError) as error:
            tell(number, f"is no message: {error}")


def read_log_header(path: Path) -> dict[str, object] | None:
    """Return what made a log, None where its first line does not say.

    Raises:
        BadInputError: The file cannot be opened, or is packed in a way that is not read here.
    """
    for _, line in _numbered_lines(path, _pass_over):
        try:
            return _decode_line(line).log
        except (ValueError, msgspec.DecodeError):
            return None
    return None


def _pass_over(_number: int, _text: str) -> None:
    """Say nothing of a bad line."""


def _payload_of(said: _Line) -> bytes:
    payload = bytes(said.payload)
    if not payload:
        raise ValueError("has no payload")
    return _decode_text(payload).encode() if payload.startswith(b'"') else payload


def _received_of(said: _Line) -> int | None:
    return None if said.received is None else parse_time(said.received)


def _numbered_lines(path: Path, tell: OnBadLine) -> Iterator[tuple[int, bytes]]:
    """Yield (number, line) of all that is not blank; of an overlong line only its beginning."""
    number = 0
    with _opened_to_read(path) as file:
        try:
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    _skip_to_line_end(file, line)
                if number == 1:
                    line = line.removeprefix(_BYTE_ORDER_MARK)
                if line.strip():
                    yield number, line
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            tell(number + 1, f"and all after it cannot be unpacked: {error}")


def _skip_to_line_end(file: IO[bytes], line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = file.readline(MAX_LINE_BYTES)


@contextmanager
def _opened_to_read(path: Path) -> Iterator[IO[bytes]]:
    try:
        plain = path.open("rb")
    except OSError as error:
        raise BadInputError(f"cannot read {path}: {error.strerror}") from error
    with plain:
        magic = plain.read(4)
        plain.seek(0)
        if magic.startswith(_ZSTD_MAGIC):
            raise BadInputError(f"cannot read {path}: it is packed with zstd; unpack it first (zstd -d)")
        if not magic.startswith(_GZIP_MAGIC):
            yield plain
            return
        with gzip.GzipFile(fileobj=plain, mode="rb") as unpacked:
            yield cast("IO[bytes]", unpacked)
