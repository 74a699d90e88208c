"""Reports and shift notes over HTTP, from a day that a station said minute by minute."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from api.people.roles import Role
from api.reports.desk import ReportDesk
from api.reports.gathering import Books, Sources
from api.reports.makers import InlineMaker
from station.adapters.sqlite_readings import SqliteReadings
from station.domain.day_plan import Booking, DayPlan
from station.domain.mass_balance import content
from station.domain.signals import UnitMessage
from station.ports import JournalEntry, ServicePoint
from tests.support.live_api import LiveApi, VirtualClock, live_api
from tests.support.plants import jinma
from tests.support.report_days import DATE, MINUTE, START, at, said

pytestmark = pytest.mark.anyio
BASE = "/api/v1/stations/jinma/reports/daily"
DAY = DATE.isoformat()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store's file with the day in it."""
    file = tmp_path_factory.mktemp("day") / "readings.sqlite"
    store = SqliteReadings(file)
    store.write(list(said(jinma())))
    store.write_points([_COUNTED])
    store.close()
    return file


_COUNTED = ServicePoint(
    "ingest",
    {"station": "jinma", "area": "storage", "unit": "bank-HB"},
    {"received": 59.0, "gaps": 1.0, "gap_from": float(START), "gap_to": float(START + 2000)},
    START,
)


@dataclass
class Morning:
    """The morning after the day: an API, and the store that its reports are made of."""

    api: LiveApi
    store: SqliteReadings

    @property
    def desk(self) -> ReportDesk:
        assert self.api.services.reports is not None
        return self.api.services.reports

    def client(self, role: Role = Role.OPERATOR) -> httpx.AsyncClient:
        return self.api.client(role)

    def say_late(self) -> None:
        """A minute that nobody had heard of."""
        late = {self.api.plant.tag("utilities", "power", "power"): 300.0}
        self.store.write([UnitMessage("jinma", "utilities", "power", at(14.0) + MINUTE, late)])


@pytest.fixture
def hour() -> float:
    """When it is, in hours since the day began."""
    return 30.0


@pytest.fixture
def morning(tmp_path: Path, written: Path, hour: float) -> Iterator[Morning]:
    made = live_api(VirtualClock(at(hour)), reports=tmp_path / "reports")
    store = SqliteReadings(Path(shutil.copy(written, tmp_path / "readings.sqlite")))
    morning = Morning(made, store)
    morning.desk.maker = InlineMaker(
        Sources(store, Books(made.journal, made.forecasts, made.plans, morning.desk.notes))
    )
    made.plans.save("jinma", DayPlan(DATE, (Booking("T1", at(12.0), 40.0), Booking("T2", at(13.0), 41.0)), (), "put"))
    yield morning
    store.close()


async def test_the_report_tells_the_day(morning: Morning) -> None:
    async with morning.client(Role.VIEWER) as client:
        answer = await client.get(f"{BASE}/{DAY}")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["date"], body["complete"], body["version"]) == (DAY, True, 1)
    assert (body["start"], body["end"]) == ("2026-11-22T16:00:00.000Z", "2026-11-23T16:00:00.000Z")
    assert (body["dispensing"]["kg"], body["dispensing"]["planned_kg"]) == (40.0, 81.0)
    (fill,) = body["fills"]
    assert (fill["hose"], fill["kg"], fill["completed"], fill["link"]) == ("hose-1A", 40.0, True, "no")
    assert fill["start"] == "2026-11-23T04:00:00.000Z"
    day = body["balance"][0]
    assert (day["of"], day["missing"], day["dispensed"]) == ("day", [], 40.0)
    assert day["unaccounted_kg"] == pytest.approx(-40.0, abs=0.1)
    assert body["energy"]["site"] == pytest.approx(60.0 * 24 - 1.0, abs=1.1)
    assert body["completeness"]["areas"][0]["missing"] == 1
    held = body["stock"]["held"][0]
    assert held["opening"] == pytest.approx(content(18.0, 40.0, 20.0).kg, abs=0.1)
    assert body["alarms"]["count"] == 0
    assert body["scorecard"] is None


@pytest.mark.parametrize(("lang", "words"), [("zh", "日报"), ("en", "daily report")])
async def test_each_form_is_a_file_in_its_language(morning: Morning, lang: str, words: str) -> None:
    async with morning.client(Role.VIEWER) as client:
        html, table, pdf = [
            await client.get(f"{BASE}/{DAY}", params={"format": form, "lang": lang}) for form in ("html", "csv", "pdf")
        ]
    assert words in html.text
    assert "http" + "://" not in re.sub(r"<script>.*?</script>", "", html.text, flags=re.DOTALL)
    assert "sandbox" in html.headers["content-security-policy"]
    assert html.text.count('class="plotly-graph-div"') == 4
    rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert words in rows[0][0]
    assert any(row[1:] == ["40 kg / 81 kg"] for row in rows)
    assert pdf.content.startswith(b"%PDF-")
    assert pdf.headers["content-disposition"] == f'attachment; filename="jinma-{DAY}-{lang}.pdf"'


async def test_without_a_chinese_font_the_pdf_is_english_and_says_so(
    morning: Morning, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.reports.pdf_form.chinese_font", lambda: None)
    async with morning.client(Role.VIEWER) as client:
        pdf = await client.get(f"{BASE}/{DAY}", params={"format": "pdf", "lang": "zh"})
    assert pdf.status_code == 200
    packed = re.findall(rb"stream\n(.*?)\nendstream", pdf.content, re.DOTALL)
    first_page = zlib.decompress(packed[0]).decode("latin-1")
    assert "No Chinese font is installed" in first_page
    assert "daily report" in first_page


async def test_a_late_reading_makes_the_next_version_and_nothing_new_does_not(morning: Morning) -> None:
    async with morning.client() as client:
        first = (await client.get(f"{BASE}/{DAY}")).json()
        morning.api.clock.advance(60)
        again = (await client.post(f"{BASE}/{DAY}/make")).json()
        assert (again["version"], again["made_at"]) == (1, first["made_at"])
        morning.say_late()
        morning.api.clock.advance(60)
        second = (await client.post(f"{BASE}/{DAY}/make")).json()
        assert second["version"] == 2
        assert second["made_at"] > first["made_at"]
        kept = (await client.get(f"{BASE}/{DAY}")).json()
        assert (kept["version"], kept["energy"]["peak_kw"]) == (2, 300.0)


async def test_a_report_outlives_its_readings(morning: Morning) -> None:
    async with morning.client() as client:
        await client.get(f"{BASE}/{DAY}")
        morning.store.forget_before(at(48.0))
        morning.store.forget_minutes_before(at(48.0))
        made = await client.post(f"{BASE}/{DAY}/make")
        kept = (await client.get(f"{BASE}/{DAY}")).json()
    assert made.json()["version"] == kept["version"] == 1
    assert kept["dispensing"]["kg"] == 40.0


@pytest.mark.parametrize("hour", [24.1])
async def test_the_schedule_makes_yesterday_after_midnight_and_tells_it_once(morning: Morning) -> None:
    reports = morning.desk
    told: list[str] = []
    reports.tell = lambda live, report: told.append(f"{live.plant.id} {report.date} v{report.version}")
    # Six minutes past midnight: not yet.
    assert [reports.look(morning.api.services.stations) for _ in range(4)] == [True] * 4
    assert told == []
    morning.api.clock.t_ms = at(24.0) + 10 * MINUTE
    for _ in range(6):
        reports.look(morning.api.services.stations)
    assert told == [f"jinma {DAY} v1"]
    morning.say_late()
    reports.look(morning.api.services.stations)
    kept = reports.shelf.get("jinma", DATE)
    assert kept is not None
    assert kept.version == 1  # looked at a moment ago
    morning.api.clock.advance(3601)
    for _ in range(6):
        reports.look(morning.api.services.stations)
    kept = reports.shelf.get("jinma", DATE)
    assert kept is not None
    assert kept.version == 2
    assert told == [f"jinma {DAY} v1"]


async def test_the_list_has_kept_days_and_today(morning: Morning) -> None:
    async with morning.client(Role.VIEWER) as client:
        before = (await client.get(BASE)).json()["items"]
        await client.get(f"{BASE}/{DAY}")
        after = (await client.get(BASE)).json()["items"]
    assert [(one["date"], one["version"], one["kg"]) for one in before] == [("2026-11-24", None, None)]
    assert [(one["date"], one["version"], one["kg"]) for one in after] == [("2026-11-24", None, None), (DAY, 1, 40.0)]


async def test_a_note_is_kept_with_its_writer_and_stands_in_every_form(morning: Morning) -> None:
    text = "=2号机组<script>alert(1)</script>\n已检查油位"
    async with morning.client(Role.OPERATOR) as client:
        await client.get(f"{BASE}/{DAY}")
        written = await client.post(f"{BASE}/{DAY}/notes", json={"text": f"  {text} ", "kind": "handover"})
        assert written.status_code == 200, written.text
        note = written.json()
        assert (note["who"], note["kind"], note["text"]) == ("test operator", "handover", text)
        listed = (await client.get(f"{BASE}/{DAY}/notes")).json()["items"]
        body = (await client.get(f"{BASE}/{DAY}")).json()
        html, table, pdf = [
            await client.get(f"{BASE}/{DAY}", params={"format": form}) for form in ("html", "csv", "pdf")
        ]
    assert listed == body["notes"] == [note]
    assert body["version"] == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html.text
    assert "<script>alert(1)" not in html.text
    assert "'=2号机组" in table.content.decode("utf-8-sig")
    assert pdf.status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": " \n "}, "body.text"),
        ({"text": "x", "kind": "joke"}, "body.kind"),
        ({"text": "x" * 4001}, "body.text"),
        ({}, "body.text"),
    ],
)
async def test_a_bad_note_is_named_and_not_kept(morning: Morning, body: dict[str, str], field: str) -> None:
    async with morning.client(Role.OPERATOR) as client:
        answer = await client.post(f"{BASE}/{DAY}/notes", json=body)
        kept = (await client.get(f"{BASE}/{DAY}/notes")).json()["items"]
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert kept == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{BASE}/2026-11-30", 404),  # is still to come
        (f"{BASE}/2026-11-20", 404),  # has no readings
        (f"{BASE}/1969-01-01", 404),
        (f"{BASE}/yesterday", 422),
        (f"{BASE}/{DAY}?format=docx", 422),
        (f"{BASE}/{DAY}?lang=fr", 422),
        ("/api/v1/stations/lunar/reports/daily", 404),
    ],
)
async def test_what_there_is_not_is_told(morning: Morning, path: str, status: int) -> None:
    async with morning.client(Role.VIEWER) as client:
        answer = await client.get(path)
    assert answer.status_code == status
    assert answer.json()["errors"], answer.text


async def test_a_viewer_writes_no_notes(morning: Morning) -> None:
    async with morning.client(Role.VIEWER) as client:
        answer: httpx.Response = await client.post(f"{BASE}/{DAY}/notes", json={"text": "x"})
    assert answer.status_code == 403


async def test_alarms_of_the_journal_are_in_it(morning: Morning) -> None:
    state = {"state": {"priority": "high"}}
    morning.api.journal.append(
        [
            JournalEntry("jinma", "PT-330A.HH", "o1", "raised", at(9.0), at(9.0), "system", 48.5, 48.0, detail=state),
            JournalEntry("jinma", "PT-330A.HH", "o1", "acked", at(9.1), at(9.1), "li", detail=state),
        ]
    )
    async with morning.client(Role.VIEWER) as client:
        alarms = (await client.get(f"{BASE}/{DAY}")).json()["alarms"]
    assert alarms["count"] == 1
    assert alarms["top"] == [{"alarm": "PT-330A.HH", "count": 1, "percent": 100.0}]
    assert alarms["rates"]["per_day"]["value"] == 1.0


def test_the_date_of_the_hand_made_day_is_what_its_moments_say() -> None:
    assert dt.datetime.fromtimestamp(START / 1000, dt.UTC) == dt.datetime(2026, 11, 22, 16, tzinfo=dt.UTC)
