"""`jinma restore`: a backup, checked first, laid down in a fresh place; what stands there is set aside, never lost."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from cli.data_directory import SCHEMA, DataDirectory
from cli.keeping.archive import ArchiveReader, Manifest
from cli.keeping.backup import MINUTES, RAW, READINGS
from cli.keeping.place import Place
from cli.progress import progress
from station.adapters.journal_rows import refuse_filled, take_rows
from station.adapters.sql_journal import open_journal
from station.adapters.sql_schema import HEAD, KNOWN
from station.adapters.sqlite_readings import SCHEMA_VERSION
from station.errors import BadInputError
from station.settings import Settings

_STAGE: Final = ".restoring"
_OWN: Final = ("lock", "run.json", "schema.json")


def restore(file: Path, settings: Settings, *, overwrite: bool, check_only: bool, as_json: bool) -> None:
    """Lay a backup down, and say what was.

    Raises:
        BadInputError: It is no backup, of a newer program, of another kind of store; or something is there already.
        FinalError: It is damaged.
        TransientError: Store or journal do not answer.
    """
    archive = ArchiveReader(file)
    try:
        manifest = archive.manifest
        _refuse_newer(file, manifest)
        with progress("checking", float(sum(entry.bytes for entry in manifest.entries))) as told:
            archive.verify(told)
        done = {"file": str(file), "made": manifest.made, "version": manifest.version, "files": len(manifest.entries)}
        if not check_only:
            done |= _Restoring(archive, Place.of(settings), overwrite=overwrite).run()
    finally:
        archive.close()
    _say(done, check_only=check_only, as_json=as_json)


def _refuse_newer(file: Path, manifest: Manifest) -> None:
    for what, found, known in (
        ("data directory", manifest.data_schema, SCHEMA),
        ("readings", manifest.readings_schema, SCHEMA_VERSION),
    ):
        if found > known:
            raise BadInputError(
                f"{file}: its {what} is of version {found}, this program knows {known}: use the newer program"
            )
    if manifest.journal_schema not in KNOWN:
        raise BadInputError(
            f"{file}: its journal is of schema {manifest.journal_schema}, this program knows {HEAD}: "
            "use the newer program"
        )


class _Restoring:
    """One restore under way: everything is made in a folder beside, then moved into place."""

    def __init__(self, archive: ArchiveReader, place: Place, *, overwrite: bool) -> None:
        self._archive = archive
        self._place = place
        self._overwrite = overwrite
        self._stage = place.folder / _STAGE

    def run(self) -> dict[str, Any]:
        """Check every target, then fill it."""
        self._check_kind()
        directory = DataDirectory(self._place.folder)  # nobody else uses it until the end
        try:
            aside = self._check_targets()
            shutil.rmtree(self._stage, ignore_errors=True)
            self._stage.mkdir()
            done = self._fill()
            self._move_into_place(aside)
            (self._place.folder / "schema.json").write_text(
                json.dumps({"schema": self._archive.manifest.data_schema}) + "\n", encoding="utf-8"
            )
        finally:
            shutil.rmtree(self._stage, ignore_errors=True)
            directory.close()
        return done | {"data_dir": str(self._place.folder), "set_aside": str(aside) if aside else None}

    def _check_kind(self) -> None:
        kind = self._archive.manifest.readings
        if kind == "influxdb" and self._place.influx is None:
            raise BadInputError("the readings came out of InfluxDB: name one, --store influxdb://HOST:8086/ORG/BUCKET")
        if kind == "sqlite" and self._place.influx is not None:
            raise BadInputError("the readings came out of SQLite: leave out --store, or name sqlite:///PATH")

    def _check_targets(self) -> Path | None:
        """Return where what is there goes, None where nothing is.

        Raises:
            BadInputError: Something is there, and nobody said that it may be replaced.
        """
        found = self._found_files()
        if found and not self._overwrite:
            raise BadInputError(
                f"{found[0].parent} holds {found[0].name} already: name a fresh --data-dir, or add --overwrite, "
                "which sets it aside"
            )
        if not self._overwrite:
            if self._place.journal is None:
                refuse_filled(self._place.journal_url)
            if self._place.influx is not None:
                self._refuse_filled_buckets()
        stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S")
        return self._place.folder / f"replaced-{stamp}" if found else None

    def _found_files(self) -> list[Path]:
        inside = [
            path
            for path in sorted(self._place.folder.iterdir())
            if path.name not in _OWN and not path.name.startswith((_STAGE, "replaced-"))
        ]
        named = [path for path in (self._place.readings, self._place.journal, self._place.spool) if path is not None]
        # A log of SQLite's that a crash left behind belongs to the old file: beside the new one it would damage it.
        outside = [path.with_name(path.name + ending) for path in named for ending in ("", "-wal", "-shm")]
        folder = self._place.folder.absolute()
        return inside + [path for path in outside if path.exists() and folder not in path.absolute().parents]

    def _refuse_filled_buckets(self) -> None:
        store = self._place.open_influx()
        try:
            for bucket in store.buckets:
                if not store.is_empty(bucket):
                    raise BadInputError(
                        f"bucket {bucket} of InfluxDB holds points already: name another in --store, or add "
                        "--overwrite, which writes over them"
                    )
        finally:
            store.close()

    def _fill(self) -> dict[str, Any]:
        for folder in ("data", "spool", "settings"):
            for name, entry in self._archive.below(folder):
                self._archive.lay_down(entry, self._stage / folder / name)
        for _, entry in self._archive.below("readings"):
            if entry.name == READINGS:
                self._archive.lay_down(entry, self._stage / "readings.sqlite")
        done: dict[str, Any] = self._fill_journal()
        if self._archive.manifest.readings == "influxdb":
            done |= self._fill_influx()
        return done

    def _fill_journal(self) -> dict[str, Any]:
        tables = {name.removesuffix(".ndjson"): self._archive.open(e) for name, e in self._archive.below("journal")}
        if not tables:
            return {"journal_rows": 0, "journal_first_wrong_row": None}
        staged = self._stage / "journal.sqlite"
        url = self._place.journal_url if self._place.journal is None else f"sqlite:///{staged.absolute()}"
        rows = take_rows(url, self._archive.manifest.journal_schema, tables)
        journal = open_journal(url)
        try:
            wrong = journal.verify()
        finally:
            journal.close()
        for copy in self._stage.glob("journal.sqlite.before-*"):
            copy.unlink()
        return {"journal_rows": rows, "journal_first_wrong_row": wrong}

    def _fill_influx(self) -> dict[str, Any]:
        store, done = self._place.open_influx(), {"lines": 0, "too_old": 0}
        try:
            for name, bucket in zip((RAW, MINUTES), store.buckets, strict=True):
                entry = next((e for e in self._archive.manifest.entries if e.name == name), None)
                if entry is None:
                    continue
                if self._overwrite is False or store.retention_s(bucket) is None:
                    store.set_retention(bucket, self._archive.manifest.buckets[name])
                with self._archive.open(entry) as lines, progress(f"writing {bucket}", entry.bytes) as told:
                    taken, refused = store.take_lines(bucket, _counted(lines, told))
                done = {"lines": done["lines"] + taken, "too_old": done["too_old"] + refused}
        finally:
            store.close()
        return done

    def _move_into_place(self, aside: Path | None) -> None:
        if aside is not None:
            aside.mkdir()
            for path in self._found_files():
                if path.name != aside.name:
                    shutil.move(path, aside / path.name)
        for target, staged in (
            (self._place.readings, self._stage / "readings.sqlite"),
            (self._place.journal, self._stage / "journal.sqlite"),
            (self._place.spool, self._stage / "spool"),
            (self._place.folder / "settings", self._stage / "settings"),
        ):
            if target is not None and staged.exists():
                target.absolute().parent.mkdir(parents=True, exist_ok=True)
                shutil.move(staged, target)
        data = self._stage / "data"
        for path in sorted(data.iterdir()) if data.exists() else ():
            shutil.move(path, self._place.folder / path.name)


def _counted(lines: Any, told: Callable[[float], None]) -> Any:
    done = 0
    for line in lines:
        done += len(line)
        told(done)
        yield line


def _say(done: dict[str, Any], *, check_only: bool, as_json: bool) -> None:
    if as_json:
        print(json.dumps(done | {"checked": True}))
        return
    print(f"{done['file']}: {done['files']} files, whole, saved {done['made']} by version {done['version']}")
    if check_only:
        return
    print(f"laid down in {done['data_dir']}: readings, and {done['journal_rows']} rows of the journal's database")
    if done["journal_first_wrong_row"] is not None:
        print(f"alarm journal: row {done['journal_first_wrong_row']} does not follow; it was so when it was saved")
    if "lines" in done:
        print(f"InfluxDB took {done['lines'] - done['too_old']} points; {done['too_old']} are older than it keeps")
    if done["set_aside"]:
        print(f"what was there before is in {done['set_aside']}")
