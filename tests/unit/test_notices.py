"""Which alarms become notices, to whom, together or one by one, and what a failed delivery comes to."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import pytest

from api.notices.delivery import Delivery
from api.notices.desk import Heard, NoticeDesk
from station.domain.alarm_views import AlarmView
from station.domain.notice_routes import NoticeFileError, NoticePlan, load_notices
from station.errors import JournalUnavailableError, NoticeFailedError
from station.notice_ports import NoticeRow, NoticeTry
from tests.support.alarm_views import PLACE, view
from tests.support.live_api import NOON, VirtualClock
from tests.support.plants import jinma

FILE = """
[targets.shift]
webhook = "http://127.0.0.1:9/shift"
secret = "${SECRET}"
[targets.chief]
url = "json://127.0.0.1:9/chief"
[shifts.night]
days = ["mon"]
hours = ["20:00", "06:00"]
[[routes]]
name = "all"
priorities = ["critical", "high", "medium"]
targets = ["shift"]
cleared = true
escalate_after = "5m"
escalate_to = ["chief"]
[[routes]]
name = "night"
areas = ["storage"]
shift = "night"
targets = ["chief"]
cleared = false
"""


def plan() -> NoticePlan:
    return load_notices(FILE, "notices.toml", {"SECRET": "s"})


class Book:
    """A notice book in memory."""

    def __init__(self) -> None:
        self.rows: list[NoticeRow] = []
        self.tries: list[NoticeTry] = []
        self.away = False

    def add(self, rows: list[NoticeRow]) -> None:
        if self.away:
            raise JournalUnavailableError("away")
        for row in rows:
            self.rows.append(dataclasses.replace(row, number=len(self.rows) + 1))

    def due(self, target: str, now_ms: int, limit: int = 20) -> list[NoticeRow]:
        mine = [r for r in self.rows if r.target == target and r.state == "waiting" and r.due_ms <= now_ms]
        return sorted(mine, key=lambda row: ("critical", "high", "medium", "low").index(row.priority))[:limit]

    def settle(self, tried: NoticeTry, state: str, due_ms: int) -> None:
        if self.away:
            raise JournalUnavailableError("away")
        self.tries.append(tried)
        row = self.rows[tried.notice - 1]
        self.rows[tried.notice - 1] = dataclasses.replace(row, state=state, due_ms=due_ms, tries=row.tries + 1)

    def told(self, station: str, occurrence: str) -> list[NoticeRow]:
        return [row for row in self.rows if (row.station, row.occurrence) == (station, occurrence)]

    def since(self, station: str, created_ms: int) -> list[NoticeRow]:
        return [row for row in self.rows if row.station == station and row.created_ms >= created_ms]

    def waiting(self) -> tuple[int, int | None]:
        return len(self.rows), None

    def range(self, *_: object) -> list[tuple[NoticeRow, list[NoticeTry]]]:
        return []

    @property
    def kinds(self) -> list[tuple[str, str, str]]:
        return [(row.kind, row.alarm_id, row.target) for row in self.rows]


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def wall() -> VirtualClock:
    return VirtualClock(1_000_000)


def desk_of(book: Book, wall: VirtualClock, made: NoticePlan | None = None) -> NoticeDesk:
    return NoticeDesk(made or plan(), book, wall.now_ms, lambda _: wall.t_ms - 1_000_000 + NOON)  # type: ignore[arg-type]


def hear(desk: NoticeDesk, *views: AlarmView, area: str = "storage") -> None:
    for one in views:
        desk.hear(Heard(one, area, PLACE))
    desk.digest()


def test_an_alarm_is_told_once_and_its_return_too(book: Book, wall: VirtualClock) -> None:
    desk = desk_of(book, wall)
    hear(desk, view(), view(value=49.0), view(state="ACKED", acked=True))
    hear(desk, view(state="NORM", active=False, acked=True, cleared_at=NOON + 5))
    assert book.kinds == [("raised", "PT-330A.HH", "shift"), ("cleared", "PT-330A.HH", "shift")]
    body = json.loads(book.rows[0].body)
    assert body["title"]["en"].startswith("ALARM (high) Jinma hydrogen station: Bank HB pressure A very high")
    assert "Value 48.3, limit 48 (PT-330A)" in body["text"]["en"]
    assert "措施：停机。" in body["text"]["zh"]
    hear(desk, view(number=2))
    assert book.kinds[-1] == ("raised", "PT-330A.HH", "shift"), "a new occurrence is a new notice"


def test_what_is_hidden_late_or_of_no_route_is_not_told(book: Book, wall: VirtualClock) -> None:
    desk = desk_of(book, wall)
    hidden = [view(number=n, state=state) for n, state in enumerate(("SHELVED", "SUPPRESSED", "OUT_OF_SERVICE"))]
    hear(desk, *hidden, view(late=True), view(priority="low"))
    assert book.rows == []
    hear(desk, view(number=0))
    assert [row.occurrence for row in book.rows] == ["PT-330A.HH@0"], "unshelved and still there"


def test_a_worse_priority_is_told_again(book: Book, wall: VirtualClock) -> None:
    desk = desk_of(book, wall)
    hear(desk, view(priority="medium"), view(priority="critical"), view(priority="critical"))
    assert [(row.kind, row.priority) for row in book.rows] == [("raised", "medium"), ("worse", "critical")]


def test_nobody_acknowledges_and_the_chief_is_told_once(book: Book, wall: VirtualClock) -> None:
    desk = desk_of(book, wall)
    hear(desk, view(), view("PT-320A.HH"))
    hear(desk, view("PT-320A.HH", state="ACKED", acked=True))
    for minutes in (4, 5, 9):
        wall.t_ms = 1_000_000 + minutes * 60_000
        desk.digest()
    assert book.kinds[2:] == [("escalated", "PT-330A.HH", "chief")]
    assert json.loads(book.rows[-1].body)["title"]["zh"].startswith("未确认")


def test_what_returns_unacknowledged_is_escalated_no_more(book: Book, wall: VirtualClock) -> None:
    desk = desk_of(book, wall)
    hear(desk, view())
    hear(desk, view(state="RTNUN", active=False, cleared_at=NOON + 5))
    wall.advance(600)
    desk.digest()
    assert [kind for kind, _, _ in book.kinds] == ["raised", "cleared"]


def test_a_flood_is_told_together_and_critical_ones_by_themselves(book: Book, wall: VirtualClock) -> None:
    desk = desk_of(book, wall)
    hear(desk, *(view(f"PT-{n}.HH") for n in range(30)), view("BE-1.HH", priority="critical"))
    kinds = [kind for kind, _, _ in book.kinds]
    assert kinds == [*["raised"] * 11, "flood"]
    assert book.rows[10].priority == "critical"
    flood = json.loads(book.rows[11].body)
    assert len(flood["alarms"]) == 20
    assert "20 alarms at once" in flood["title"]["en"]
    assert flood["text"]["en"].startswith("storage 20")
    wall.advance(30)
    hear(desk, view("PT-99.HH"))
    assert len(book.rows) == 12, "the next of the flood waits its minute"
    wall.advance(31)
    desk.digest()
    assert book.kinds[-1][0] == "flood"
    wall.advance(700)
    hear(desk, view("PT-100.HH"))
    assert ("raised", "PT-100.HH", "shift") in book.kinds
    (escalated,) = [json.loads(row.body) for row in book.rows if row.kind == "escalated"]
    assert len(escalated["alarms"]) == 32, "nobody acknowledged: that too is told together"


def test_a_book_that_is_away_loses_nothing(book: Book, wall: VirtualClock) -> None:
    desk = desk_of(book, wall)
    book.away = True
    hear(desk, view())
    hear(desk, view("PT-320A.HH"))
    book.away = False
    desk.digest()
    assert [alarm for _, alarm, _ in book.kinds] == ["PT-330A.HH", "PT-320A.HH"]


def test_a_restart_tells_what_a_crash_lost_and_goes_on_to_escalate_the_rest(book: Book, wall: VirtualClock) -> None:
    hear(desk_of(book, wall), view())
    wall.advance(120)
    again = desk_of(book, wall)
    again.recover("jinma", [Heard(one, "storage", PLACE) for one in (view(), view("PT-320A.HH"))])
    again.digest()
    assert book.kinds == [("raised", "PT-330A.HH", "shift"), ("raised", "PT-320A.HH", "shift")]
    wall.advance(181)
    again.digest()
    assert book.kinds[2:] == [("escalated", "PT-330A.HH", "chief")]


def test_a_shelved_alarm_is_escalated_no_more_and_told_anew_once_shown(book: Book, wall: VirtualClock) -> None:
    desk = desk_of(book, wall)
    hear(desk, view(), view("PT-320A.HH"))
    hear(desk, view(state="SHELVED"), view("PT-320A.HH", state="SHELVED", active=False, cleared_at=NOON + 5))
    wall.advance(3600)
    desk.digest()
    assert [kind for kind, _, _ in book.kinds] == ["raised", "raised"]
    hear(desk, view(), view("PT-320A.HH", state="RTNUN", active=False, cleared_at=NOON + 5))
    assert book.kinds[2:] == [("raised", "PT-330A.HH", "shift")]
    wall.advance(299)
    desk.digest()
    assert len(book.rows) == 3, "its time begins when it is shown"
    wall.advance(1)
    desk.digest()
    assert book.kinds[3:] == [("escalated", "PT-330A.HH", "chief")]


def test_what_the_design_hides_waits_to_be_escalated_and_is_not_told_twice(book: Book, wall: VirtualClock) -> None:
    desk = desk_of(book, wall)
    hear(desk, view())
    hear(desk, view(state="SUPPRESSED"))
    wall.advance(600)
    desk.digest()
    assert len(book.rows) == 1
    hear(desk, view())
    assert [kind for kind, _, _ in book.kinds] == ["raised", "escalated"]


def test_escalation_goes_by_station_time_which_may_be_set_back(book: Book, wall: VirtualClock) -> None:
    station = VirtualClock(NOON)
    desk = NoticeDesk(plan(), book, wall.now_ms, lambda _: station.t_ms)  # type: ignore[arg-type]
    hear(desk, view())
    station.advance(-86_400)
    desk.digest()
    station.advance(299)
    desk.digest()
    assert len(book.rows) == 1
    station.advance(1)
    desk.digest()
    assert book.kinds[1:] == [("escalated", "PT-330A.HH", "chief")]


def test_a_worse_priority_is_told_to_those_on_shift_then(book: Book, wall: VirtualClock) -> None:
    desk = desk_of(book, wall)
    evening = NOON + 7 * 3_600_000  # Monday, 19:00
    wall.t_ms += 7 * 3_600_000
    hear(desk, view(priority="medium", raised_at=evening))
    wall.advance(2 * 3600)
    hear(desk, view(priority="high", raised_at=evening))
    assert [row for row in book.kinds if row[0] != "escalated"] == [
        ("raised", "PT-330A.HH", "shift"), ("worse", "PT-330A.HH", "shift"), ("worse", "PT-330A.HH", "chief")
    ]  # fmt: skip


def test_returns_in_a_flood_are_told_together_too_and_each_station_floods_alone(book: Book, wall: VirtualClock) -> None:
    desk = desk_of(book, wall)
    names = [f"PT-{n}.HH" for n in range(30)]
    hear(desk, *map(view, names))
    wall.advance(61)
    hear(desk, *(view(n, state="RTNUN", active=False, cleared_at=NOON + 5) for n in names))
    kinds = [kind for kind, _, _ in book.kinds]
    assert kinds == [*["raised"] * 10, "flood", *["cleared"] * 11]
    together = json.loads(book.rows[-1].body)
    assert (together["kind"], len(together["alarms"])) == ("cleared", 20)
    assert "20 条报警恢复正常" in together["title"]["zh"]
    assert together["text"]["zh"].startswith("储氢 20")
    elsewhere = dataclasses.replace(view("PT-1.HH"), station="elsewhere")
    hear(desk, elsewhere)
    assert (book.rows[-1].kind, book.rows[-1].station) == ("raised", "elsewhere")


def test_a_restart_tells_what_a_crash_lost_even_where_it_is_over_and_nothing_twice(
    book: Book, wall: VirtualClock
) -> None:
    hear(desk_of(book, wall), *(view(f"PT-{n}.HH") for n in range(15)), view("PT-330A.HH"))
    before = len(book.rows)
    gone = {"active": False, "cleared_at": NOON + 5}
    found = [
        *(view(f"PT-{n}.HH") for n in range(1, 15)),  # told, most of them together
        view("PT-0.HH", state="NORM", acked=True, **gone),  # told of its beginning, not of its end
        view("PT-330A.HH", state="SHELVED"),
        view("BE-1.HH", priority="critical", state="LATCHED", latched=True, **gone),  # over, and nobody knows
        view("PT-50.HH", state="NORM", acked=True, **gone),  # long over and settled
        view("PT-51.HH", state="ACKED", acked=True),  # who acknowledged it knows
    ]
    again = desk_of(book, wall)
    wall.advance(61)
    again.recover("jinma", [Heard(one, "storage", PLACE) for one in found])
    again.digest()
    assert sorted(book.kinds[before:]) == [
        ("cleared", "BE-1.HH", "shift"), ("cleared", "PT-0.HH", "shift"), ("raised", "BE-1.HH", "shift")
    ]  # fmt: skip
    third = desk_of(book, wall)
    third.recover("jinma", [Heard(one, "storage", PLACE) for one in found])
    third.digest()
    assert len(book.rows) == before + 3


def test_simulated_data_say_so_first(book: Book, wall: VirtualClock) -> None:
    desk = desk_of(book, wall)
    desk.hear(Heard(view(), "storage", dataclasses.replace(PLACE, simulated=True)))
    desk.digest()
    assert json.loads(book.rows[0].body)["title"]["en"].startswith("[SIMULATED] ")


# --- delivery ---


class Target:
    """A target that answers as it is told to."""

    def __init__(self, *answers: str | NoticeFailedError) -> None:
        self.answers = list(answers)
        self.marked: list[bool] = []

    def send(self, _: NoticeRow, *, duplicate: bool) -> str:
        self.marked.append(duplicate)
        answer = self.answers.pop(0)
        if isinstance(answer, NoticeFailedError):
            raise answer
        return answer


def test_a_failed_notice_is_tried_again_later_and_marked_where_it_may_have_arrived(
    book: Book, wall: VirtualClock
) -> None:
    late = NoticeFailedError("no answer", unknown=True)
    refused = NoticeFailedError("500")
    delivery = Delivery("shift", Target(refused, late, refused, "204"), book, wall.now_ms)  # type: ignore[arg-type]
    hear(desk_of(book, wall), view())
    waits = []
    while book.rows[0].state == "waiting":
        before = len(book.tries)
        delivery.step()
        if len(book.tries) > before:
            waits.append(book.rows[0].due_ms - wall.t_ms)
        assert delivery.in_trouble is (len(book.tries) == 3)
        wall.advance(1)
    assert waits[:3] == [2000, 4000, 8000]
    assert [(t.ok, t.duplicate) for t in book.tries] == [(False, False), (False, False), (False, True), (True, True)]
    assert not delivery.in_trouble


def test_a_notice_is_given_up_after_its_time_and_another_target_never_waits(book: Book, wall: VirtualClock) -> None:
    made = dataclasses.replace(plan(), give_up=dt.timedelta(seconds=5))
    desk = desk_of(book, wall, made)
    hear(desk, view())
    refused = [NoticeFailedError("500")] * 9
    delivery = Delivery("shift", Target(*refused), book, wall.now_ms)  # type: ignore[arg-type]
    for _ in range(20):
        delivery.step()
        wall.advance(1)
    assert book.rows[0].state == "given-up"
    assert len(book.tries) == 3


def test_what_waited_before_a_restart_is_sent_as_a_possible_duplicate(book: Book, wall: VirtualClock) -> None:
    hear(desk_of(book, wall), view())
    wall.advance(10)
    Delivery("shift", Target("204"), book, wall.now_ms).step()  # type: ignore[arg-type]
    assert [(t.ok, t.duplicate) for t in book.tries] == [(True, True)]


def test_a_test_is_tried_once(book: Book, wall: VirtualClock) -> None:
    rows = desk_of(book, wall).try_out(PLACE, "li.wei")
    assert {row.target for row in rows} == {"shift", "chief"}
    delivery = Delivery("shift", Target(NoticeFailedError("500")), book, wall.now_ms)  # type: ignore[arg-type]
    delivery.deliver(rows[0])
    assert book.rows[0].state == "given-up"


def test_what_the_book_cannot_take_is_sent_all_the_same_and_once(book: Book, wall: VirtualClock) -> None:
    desk, refused = desk_of(book, wall), NoticeFailedError("500")
    target = Target(refused, refused, "204")
    delivery = Delivery("shift", target, book, wall.now_ms, desk)  # type: ignore[arg-type]
    book.away = True
    hear(desk, view())
    tried = []
    for second in range(9):
        before = len(target.answers)
        delivery.step()
        if len(target.answers) < before:
            tried.append(second)
        wall.advance(1)
    assert tried == [0, 2, 6], "after 2 s, then after 4"
    book.away = False
    desk.digest()
    delivery.step()
    assert [(row.state, row.tries) for row in book.rows] == [("sent", 1)]


def test_a_try_that_cannot_be_kept_is_not_made_again(book: Book, wall: VirtualClock) -> None:
    desk, target = desk_of(book, wall), Target("204")
    delivery = Delivery("shift", target, book, wall.now_ms, desk)  # type: ignore[arg-type]
    hear(desk, view())
    book.away = True
    for _ in range(5):
        delivery.step()
        wall.advance(60)
    assert (target.answers, book.tries) == ([], [])
    book.away = False
    delivery.step()
    assert [(t.ok, t.duplicate) for t in book.tries] == [(True, False)]
    assert book.rows[0].state == "sent"


# --- the file ---


def test_shifts_go_over_midnight_and_belong_to_the_day_they_begin_on() -> None:
    made = plan()
    monday = dt.datetime(2026, 11, 23, tzinfo=jinma().timezone)

    def names(hours: float, area: str = "storage") -> list[str]:
        moment = monday + dt.timedelta(hours=hours)
        return [route.name for route in made.routes_for("low", area, "jinma", moment)]

    assert names(19.9) == []
    assert names(20.0) == ["night"]
    assert names(29.9) == ["night"], "Tuesday before six is Monday's night"
    assert names(30.0) == []
    assert names(44.0) == []
    assert names(20.0, "cooling") == []


CALENDAR = """
[targets.a]
url = "json://x"
[shifts.office]
days = ["mon", "tue", "wed", "thu", "fri"]
hours = ["08:00", "24:00"]
not_on = ["2026-10-01", "2026-10-02"]
also_on = ["2026-10-10"]
[shifts.crew-a]
hours = ["20:00", "08:00"]
cycle = {begins = "2026-10-01", turns = "xx----"}
not_on = ["2026-10-08"]
[[routes]]
name = "office"
shift = "office"
targets = ["a"]
[[routes]]
name = "crew-a"
shift = "crew-a"
targets = ["a"]
"""


@pytest.mark.parametrize(
    ("moment", "on"),
    [
        ("2026-09-30T23:59", ["office"]),  # Wednesday
        ("2026-10-01T12:00", []),  # a holiday
        ("2026-10-01T20:00", ["crew-a"]),  # the crew's first night, holiday or not
        ("2026-10-02T07:59", ["crew-a"]),
        ("2026-10-03T07:59", ["crew-a"]),
        ("2026-10-03T20:00", []),
        ("2026-10-07T21:00", ["office", "crew-a"]),  # its next turn
        ("2026-10-08T21:00", ["office"]),
        ("2026-10-10T09:00", ["office"]),  # a Saturday worked in a holiday's place
        ("2026-10-11T09:00", []),
        ("2026-10-01T07:59", []),  # before the cycle began it ran all the same: day -1 is off
    ],
)
def test_a_shift_calendar_knows_holidays_and_crews_that_take_turns(moment: str, on: list[str]) -> None:
    made = load_notices(CALENDAR, "notices.toml", {})
    local = dt.datetime.fromisoformat(moment).replace(tzinfo=jinma().timezone)
    assert [route.name for route in made.routes_for("low", "storage", "jinma", local)] == on


def test_every_mistake_of_a_calendar_is_named_with_its_line() -> None:
    wrong = (
        CALENDAR.replace('"2026-10-02"]', '"2026-02-30", "2026-10-10"]')
        .replace("xx----", "xy")
        .replace('cycle = {begins = "2026-10-01"', 'days = ["mon"]\ncycle = {begins = "soon"')
    )
    with pytest.raises(NoticeFileError) as caught:
        load_notices(wrong, "notices.toml", {})
    found = [(mistake.line, mistake.text) for mistake in caught.value.mistakes]
    assert {line for line, _ in found} == {7, 8, 11, 12}
    assert any("2026-02-30" in text for _, text in found)


def test_every_mistake_of_the_file_is_named_with_its_line() -> None:
    wrong = """
[targets.a]
url = "json://x"
webhook = "https://x"
secret = "${NOT_SET}"
[targets.b]
webhook = "ftp://x"
secret = "s"
[shifts.night]
days = ["mon", "tues"]
hours = ["20:00", "25:00"]
[[routes]]
name = "all"
priorities = ["urgent"]
targets = ["c"]
cleared = "yes"
shift = "nights"
surprise = 1
"""
    with pytest.raises(NoticeFileError) as caught:
        load_notices(wrong, "notices.toml", {})
    found = {mistake.line: mistake.text for mistake in caught.value.mistakes}
    assert {2, 5, 7, 10, 11, 14, 15, 16, 17, 18} <= found.keys()
    assert "NOT_SET" in found[5]
    assert "did you mean 'tue'" in found[10] or "tues" in found[10]
    with pytest.raises(NoticeFileError, match="line 1"):
        load_notices("[targets", "notices.toml", {})
