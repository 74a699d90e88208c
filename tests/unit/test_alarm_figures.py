"""Figures of ISA-18.2 out of a journal: every definition on numbers that can be counted by hand."""

from __future__ import annotations

import csv
import datetime as dt
import io
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from api.journal_table import COLUMNS, csv_lines
from api.journal_workbook import write_xlsx
from api.people.roles import Role
from station.domain import alarm_figures as figures
from station.ports import JournalEntry
from tests.support.live_api import NOON, LiveApi, live_api

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
START = NOON - DAY


def entry(event: str, t_ms: int, alarm: str = "PT-1.H", number: int = 0, priority: str = "low") -> JournalEntry:
    return JournalEntry(
        "jinma", alarm, f"{alarm}@{number}", event, t_ms, t_ms, "system", detail={"state": {"priority": priority}}
    )


def times(alarm: str, spans: list[tuple[int, int]], priority: str = "low") -> list[JournalEntry]:
    """Return rows of an alarm raised and cleared at these moments after the start."""
    rows = []
    for number, (raised, cleared) in enumerate(spans):
        rows.append(entry("raised", START + raised, alarm, number, priority))
        rows.append(entry("cleared", START + cleared, alarm, number, priority))
    return sorted(rows, key=lambda row: row.t_ms)


def test_rates_count_each_occurrence_once_and_what_was_hidden_or_late_not_at_all() -> None:
    rows = times("PT-1.H", [(n * HOUR, n * HOUR + MINUTE) for n in range(6)])
    rows += [entry("raised_unseen", START + 5, number=90), entry("late", START + 6, number=91)]
    history = figures.history_of(rows)
    found = figures.rates(history, START, START + DAY)
    assert (len(history.occurrences), history.late) == (6, 1)
    assert found["per_day"].value == 6.0
    assert found["per_hour"].value == 0.25
    assert found["per_hour_worst"].value == 1.0
    assert found["per_day"].met
    assert found["periods_over_10_percent"].value == 0.0


def test_a_flood_begins_over_ten_in_ten_minutes_and_ends_under_five() -> None:
    burst = [(n * 20 * SECOND, n * 20 * SECOND + SECOND) for n in range(15)]
    later = [(HOUR, HOUR + SECOND)]
    history = figures.history_of(times("PT-1.H", [*burst, *later]))
    (flood,) = figures.floods(history, START + DAY)
    assert (flood.start_ms, flood.count, flood.first) == (START, 15, "PT-1.H")
    # The fifth from the end was raised at 200 s; ten minutes later fewer than five are left.
    assert flood.end_ms == START + 200 * SECOND + 10 * MINUTE
    now = figures.floods(figures.history_of(times("PT-1.H", burst)), START + 5 * MINUTE)
    assert [one.end_ms for one in now] == [None]
    assert figures.floods(figures.history_of(times("PT-1.H", burst[:10])), START + DAY) == []
    share = figures.rates(history, START, START + DAY)["periods_over_10_percent"]
    assert share.value == pytest.approx(100.0 / 144.0, abs=1e-3)
    assert share.met


def test_chattering_fleeting_and_the_top_ten() -> None:
    chatter = times("TT-1.H", [(0, 10 * SECOND), (20 * SECOND, 30 * SECOND), (40 * SECOND, 2 * HOUR)])
    calm = times("PT-1.H", [(3 * HOUR, 3 * HOUR + 30 * SECOND), (4 * HOUR, 5 * HOUR)])
    acked = [entry("acked", START + 3 * HOUR + 20 * SECOND, number=0)]
    history = figures.history_of(sorted([*chatter, *calm, *acked], key=lambda row: row.t_ms))
    assert figures.chattering(history) == [("TT-1.H", 3)]
    assert figures.fleeting(history) == [("TT-1.H", 2)], "what somebody acknowledged in time was no trifle"
    assert figures.top_ten(history) == [("TT-1.H", 3, 60.0), ("PT-1.H", 2, 40.0)]


def test_priorities_and_times_to_acknowledge() -> None:
    rows = times("A.H", [(n * HOUR, n * HOUR + 30 * MINUTE) for n in range(4)], "high")
    rows += [entry("acked", START + n * HOUR + (n + 3) * MINUTE, "A.H", n, "high") for n in range(4)]
    rows += times("B.H", [(0, MINUTE)])
    rows += [entry("escalated", START + 30 * SECOND, "B.H", 0, "critical")]
    history = figures.history_of(sorted(rows, key=lambda row: row.t_ms))
    assert figures.priority_shares(history) == {"critical": 20.0, "high": 80.0, "medium": 0.0, "low": 0.0}
    assert figures.ack_minutes(history)["high"] == (4, 4.5, 6.0, 75.0)
    assert figures.ack_minutes(history)["low"] == (0, None, None, None)


def test_buckets_follow_local_time() -> None:
    history = figures.history_of(times("A.H", [(0, 1), (HOUR, HOUR + 1), (13 * HOUR, 13 * HOUR + 1)]))
    zone = ZoneInfo("Asia/Shanghai")
    assert [start for start, _ in figures.buckets(history, "hour", zone)] == [
        "2026-11-22T12:00:00+08:00", "2026-11-22T13:00:00+08:00", "2026-11-23T01:00:00+08:00",
    ]  # fmt: skip
    assert [(start, sum(c.values())) for start, c in figures.buckets(history, "day", zone)] == [
        ("2026-11-22T00:00:00+08:00", 2), ("2026-11-23T00:00:00+08:00", 1),
    ]  # fmt: skip
    assert [start for start, _ in figures.buckets(history, "month", zone)] == ["2026-11-01T00:00:00+08:00"]


# --- over HTTP, and as a table ---


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_figures_and_the_journal_s_table_come_from_the_journal() -> None:
    api: LiveApi = live_api()
    spans = [(n * HOUR + SECOND, n * HOUR + MINUTE) for n in range(5)]
    api.journal.append(times("PT-330A.H", spans, "medium"))
    note = JournalEntry("jinma", "PT-330A.H", "PT-330A.H@9", "acked", NOON - 1, NOON, "li.wei", note="=1+1")
    api.journal.append([note])
    base = "/api/v1/stations/jinma/alarms"
    async with api.client(Role.VIEWER) as client:
        found = (await client.get(f"{base}/figures?by=day")).json()
        table = await client.get(f"{base}/journal/export?format=csv&lang=zh")
        book = await client.get(f"{base}/journal/export?format=xlsx")
        assert (await client.get(f"{base}/figures?by=year")).status_code == 422
    assert (found["alarms"], found["rates"]["per_day"]["value"]) == (5, 5.0)
    assert found["priority_percent"]["medium"] == 100.0
    assert sum(bucket["alarms"] for bucket in found["buckets"]) == 5
    assert table.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert rows[0] == [heading.zh for heading in COLUMNS]
    assert len(rows) == 12
    assert rows[-1][9] == "'=1+1"
    assert "高压" in rows[1][3]
    sheet = openpyxl.load_workbook(io.BytesIO(book.content)).active
    assert sheet is not None
    assert sheet.max_row == 12
    assert sheet.cell(12, 10).value == "=1+1"
    assert sheet.cell(12, 10).data_type == "s"
    moment = sheet.cell(12, 2).value
    assert isinstance(moment, dt.datetime), "a time that a spreadsheet can sort by, in local time"
    assert moment.isoformat(timespec="milliseconds") == "2026-11-23T11:59:59.999"
    assert rows[-1][1] == "2026-11-23T11:59:59.999+08:00"


def test_a_cell_that_looks_like_a_formula_stays_a_text() -> None:
    told = list(csv_lines(["a"], [["=HYPERLINK(1)"], ["+1"], ["-1"], ["@x"], [-1.5], [None]]))
    assert [line.strip() for line in told[1:]] == ["'=HYPERLINK(1)", "'+1", "'-1", "'@x", "-1.5", '""']
    out = io.BytesIO()
    write_xlsx(["a"], [["bad \x07 bell"]], out)
    sheet = openpyxl.load_workbook(out).active
    assert sheet is not None
    assert sheet.cell(2, 1).value == "bad  bell"


def test_a_workbook_goes_on_on_another_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.journal_workbook._SHEET_ROWS", 2)
    for count, sizes in ((0, [1]), (2, [3]), (5, [3, 3, 2])):
        out = io.BytesIO()
        write_xlsx(["a"], [[n] for n in range(count)], out)
        assert [sheet.max_row for sheet in openpyxl.load_workbook(out).worksheets] == sizes
