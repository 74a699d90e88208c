"""Who is told of a daily report, and that a target that there is not is named at the start."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from api.notices.desk import NoticeDesk
from api.notices.service import NoticeService
from cli.report_side import ReportUpkeep, build_reports
from cli.report_sources import SourceAddresses
from station.adapters.memory import MemoryReadings
from station.adapters.memory_notes import MemoryNotes
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_notices import SqlNotices
from station.domain.notice_routes import load_notices
from station.domain.notices import Place, report_body
from station.domain.plant import Text
from station.errors import BadInputError
from tests.support.plants import jinma

FILE = """
[targets.duty]
webhook = "http://127.0.0.1:9/duty"
secret = "a secret of the test"
[[routes]]
name = "all"
priorities = ["critical"]
targets = ["duty"]
"""
DATE = dt.date(2026, 11, 23)


def desk_of(folder: Path) -> tuple[NoticeDesk, SqlNotices]:
    book = SqlNotices(SqlDatabase(f"sqlite:///{folder}/journal.db"))
    return NoticeDesk(load_notices(FILE, "notices.toml"), book, lambda: 5_000, lambda _: 5_000), book


def test_a_report_is_told_to_its_targets_in_both_languages(tmp_path: Path) -> None:
    desk, book = desk_of(tmp_path)
    woken: list[bool] = []
    desk.wake = lambda: woken.append(True)
    place = Place("jinma", jinma().label, jinma().timezone, simulated=True)
    desk.send_report("jinma", "report@2026-11-23", report_body(place, DATE, Text("3988 kg", "加注 3988 kg")), ["duty"])
    (row,) = book.due("duty", 5_000)
    body = json.loads(row.body)
    assert (row.kind, row.priority, row.state) == ("report", "low", "waiting")
    assert body["title"]["en"] == f"[SIMULATED] {jinma().label.en}: daily report of 2026-11-23"
    assert body["title"]["zh"].endswith("2026-11-23 日报")
    assert body["text"] == {"en": "3988 kg", "zh": "加注 3988 kg"}
    assert woken == [True]


@pytest.mark.parametrize("with_file", [True, False])
def test_a_target_that_there_is_not_is_named(tmp_path: Path, *, with_file: bool) -> None:
    notices = NoticeService(desk_of(tmp_path)[0], []) if with_file else None
    addresses = SourceAddresses("sqlite:///x", None, None)
    upkeep = ReportUpkeep(addresses, tmp_path, dt.timedelta(minutes=10), dt.timedelta(hours=1), ("nobody",))
    with pytest.raises(BadInputError, match="report_to = 'nobody': must be a target of the notices file"):
        build_reports(upkeep, MemoryReadings(), MemoryNotes(), notices)
