"""`jinma import`: a log into the store, ours as it is, another's by a mapping file."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

import typer

from cli.progress import progress
from cli.stations import read_plants
from cli.stopping import stop_on_signals
from cli.stores import log_store
from cli.text_files import read_text
from station.adapters.foreign.draft import draft_map
from station.adapters.foreign.log_map import LogMap, load_log_map
from station.adapters.foreign.reading import columns_left_out
from station.adapters.log_files import count_lines, find_messages, log_format
from station.adapters.log_import import Imported, LogImport, admission_of
from station.domain.plant import Plant
from station.errors import BadInputError
from station.settings import load_settings
from station.wire.plan_v1 import rfc3339

_NAMED_MOST: Final = 20
"""Refused lines that a dry run names; all of them stand in the side file of an import."""


def import_file(
    file: Path,
    *,
    store: str | None,
    data_dir: Path | None,
    map_file: Path | None,
    plant: list[Path] | None,
    dry_run: bool,
    refused: Path | None,
    as_json: bool,
) -> None:
    """Take a log into a store, or say what would come in.

    Raises:
        BadInputError: The file, the mapping or an option is wrong, or nothing came in.
        StoreUnavailableError: The store failed on the way.
        typer.Exit: Asked to end by a signal.
    """
    settings = load_settings(store=store, data_dir=data_dir, plant=plant)
    plants = read_plants(settings.plant)
    rules = None if map_file is None else load_log_map(read_text(map_file), str(map_file), plants)
    side = refused or (None if dry_run else Path(f"{file.name}.refused.csv"))
    readings = None if dry_run else log_store(settings, must_exist=False)
    try:
        with stop_on_signals() as stop, _Refused(file, side) as refusals:
            taking = LogImport(readings, admission_of(plants, settings.unknown_signals), refusals.take)
            # Counting the lines of a large file takes a second: only a bar that somebody sees needs them.
            lines = count_lines(file) if sys.stderr.isatty() else None
            with progress(f"importing {file.name}", lines) as tell:
                found = find_messages(file, taking.refuse, plants=plants, rules=rules)
                taking.take(found, stop.event, tell)
            stopped, code = stop.is_set(), stop.exit_code
    finally:
        if readings is not None:
            readings.close()
    said = _told(file, rules, taking.count, refusals.written)
    said["dry_run"] = dry_run
    _print(said, as_json=as_json)
    if stopped:
        raise typer.Exit(code)
    _refuse_nothing(file, taking.count, plants)


def print_draft(file: Path, plant: list[Path] | None) -> None:
    """Print a first mapping file for another's log.

    Raises:
        BadInputError: The file cannot be read, or is a log of ours.
    """
    plants = read_plants(load_settings(plant=plant).plant)
    if (kind := log_format(file)) is not None:
        raise BadInputError(f"{file} is a log of ours ({kind}): it needs no mapping file")
    sys.stdout.write(draft_map(file, plants[0]))


class _Refused(AbstractContextManager["_Refused"]):
    """Writes what is refused into a side file that is there only when there is something to write."""

    def __init__(self, log: Path, side: Path | None) -> None:
        self._log = log
        self._side = side
        self._file: IO[str] | None = None
        self._named = 0

    @property
    def written(self) -> Path | None:
        """The side file, None where nothing was refused or none was wanted."""
        return self._side if self._file is not None else None

    def take(self, line: int, reason: str, text: str) -> None:
        """Take a line, or a value of it, that was refused."""
        if self._side is None:
            self._name(line, text)
            return
        if self._file is None:
            self._file = self._opened(self._side)
        csv.writer(self._file, lineterminator="\n").writerow((line, reason, text))

    def _opened(self, side: Path) -> IO[str]:
        try:
            file = side.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise BadInputError(f"cannot write {side}: {error.strerror}; name another place with --refused") from error
        file.write("line,reason,text\n")
        return file

    def _name(self, line: int, text: str) -> None:
        self._named += 1
        if self._named <= _NAMED_MOST:
            print(f"jinma: {self._log}: line {line} {text}", file=sys.stderr)
        elif self._named == _NAMED_MOST + 1:
            print(f"jinma: {self._log}: more refused lines are counted; --refused FILE takes them all", file=sys.stderr)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the side file."""
        if self._file is not None:
            self._file.close()


def _told(file: Path, rules: LogMap | None, count: Imported, side: Path | None) -> dict[str, Any]:
    kind = log_format(file) if rules is None else "long table" if rules.long else "table"
    return {
        "file": str(file),
        "format": kind,
        "rows": count.rows,
        "messages": count.messages,
        "readings": count.readings,
        "signals": {f"{station}/{signal}": number for (station, signal), number in sorted(count.signals.items())},
        "first": None if count.first_ms is None else rfc3339(count.first_ms),
        "last": None if count.last_ms is None else rfc3339(count.last_ms),
        "refused": dict(count.refused),
        "refused_file": None if side is None else str(side),
        "passed_over": count.passed_over,
        "left_out": [] if rules is None else columns_left_out(file, rules),
    }


def _print(said: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(said, ensure_ascii=False))
        return
    signals = said["signals"]
    print(f"{said['file']}: {said['format'] or 'empty'}{', dry run: nothing was stored' if said['dry_run'] else ''}")
    print(f"  rows      {said['rows']}")
    print(f"  readings  {said['readings']} of {len(signals)} signals: {_listed(signals)}")
    print(f"  range     {said['first'] or '-'} .. {said['last'] or '-'}")
    if said["left_out"]:
        print(f"  left out  {_listed(said['left_out'])}")
    if said["passed_over"]:
        print(f"  no readings (plans, queues, clocks): {said['passed_over']}")
    refused = ", ".join(f"{reason} {number}" for reason, number in said["refused"].items())
    where = f"; each by line in {said['refused_file']}" if said["refused_file"] else ""
    print(f"  refused   {sum(said['refused'].values())}{': ' if refused else ''}{refused}{where}")


def _listed(names: Sequence[str] | dict[str, int]) -> str:
    shown = [name.rpartition("/")[2] for name in names]
    return ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")


def _refuse_nothing(file: Path, count: Imported, plants: Sequence[Plant]) -> None:
    if count.messages:
        return
    if count.refused.keys() == {"station"}:
        known = ", ".join(plant.id for plant in plants)
        raise BadInputError(
            f"nothing of {file} came in: {count.examples['station']} (known: {known}); name it with --plant"
        )
    if count.refused:
        first = next(iter(count.examples.values()))
        raise BadInputError(f"nothing of {file} came in: all of it was refused, first: {first}")
    raise BadInputError(f"{file} holds no readings")
