"""The doctor's look at the readings and the journal: there, of the right layout, whole, kept, rolled up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from cli.keeping.doctor_services import look_at_influx_clock
from cli.keeping.findings import Finding, megabytes
from cli.keeping.growth import Growth
from cli.keeping.place import Place
from station.adapters.influx_readings import MINUTES_RETENTION_S, InfluxReadings
from station.adapters.sql_database import SqlDatabase, revision_of
from station.adapters.sql_journal import SqlJournal
from station.adapters.sql_schema import HEAD, KNOWN
from station.adapters.sqlite_copy import version_of
from station.adapters.sqlite_readings import SCHEMA_VERSION, SqliteReadings
from station.ports import ReadingStore

_DAY_S: Final = 86_400
_ABOUT: Final = "readings"


class StoreLook:
    """A look at the readings; what they grow by is known afterwards.

    Args:
        place: Where they are.
        keep: As the settings say; `explicit` where somebody said so.
        states: Signals of which minutes hold last and count only.
        fix: Mend what can be mended safely.
    """

    def __init__(self, place: Place, keep: dt.timedelta, states: Sequence[str], *, explicit: bool, fix: bool) -> None:
        self._place = place
        self._keep = keep
        self._explicit = explicit
        self._states = states
        self._fix = fix
        self.growth: Growth | None = None

    def look(self) -> Iterator[Finding]:
        """Yield what is found."""
        if self._place.readings is not None:
            yield from self._look_at_sqlite(self._place.readings)
            return
        with closing(self._place.open_influx()) as store:
            store.prepare()
            yield from self._look_at_influx(store)

    def _look_at_sqlite(self, file: Path) -> Iterator[Finding]:
        if not file.exists():
            yield Finding(_ABOUT, "note", f"{file} is not there yet", "start the service: it is made then")
            return
        found = version_of(file)
        if found != SCHEMA_VERSION:
            newer = found > SCHEMA_VERSION
            says = f"{file} is of layout {found}, this program's is {SCHEMA_VERSION}"
            do = "use the newer program" if newer else "nothing: the next start brings it up to date, after a copy"
            yield Finding(_ABOUT, "fault" if newer else "note", says, do)
            return
        size = sum(part.stat().st_size for part in file.parent.glob(f"{file.name}*") if ".before-" not in part.name)
        keep_days = self._keep / dt.timedelta(days=1)
        with closing(SqliteReadings(file)) as store:
            spans = _spans(store)
            yield from _tell_spans(spans, f"{file.name} (layout {found})", size)
        yield Finding("retention", "ok", f"readings {keep_days:g} days (--keep), minutes {_years()}")
        yield Finding("minutes", "ok", "worked out with each hour that is packed, late data included")
        self.growth = Growth.seen(file.stat().st_size, _longest_ms(spans), keep_days)  # without the log beside it

    def _look_at_influx(self, store: InfluxReadings) -> Iterator[Finding]:
        raw, minutes = store.buckets
        yield from look_at_influx_clock(store.url)
        size = store.bytes_of(raw)
        spans = _spans(store)
        yield from _tell_spans(spans, f"InfluxDB {store.url}, bucket {raw}", size)
        yield from self._tell_retention(store, raw)
        yield from self._tell_tasks(store, minutes)
        kept_s = store.retention_s(raw)
        if size is not None:
            self.growth = Growth.seen(size, _longest_ms(spans), kept_s / _DAY_S if kept_s else None)

    def _tell_retention(self, store: InfluxReadings, bucket: str) -> Iterator[Finding]:
        kept_s, wanted_s = store.retention_s(bucket) or 0, round(self._keep.total_seconds())
        shown = f"bucket {bucket} keeps {kept_s / _DAY_S:g} days" if kept_s else f"bucket {bucket} keeps all for ever"
        if not self._explicit or kept_s == wanted_s:
            state = "ok" if kept_s else "note"
            do = "" if kept_s else f"let it forget: jinma doctor --fix --keep 30d, which keeps minutes {_years()}"
            yield Finding("retention", state, shown, do)  # type: ignore[arg-type]
        elif self._fix:
            store.set_retention(bucket, wanted_s)
            yield Finding("retention", "ok", f"bucket {bucket} keeps {wanted_s / _DAY_S:g} days", mended=True)
        else:
            says = f"{shown}, --keep says {wanted_s / _DAY_S:g}"
            yield Finding("retention", "fault", says, "jinma doctor --fix, or set it in InfluxDB")

    def _tell_tasks(self, store: InfluxReadings, bucket: str) -> Iterator[Finding]:
        troubles = store.minutes_troubles()
        if troubles and self._fix:
            store.install_minutes(self._states)
            yield Finding(
                "minutes", "ok", f"bucket {bucket} and its two tasks are there: {'; '.join(troubles)}", mended=True
            )
        elif troubles:
            do = "jinma doctor --fix, with a token that may make buckets and tasks; a failure is in the task's own log"
            yield Finding("minutes", "fault", "; ".join(troubles), do)
        else:
            yield Finding("minutes", "ok", f"bucket {bucket} and its two tasks are there, {_years()} are kept")


class JournalLook:
    """A look at the journal; what it grows by is known afterwards."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.growth: Growth | None = None

    def look(self) -> Iterator[Finding]:
        """Yield what is found: every row is held against the one before."""
        file = self._place.journal
        if file is not None and not file.exists():
            yield Finding("journal", "note", f"{file} is not there yet", "start the service: it is made then")
            return
        revision = revision_of(self._place.journal_url)
        if revision != HEAD:
            known = revision is None or revision in KNOWN
            do = "nothing: the next start brings it up to date" if known else "use the newer program"
            says = f"schema {revision}, this program's is {HEAD}"
            yield Finding("journal", "note" if known else "fault", says, do)
            return
        with closing(SqlDatabase(self._place.journal_url)) as database:
            yield from self._look_at_rows(database)

    def _look_at_rows(self, database: SqlDatabase) -> Iterator[Finding]:
        size, wrong, span_ms = database.bytes_on_disk(), SqlJournal(database).verify(), database.span_ms()
        figures: dict[str, float | int | str | None] = {"bytes": size, "first_wrong_row": wrong}
        if wrong is None:
            says = f"{database.name} (schema {HEAD}): {megabytes(size)}, every row follows from the one before"
            yield Finding("journal", "ok", says, figures=figures)
        else:
            says = f"row {wrong} is changed, missing or out of place: nothing from there on can be trusted"
            yield Finding("journal", "fault", says, "keep it as it is, and compare with a backup", figures=figures)
        if self._place.journal is not None:
            self.growth = Growth.seen(size, span_ms)


def _spans(store: ReadingStore) -> dict[str, tuple[int, int]]:
    return {station: span for station in store.stations() if (span := store.span(station)) is not None}


def _longest_ms(spans: Mapping[str, tuple[int, int]]) -> int:
    return max((newest - oldest for oldest, newest in spans.values()), default=0)


def _tell_spans(spans: Mapping[str, tuple[int, int]], name: str, size: int | None) -> Iterator[Finding]:
    for station, (oldest, newest) in spans.items():
        says = f"{name}: {station} from {_day(oldest)} to {_day(newest)}"
        yield Finding(_ABOUT, "ok", says, figures={"oldest_ms": oldest, "newest_ms": newest})
    if not spans:
        yield Finding(_ABOUT, "note", f"{name} holds no readings", "see that sensors and ingest run")
    if size is not None:
        yield Finding(_ABOUT, "ok", f"{megabytes(size)} on the disk", figures={"bytes": size})


def _day(t_ms: int) -> str:
    return dt.datetime.fromtimestamp(t_ms / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _years() -> str:
    return f"{MINUTES_RETENTION_S / 365 / _DAY_S:g} years"
