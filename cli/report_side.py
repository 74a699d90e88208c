"""Putting the service's reports together: the process that makes them, the shelf, the schedule, who is told."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import structlog

from api.live.station import LiveStation
from api.notices.service import NoticeService, place_of
from api.reports.composing import figures_text
from api.reports.desk import ReportDesk
from api.reports.makers import WorkerMaker
from api.reports.shelf import ReportShelf
from cli.data_directory import DataDirectory
from cli.report_sources import SourceAddresses
from cli.stores import service_store_url
from cli.version import VERSION
from station.adapters.clocks import wall_ms
from station.domain.notices import report_body
from station.domain.report.daily_report import DailyReport
from station.errors import BadInputError, TransientError
from station.ports import NoteBook, ReadingStore
from station.settings import Settings

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ReportUpkeep:
    """How a service makes its reports.

    Attributes:
        addresses: Where store and journal are, for the process that makes them.
        folder: Where they are kept.
        after, recheck: See the settings `report_after` and `report_recheck`.
        to: Targets of the notices file that get each day's figures.
    """

    addresses: SourceAddresses
    folder: Path
    after: dt.timedelta
    recheck: dt.timedelta
    to: tuple[str, ...]

    @classmethod
    def of(cls, settings: Settings, directory: DataDirectory, *, embedded: bool) -> ReportUpkeep:
        """Return what the settings say; `embedded` as `store_of` takes the directory."""
        token = settings.influxdb_token.get_secret_value() if settings.influxdb_token else None
        store = service_store_url(settings, directory if embedded else None)
        addresses = SourceAddresses(store, token, settings.journal or directory.journal_url)
        names = tuple(name.strip() for name in (settings.report_to or "").split(",") if name.strip())
        return cls(addresses, directory.reports, settings.report_after, settings.report_recheck, names)


def build_reports(
    upkeep: ReportUpkeep, store: ReadingStore, notes: NoteBook, notices: NoticeService | None
) -> ReportDesk:
    """Return the desk; call its `look` each few seconds.

    Raises:
        BadInputError: A target is named that the notices file does not have.
    """
    targets = set() if notices is None else set(notices.desk.plan.targets)
    for name in upkeep.to:
        if name not in targets:
            raise BadInputError(f"report_to = {name!r}: must be a target of the notices file ({', '.join(targets)})")
    desk = ReportDesk(
        WorkerMaker(upkeep.addresses.open),
        ReportShelf(upkeep.folder),
        notes,
        wall_ms,
        VERSION,
        upkeep.after,
        upkeep.recheck,
        first_ms=lambda station: None if (span := store.span(station)) is None else span[0],
    )
    if notices is not None and upkeep.to:
        desk.tell = lambda live, report: _tell(notices, upkeep.to, live, report)
    return desk


def _tell(notices: NoticeService, targets: tuple[str, ...], live: LiveStation, report: DailyReport) -> None:
    body = report_body(place_of(live), report.date, figures_text(live.plant, report))
    try:
        notices.desk.send_report(live.plant.id, f"report@{report.date}", body, targets)
    except TransientError as error:
        _log.warning("a report was made and nobody is told of it", date=report.date.isoformat(), error=str(error))
