"""What InfluxDB's answers and refusals mean: rows into readings, errors into reasons."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np
from influxdb_client.rest import ApiException

from station.adapters import flux
from station.adapters.point_rules import message_from, visible
from station.adapters.sqlite_blocks import Column
from station.domain.signals import BAD_NULL, Reading, UnitMessage

Line = tuple[int, str]
"""Index of the message in the written batch, and its line."""

Numbers = dict[tuple[str, str], list[tuple[int, float]]]
"""(Result, field) -> times and numbers."""

_OLDEST_KEPT = re.compile(r"Retention Policy Lower Bound at (\S{19}(?:\.\d+)?Z)")


def young_enough(lines: Sequence[Line], reason: str) -> list[Line]:
    """Return the lines that are not older than the bound which a refusal names; all where it names none."""
    bound = _OLDEST_KEPT.search(reason)
    if bound is None:
        return list(lines)
    oldest_ms = flux.Times().ms(bound[1])
    return [line for line in lines if int(line[1].rpartition(" ")[2]) > oldest_ms]


def is_number(said: str) -> bool:
    """Return False for what another program wrote as text or true/false under a name of ours: it is no reading."""
    try:
        float(said)
    except ValueError:
        return False
    return True


def newest_reading(signal: str, value: tuple[int, str] | None, quality: tuple[int, str] | None) -> Reading | None:
    """Return a signal's newest reading out of its newest number and its newest quality that is not good."""
    if quality is not None and (value is None or quality[0] >= value[0]):
        same = value is not None and value[0] == quality[0]
        number = float(value[1]) if value is not None and same else None
        return Reading(signal, quality[0], *visible((number, quality[1])))
    return None if value is None else Reading(signal, value[0], float(value[1]))


def message_of_point(
    station: str, key: tuple[int, str, str], values: dict[str, float | None], quality: dict[str, str]
) -> UnitMessage:
    """Return the message of the point at key (t, area, unit); a quality without a number belongs to a null."""
    for signal, said in quality.items():
        if said == BAD_NULL or signal not in values:
            values[signal] = None
    return message_from(station, key[1:], key[0], values, quality)


def column_of(readings: Sequence[Reading]) -> tuple[Column, Sequence[str]]:
    """Return readings as a column, and the qualities that its codes are places of."""
    names = sorted({reading.quality for reading in readings})
    column = Column(
        np.array([reading.t_ms for reading in readings], np.int64),
        np.array([np.nan if reading.value is None else reading.value for reading in readings], np.float64),
        np.array([names.index(reading.quality) for reading in readings], np.uint32),
    )
    return column, names


def numbers_told(answer: bytes, every_ms: int, offset_ms: int) -> Numbers:
    """Return the numbers of each result and field of an answer, by the start of their window.

    Raises:
        FluxError: The answer holds an error.
    """
    found: Numbers = defaultdict(list)
    for block in answer.decode().split("\r\n\r\n"):
        # Nothing is quoted as a rule, and then splitting takes half the time of a CSV reader.
        lines = block.strip("\r\n").split("\r\n")
        for header, rows in flux.tables(lines) if '"' in block or "error" in lines[0] else _plain(lines):
            at_name, at_field, at_time, at_value = (
                header.index(one) for one in ("result", "_field", "_time", "_value")
            )
            said = list(rows)
            t_ms = flux.all_ms([row[at_time] for row in said])
            t_ms -= (t_ms - offset_ms) % every_ms  # the first window is cut to the range, its name is not
            pairs = list(zip(t_ms.tolist(), [float(row[at_value]) for row in said], strict=True))
            begin = 0
            for _, table in groupby(said, itemgetter(at_name, header.index("table"))):
                end = begin + sum(1 for _ in table)
                found[said[begin][at_name], said[begin][at_field]] += pairs[begin:end]
                begin = end
    return found


def _plain(lines: Sequence[str]) -> Iterator[tuple[list[str], Iterator[list[str]]]]:
    """Yield as `flux.tables` what one header stands over."""
    if lines[0]:
        yield lines[0].split(","), (line.split(",") for line in lines[1:])


def joined_windows(starts: Sequence[int], every_ms: int) -> list[tuple[int, int]]:
    """Return [start, end) of neighbouring windows joined; past 16 runs one question over all is quicker."""
    runs: list[tuple[int, int]] = []
    for start in starts:
        if runs and runs[-1][1] == start:
            runs[-1] = (runs[-1][0], start + every_ms)
        else:
            runs.append((start, start + every_ms))
    return runs if len(runs) <= 16 else [(runs[0][0], runs[-1][1])]


def rfc3339(t_ms: int) -> str:
    """Return epoch ms as InfluxDB takes times in its own requests."""
    seconds, ms = divmod(t_ms, 1000)
    whole = np.datetime64(seconds, "s")
    return f"{whole}.{ms:03d}Z"


def said_reason(error: ApiException) -> str:
    """Return what InfluxDB said, without its JSON."""
    body = error.body.decode("utf-8", "replace") if isinstance(error.body, bytes) else error.body or ""
    try:
        return shortened(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return shortened(body or error.reason)


def shortened(what: object) -> str:
    """Return a text on one line, of at most 300 characters."""
    said = " ".join(str(what).split())
    return said if len(said) <= 300 else said[:300] + ".."
