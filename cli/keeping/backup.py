"""`jinma backup`: everything that a service keeps, in one file, while it runs.

In this order: the ingest's ledger, its spool, the data directory's other files, the journal, the readings last. What
the ledger calls delivered is then among the readings, and what it does not is in the spool: whatever happens
meanwhile, no message that was acknowledged before the beginning is missing, and one that is in both is the same point.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from cli.data_directory import SCHEMA
from cli.keeping.archive import FORMAT, ArchiveWriter, Manifest
from cli.keeping.place import Place
from cli.progress import progress
from cli.version import VERSION
from ingest.ledger import LEDGER_FILE
from station.adapters.journal_rows import tables_of
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_schema import HEAD
from station.adapters.sqlite_copy import copy_database
from station.errors import BadInputError
from station.settings import Settings

RAW, MINUTES = "readings/raw.lp", "readings/minutes.lp"
READINGS: Final = "readings/readings.sqlite"
_LEFT_OUT: Final = ("lock", "run.json", "schema.json", "sessions.json", "live.session")
"""Of one process, of one machine, or (sessions) better begun anew: whoever logged out since would be let in again."""
_FOLDERS_LEFT_OUT: Final = ("back-test", "spool")
_ENDINGS_LEFT_OUT: Final = (".new", "-wal", "-shm", ".part")
_STARTS_LEFT_OUT: Final = ("unfinished-", "replaced-", ".")


def backup(file: Path, settings: Settings, *, overwrite: bool, as_json: bool) -> None:
    """Save everything to one file, and say what was saved.

    Raises:
        BadInputError: There is nothing to save, or the file is there already.
        TransientError: Store or journal do not answer.
    """
    place = Place.of(settings)
    if not place.folder.is_dir():
        raise BadInputError(f"--data-dir {place.folder}: no service has run there yet; name its data directory")
    if file.exists() and not overwrite:
        raise BadInputError(f"{file} is there already: name another file, or add --overwrite")
    if not file.absolute().parent.is_dir():
        raise BadInputError(f"{file}: there is no directory {file.absolute().parent}")
    saved = _save(file, place)
    if as_json:
        print(json.dumps(saved))
        return
    print(f"saved {saved['files']} files, {saved['bytes'] / 1e6:,.1f} MB, to {file}")
    print("It holds keys and password hashes: keep it as you keep those. Try it: jinma restore FILE --check")


def _save(file: Path, place: Place) -> dict[str, Any]:
    with (
        progress("saving", _expected_bytes(place)) as told,
        tempfile.TemporaryDirectory(prefix=f".{file.name}.", dir=file.absolute().parent) as scratch,
    ):
        writer = ArchiveWriter(file, told)
        try:
            saving = _Saving(place, writer, Path(scratch))
            saving.save_spool()
            saving.save_files()
            saving.save_journal()
            saving.save_readings()
            size = writer.finish(saving.manifest)
        finally:
            writer.give_up()
    manifest = saving.manifest
    return {
        "file": str(file),
        "bytes": size,
        "files": len(manifest.entries),
        "readings": manifest.readings,
        "journal": manifest.journal,
        "made": manifest.made,
    }


class _Saving:
    """One backup under way."""

    def __init__(self, place: Place, writer: ArchiveWriter, scratch: Path) -> None:
        self._place = place
        self._writer = writer
        self._copy = scratch / "copy.sqlite"
        self.manifest = Manifest(
            jinma_backup=FORMAT,
            version=VERSION,
            made=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            data_schema=SCHEMA,
            readings="none",
            journal="sqlite" if place.journal else "postgresql",
            journal_schema=HEAD,
        )

    def save_spool(self) -> None:
        """Save the ledger, then the segments: what it does not call delivered is among them."""
        spool = self._place.spool
        if (spool / LEDGER_FILE).exists():
            self._save_database(f"spool/{LEDGER_FILE}", spool / LEDGER_FILE)
        for path in sorted(spool.glob("*")):
            if path.is_file() and not path.name.startswith(LEDGER_FILE) and not _is_left_out(path.name):
                with suppress(FileNotFoundError):  # all of it was delivered meanwhile
                    self._writer.add_file(f"spool/{path.name}", path)

    def save_files(self) -> None:
        """Save the other files of the data directory, and those that somebody wrote."""
        for name, path in _data_files(self._place):
            with suppress(FileNotFoundError):
                if path.suffix == ".sqlite":
                    self._save_database(f"data/{name}", path)
                else:
                    self._writer.add_file(f"data/{name}", path)
        names: set[str] = set()
        for path in self._place.settings_files:
            name = path.name if path.name not in names else f"{len(names)}-{path.name}"
            names.add(name)
            self._writer.add_file(f"settings/{name}", path)

    def save_journal(self) -> None:
        """Save alarms, people, plans, forecasts, lessons: all as of one moment."""
        if self._place.journal is not None and not self._place.journal.exists():
            return
        database = SqlDatabase(self._place.journal_url)
        try:
            with tables_of(database) as tables:
                for name, lines in tables:
                    self._writer.add(f"journal/{name}.ndjson", lines)
        finally:
            database.close()

    def save_readings(self) -> None:
        """Save readings, minutes and the points of our services."""
        if self._place.influx is not None:
            self._save_influx()
        elif self._place.readings is not None and self._place.readings.exists():
            self.manifest.readings = "sqlite"
            # Its blocks are packed already.
            self.manifest.readings_schema = self._save_database(READINGS, self._place.readings, packed=True)

    def _save_influx(self) -> None:
        self.manifest.readings = "influxdb"
        store = self._place.open_influx()
        try:
            for name, bucket in zip((RAW, MINUTES), store.buckets, strict=True):
                kept_s = store.retention_s(bucket)
                if kept_s is not None:
                    self.manifest.buckets[name] = kept_s
                    self._writer.add(name, store.lines(bucket))
        finally:
            store.close()

    def _save_database(self, name: str, source: Path, *, packed: bool = False) -> int:
        version = copy_database(source, self._copy)
        self._writer.add_file(name, self._copy, packed=packed)
        self._copy.unlink()
        return version


def _data_files(place: Place) -> Iterator[tuple[str, Path]]:
    """Yield (name, file) of what else the data directory holds."""
    elsewhere = {path.absolute() for path in (place.readings, place.journal) if path is not None}
    spool = place.spool.absolute()
    for path in sorted(place.folder.rglob("*")):
        inner = path.relative_to(place.folder)
        left_out = any(_is_left_out(part) for part in inner.parts) or inner.parts[0] in _FOLDERS_LEFT_OUT
        if path.is_file() and not left_out and path.absolute() not in elsewhere and path.absolute().parent != spool:
            yield inner.as_posix(), path


def _is_left_out(name: str) -> bool:
    return (
        name in _LEFT_OUT or name.endswith(_ENDINGS_LEFT_OUT) or name.startswith(_STARTS_LEFT_OUT) or ".before-" in name
    )


def _expected_bytes(place: Place) -> float | None:
    if place.influx is not None:
        return None
    files = [path for path in (place.readings, place.journal) if path is not None]
    files += [path for _, path in _data_files(place)] + list(place.spool.glob("*"))
    return float(sum(path.stat().st_size for path in files if path.is_file()))
