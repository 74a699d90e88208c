"""The doctor's look at the disk: data directory, secrets, spool, dead letters, and how long there is room."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from cli.data_directory import SCHEMA
from cli.keeping.findings import Finding, megabytes
from cli.keeping.growth import Growth, days_left
from cli.keeping.place import Place
from ingest.ledger import LEDGER_FILE, read_ledger
from ingest.spool_report import report_of
from station.adapters.clocks import wall_ms

_SECRET_FILES: Final = ("admin.token", "token.key")
_LEAST_FREE: Final = 0.05
_FEW_DAYS: Final = 14.0


def look_at_folder(folder: Path, running: dict[str, Any] | None, *, fix: bool) -> Iterator[Finding]:
    """See to the data directory."""
    if not folder.is_dir():
        yield Finding("data", "note", f"{folder} is not there", "start the service, or name its --data-dir")
        return
    if running is None:
        yield Finding("data", "note", f"{folder}: no service runs on it", "jinma run, or jinma serve")
    else:
        yield Finding("data", "ok", f"{folder} is in use by process {running.get('pid')}")
    yield from _schema(folder)
    for name in _SECRET_FILES:
        yield from _secret(folder / name, fix=fix)
    for path in folder.glob("unfinished-*"):
        says = f"{path.name} is a copy that was broken off, {megabytes(path.stat().st_size)}"
        if fix and running is None:
            path.unlink()
            yield Finding("data", "ok", says, mended=True)
        else:
            yield Finding("data", "note", says, "stop the service, then jinma doctor --fix removes it")
    for path in folder.glob("*.before-*"):
        says = f"{path.name} is the copy made before an upgrade, {megabytes(path.stat().st_size)}"
        yield Finding("data", "note", says, "delete it when all is well")


def _schema(folder: Path) -> Iterator[Finding]:
    try:
        found = json.loads((folder / "schema.json").read_text(encoding="utf-8"))["schema"]
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield Finding("data", "fault", f"schema.json cannot be read: {error}", f'write {{"schema": {SCHEMA}}} into it')
        return
    if found == SCHEMA:
        yield Finding("data", "ok", f"layout {found}")
    else:
        do = "use the newer program" if found > SCHEMA else "nothing: the next start brings it up to date"
        yield Finding("data", "fault" if found > SCHEMA else "note", f"layout {found}, this program's is {SCHEMA}", do)


def _secret(path: Path, *, fix: bool) -> Iterator[Finding]:
    if not path.exists() or not path.stat().st_mode & 0o077:
        return
    if fix:
        path.chmod(0o600)
        yield Finding("data", "ok", f"{path.name} could be read by others", mended=True)
    else:
        yield Finding("data", "fault", f"{path.name} can be read by others on this machine", "jinma doctor --fix")


def look_at_spool(place: Place, most_bytes: int) -> Iterator[Finding]:
    """See to what waits for the store, and to what was set aside."""
    if not (place.spool / LEDGER_FILE).exists():
        yield Finding("spool", "note", f"{place.spool}: no ingest has run there", "")
        return
    ledger = read_ledger(place.spool / LEDGER_FILE)
    report, refused = report_of(place.spool, ledger.position), ledger.refused
    waits_s = 0.0 if report.waits_since_ms is None else max(0.0, (wall_ms() - report.waits_since_ms) / 1000)
    figures: dict[str, float | int | str | None] = {
        "bytes": report.bytes, "waiting": report.waiting, "waits_s": round(waits_s), "full": report.bytes / most_bytes,
    }  # fmt: skip
    says = f"{megabytes(report.bytes)} of {megabytes(most_bytes)}, {report.waiting} messages wait"
    if waits_s > 60:
        says += f", the oldest for {dt.timedelta(seconds=round(waits_s))}"
        yield Finding("spool", "fault", says, "see that ingest runs and the store answers", figures=figures)
    else:
        yield Finding("spool", "ok", says, figures=figures)
    for segment, offset, rest in report.damaged:
        says = f"segment {segment}: {rest} bytes from {offset} on cannot be read"
        yield Finding("spool", "note", says, "nothing after a crash: such a tail was never acknowledged")
    if refused:
        counts = ", ".join(f"{count} {reason}" for reason, count in refused.items())
        last = f"; the last: {ledger.newest.topic}: {ledger.newest.text}" if ledger.newest else ""
        do = "mend the device or the station file; the reasons: docs/bad-input.md"
        yield Finding("dead letters", "note", counts + last, do, figures=dict(refused))
    else:
        yield Finding("dead letters", "ok", "none")


def look_at_disk(folder: Path, growths: Sequence[Growth | None]) -> Iterator[Finding]:
    """Tell for how long there is room."""
    known = [growth for growth in growths if growth is not None]
    usage = shutil.disk_usage(folder if folder.exists() else Path())
    left = days_left(usage.free, known)
    rate = sum(growth.per_day for growth in known)
    figures: dict[str, float | int | str | None] = {
        "free_bytes": usage.free, "bytes_per_day": round(rate), "days_left": None if left is None else round(left, 1),
    }  # fmt: skip
    says = f"{megabytes(usage.free)} free of {megabytes(usage.total)}"
    if not known:
        says += "; less than an hour of data, which says nothing of a day's growth"
    elif left is None:
        says += f"; {megabytes(rate)} a day come in, and the retention holds them below that: it does not fill up"
    else:
        says += f"; {megabytes(rate)} a day: full in {left:,.0f} days at this rate"
    scarce = usage.free < _LEAST_FREE * usage.total
    if scarce or (left is not None and left < _FEW_DAYS):
        yield Finding("disk", "fault", says, "make room, or shorten --keep", figures=figures)
    else:
        yield Finding("disk", "ok", says, figures=figures)
