"""Reports that are kept: one file a station and day in the data directory, each in its newest version."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec
import structlog

from station.domain.report.daily_report import DailyReport

_log = structlog.get_logger(__name__)
_decoder: Final = msgspec.json.Decoder(DailyReport)


def encoded(report: DailyReport) -> bytes:
    """Return a report as it is kept."""
    return msgspec.json.encode(report)


def decoded(body: bytes) -> DailyReport:
    """Return a report out of what was kept.

    Raises:
        msgspec.DecodeError: It is none, or of another version's shape.
    """
    return _decoder.decode(body)


class ReportShelf:
    """The kept reports of all stations.

    Args:
        folder: Where they lie; made with the first report.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, station: str, date: dt.date) -> DailyReport | None:
        """Return a kept report, None where there is none that can be read: it is then made anew."""
        file = self._file(station, date)
        try:
            return decoded(file.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            _log.warning("a kept report cannot be read and is made anew", file=str(file), error=str(error))
            return None

    def put(self, report: DailyReport) -> DailyReport:
        """Keep a report and return it as it is kept: as the next version where it tells something else than before.

        One that knows less is not kept: its readings have gone since, by their age.
        """
        report = decoded(encoded(report))
        before = self.get(report.station, report.date)
        if before is not None:
            if report.says_the_same_as(before) or report.completeness.minutes_known < before.completeness.minutes_known:
                return before
            report = replace(report, version=before.version + 1)
        file = self._file(report.station, report.date)
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".new")
        unfinished.write_bytes(encoded(report))
        unfinished.replace(file)
        return report

    def days(self, station: str) -> list[dt.date]:
        """Return the days that are kept, newest first."""
        found = []
        for file in self._folder.joinpath(station).glob("????-??-??.json"):
            try:
                found.append(dt.date.fromisoformat(file.stem))
            except ValueError:
                continue
        return sorted(found, reverse=True)

    def _file(self, station: str, date: dt.date) -> Path:
        return self._folder / station / f"{date.isoformat()}.json"
