"""Readings out of a store into a log file (contract section 8)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Literal

import msgspec

from station.adapters.log_files import PARQUET, check_suffix, is_csv, log_records, write_log
from station.adapters.log_packing import opened_to_write
from station.adapters.log_parquet import write_parquet_tables
from station.adapters.log_wide import write_wide
from station.adapters.reading_tables import ReadingTable, ReadsTables
from station.domain.signals import UnitMessage
from station.errors import BadInputError
from station.ports import ReadingStore
from station.wire.json_v1 import MAX_SIGNALS

Layout = Literal["long", "wide"]
PROGRESS_EVERY = 5000
"""Messages between two words to whoever shows the progress: some 20 a second."""

OnProgress = Callable[[int, int], None]
"""Told (messages done, station time reached as epoch ms)."""


def export_log(
    store: ReadingStore,
    station: str,
    start_ms: int,
    end_ms: int,
    path: Path,
    progress: OnProgress | None = None,
    *,
    version: str,
    layout: Layout = "long",
) -> int:
    """Write the messages of a station in [start, end) to a log; no boot or seq, grouped by (area, unit, t).

    The file appears under its name when it is whole; memory stays flat.

    Args:
        store: Where the readings are.
        station: Its id.
        start_ms: First time, epoch ms.
        end_ms: Time after the last, epoch ms.
        path: Its suffix tells the format; an existing file is replaced.
        progress: Told how far it is.
        version: Of this program, for the log's first line.
        layout: Of a csv.

    Returns:
        How many messages were written.

    Raises:
        BadInputError: The range is empty, the suffix unknown, the station not in the store, or the path not writable.
        StoreUnavailableError: The store failed on the way; no file is left.
    """
    check_suffix(path)
    if layout == "wide" and not is_csv(path):
        raise BadInputError(f"--layout wide: {path} is no .csv, .csv.gz or .csv.zst")
    if end_ms <= start_ms:
        raise BadInputError(f"--to {_stamp(end_ms)}: must be later than --from {_stamp(start_ms)}")
    if store.span(station) is None:
        held = ", ".join(store.stations()) or "none"
        raise BadInputError(f"station {station!r} has no readings in this store; it holds: {held}")
    header = {"version": version, "station": station, "range": [_stamp(start_ms), _stamp(end_ms)]}
    unfinished = path.with_name(f"unfinished-{path.name}")
    try:
        if path.suffix == PARQUET and isinstance(store, ReadsTables):
            count = _write_tables(unfinished, station, store.tables(station, start_ms, end_ms), header, progress)
        elif layout == "wide":

            def messages() -> Iterator[UnitMessage]:
                return _told(store.messages(station, start_ms, end_ms), progress)

            with opened_to_write(unfinished) as file:
                count = write_wide(file, messages, header)
        else:
            said = _told(store.messages(station, start_ms, end_ms), progress)
            count = write_log(unfinished, log_records(_sendable(said)), header)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return count


def _write_tables(
    path: Path,
    station: str,
    tables: Iterator[ReadingTable],
    header: Mapping[str, object],
    progress: OnProgress | None,
) -> int:
    """Write columns as columns: no message is made only to be taken apart. Returns how many messages they are of."""
    count = 0

    def counted() -> Iterator[ReadingTable]:
        nonlocal count
        for table in tables:
            count += table.messages()
            reached_ms = int(table.t_ms[-1]) if len(table.t_ms) else None
            yield table
            del table
            if progress is not None and reached_ms is not None:
                progress(count, reached_ms)

    with opened_to_write(path) as file:
        write_parquet_tables(file, station, counted(), header)
    return count


def _told(messages: Iterator[UnitMessage], progress: OnProgress | None) -> Iterator[UnitMessage]:
    for done, message in enumerate(messages, 1):
        yield message
        if progress is not None and done % PROGRESS_EVERY == 0:
            progress(done, message.t_ms)


def _sendable(messages: Iterator[UnitMessage]) -> Iterator[UnitMessage]:
    """Yield messages that the wire carries: a point that several messages filled beyond 256 signals is two again."""
    for message in messages:
        if len(message.values) <= MAX_SIGNALS:
            yield message
            continue
        rest = iter(message.values.items())
        while part := dict(islice(rest, MAX_SIGNALS)):
            quality = {signal: text for signal, text in message.quality.items() if signal in part}
            yield msgspec.structs.replace(message, values=part, quality=quality)


def _stamp(t_ms: int) -> str:
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=t_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
