"""What a spool's folder holds, read without a word to whoever uses it: sizes, messages, damage."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

from ingest.spool import CHECKED_FROM, HEAD, MAGIC, SUFFIX, Position


@dataclass(frozen=True, slots=True)
class SpoolReport:
    """What was found.

    Attributes:
        bytes: On disk.
        waiting: Messages behind the position.
        waits_since_ms: Wall time at which the oldest of them came, epoch ms; None where none waits.
        damaged: (segment, offset, bytes from there on) where a segment cannot be read on. At the end of a segment a
            crash leaves a record cut short, which nobody was told was taken.
    """

    bytes: int
    waiting: int
    waits_since_ms: int | None
    damaged: tuple[tuple[int, int, int], ...]


def report_of(directory: Path, position: Position | None) -> SpoolReport:
    """Return what a spool's folder holds.

    Args:
        directory: Of the spool; it may be in use.
        position: How far delivery is, None for the beginning.
    """
    size, waiting = 0, 0
    since_ms: int | None = None
    damaged: list[tuple[int, int, int]] = []
    for path in sorted(directory.glob(f"*{SUFFIX}")):
        try:
            data = path.read_bytes()
        except FileNotFoundError:  # all of it was delivered meanwhile
            continue
        size += len(data)
        segment, at = int(path.stem), len(MAGIC)
        while (found := _record(data, at)) is not None:
            end, wall_ms, count = found
            if position is None or Position(segment, end) > position:
                waiting += count
                since_ms = wall_ms if since_ms is None else min(since_ms, wall_ms)
            at = end
        if at < len(data):
            damaged.append((segment, at, len(data) - at))
    return SpoolReport(size, waiting, since_ms, tuple(damaged))


def _record(data: bytes, at: int) -> tuple[int, int, int] | None:
    """Return (end, wall ms, messages) of the record at a place, None where there is no whole one."""
    if len(data) < at + HEAD.size:
        return None
    length, crc, _, wall_ms, count = HEAD.unpack_from(data, at)
    end = at + HEAD.size + length
    if end > len(data) or zlib.crc32(data[at + CHECKED_FROM : end]) != crc:
        return None
    return end, wall_ms, count
