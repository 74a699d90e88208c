"""A replay's player in virtual time: pace, jumps, what was played, and the sandbox that touches nothing living."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from api.forecast.runners import InlineRunner
from api.live.told import Told, plan_point, queue_point, told_between
from api.replay.comparison import Compared, Occurrence, compared, limits_today, occurrences_of, standing_at
from api.replay.player import Player, Stage
from api.replay.sandbox_books import LearnedThen, RowsSoFar
from api.replay.tape import Tape, TapeEnd
from station.adapters.memory import MemoryReadings
from station.adapters.memory_journal import MemoryJournal
from station.domain.day_plan import Booking, DayPlan, WaitingTruck
from station.domain.signals import UnitMessage
from station.errors import StoreUnavailableError
from station.ports import JournalEntry
from tests.support.plants import jinma

T0 = 1_795_406_400_000
MINUTE = 60_000
BANK = ("storage", "bank-HB")
HIGH = {"PT-330A": 46.9}
"""Above H = 46 MPa, below HH."""


class Wall:
    """Wall seconds that a test sets."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def store_of_bank(minutes: int = 60, high: tuple[int, int] = (20, 30)) -> MemoryReadings:
    """Return a store in which the high bank speaks each second, above its limit in some of the minutes."""
    store = MemoryReadings()
    said = [
        UnitMessage("jinma", *BANK, T0 + s * 1000, HIGH if high[0] * 60 <= s < high[1] * 60 else {"PT-330A": 44.0})
        for s in range(minutes * 60)
    ]
    store.write(said)
    return store


class Told0:
    """What a player told, by name."""

    def __init__(self) -> None:
        self.events: list[tuple[str, bytes]] = []

    def __call__(self, event: str, data: bytes) -> None:
        self.events.append((event, data))

    def count(self, event: str) -> int:
        return sum(name == event for name, _ in self.events)


def player_of(
    store: MemoryReadings, wall: Wall, *, speed: float | None = None, minutes: int = 60
) -> tuple[Player, Told0]:
    told = Told0()
    tape = Tape(store, jinma(), T0 + minutes * MINUTE)
    stage = Stage(jinma(), "jinma~ab12cd34", tape, T0, [], LearnedThen(), None, told)
    return Player(stage, speed, wall), told


def raised(player: Player) -> list[tuple[str, int]]:
    """Return what was raised of the limit H, in seconds; the scripted bank is stuck besides."""
    rows = player.rows.take_new()
    return [(r.alarm_id, (r.t_ms - T0) // 1000) for r in rows if r.event == "raised" and r.alarm_id == "PT-330A.H"]


def play_out(player: Player) -> None:
    player.play()
    for _ in range(10_000):
        if player.state != "playing":
            return
        player.run(10.0)
    pytest.fail("the replay did not end")


def test_at_full_speed_it_plays_to_the_end_and_raises_what_the_values_say() -> None:
    player, told = player_of(store_of_bank(), Wall())
    player.seek(T0)
    play_out(player)
    assert player.state == "ended"
    assert player.at_ms == T0 + 60 * MINUTE
    assert player.stretches() == [(T0, T0 + 60 * MINUTE)]
    assert raised(player) == [("PT-330A.H", 1215)]
    assert told.count("alarm") > 0
    assert told.count("readings") == 0


def test_single_readings_are_told_only_while_somebody_takes_them() -> None:
    player, told = player_of(store_of_bank(2), Wall(), minutes=2)
    player.seek(T0)
    player.tells_readings = True
    play_out(player)
    assert told.count("readings") == 120


def test_its_pace_is_its_speed_and_a_pause_stands_still() -> None:
    wall = Wall()
    player, _ = player_of(store_of_bank(), wall, speed=60.0)
    player.seek(T0)
    player.play()
    assert player.run(1.0) > 0.0
    for _ in range(10):
        wall.s += 0.1
        player.run(1.0)
    assert player.at_ms == pytest.approx(T0 + MINUTE, abs=100)
    player.pause()
    wall.s += 5.0
    player.play()
    player.run(1.0)
    assert player.at_ms == pytest.approx(T0 + MINUTE, abs=100)
    player.set_speed(0.1)
    wall.s += 1.0
    player.run(1.0)
    assert player.at_ms == pytest.approx(T0 + MINUTE + 100, abs=100)


def test_a_player_that_falls_behind_takes_the_speed_it_reaches() -> None:
    wall = Wall()
    player, _ = player_of(store_of_bank(), wall, speed=60.0)
    player.seek(T0)
    player.play()
    wall.s += 10.0  # a machine that slept
    player.run(1.0)
    reached = player.at_ms
    wall.s += 0.5
    player.run(1.0)
    assert player.at_ms - reached <= 31_000


def test_a_jump_into_an_alarm_knows_its_state_by_the_journal_and_its_values() -> None:
    store, journal = store_of_bank(), MemoryJournal()
    live, _ = player_of(store, Wall())
    live.seek(T0)
    play_out(live)
    journal.append(live.rows.take_new())
    at_ms = T0 + 25 * MINUTE
    player, _ = player_of(store, Wall())
    player.seek(at_ms, standing_at(journal, "jinma", at_ms - MINUTE, {}))
    (alarm,) = [view for view in player.sandbox.alarms.alarms() if view.id == "PT-330A.H"]
    assert alarm.active
    assert alarm.raised_at == T0 + 1_215_000
    assert player.sandbox.latest.get("PT-330A").value == 46.9  # type: ignore[union-attr]
    play_out(player)
    (cleared,) = [row.t_ms for row in player.rows.take_new() if (row.alarm_id, row.event) == ("PT-330A.H", "cleared")]
    assert cleared == T0 + 1_815_000


def test_without_a_journal_an_alarm_that_holds_is_raised_by_the_values_alone() -> None:
    player, _ = player_of(store_of_bank(), Wall())
    player.seek(T0 + 25 * MINUTE)
    assert "PT-330A.H" in {view.id for view in player.sandbox.alarms.alarms()}
    assert raised(player) == []  # of before the moment: no part of what was played


def test_a_step_ahead_lives_through_it_and_a_jump_leaves_it_out() -> None:
    player, _ = player_of(store_of_bank(), Wall())
    player.seek(T0 + 18 * MINUTE)
    player.seek(T0 + 22 * MINUTE)
    assert raised(player) == [("PT-330A.H", 1215)]
    player.seek(T0 + 40 * MINUTE)
    player.seek(T0 + 41 * MINUTE)
    minutes = [((a - T0) // MINUTE, (b - T0) // MINUTE) for a, b in player.stretches()]
    assert minutes == [(18, 22), (40, 41)]
    player.seek(T0 + 20 * MINUTE)
    assert {view.id for view in player.sandbox.alarms.alarms() if view.id == "PT-330A.H"} == set()


def test_what_was_played_is_known_when_it_is_gone_back_to() -> None:
    player, _ = player_of(store_of_bank(), Wall())
    player.seek(T0)
    play_out(player)
    player.seek(T0 + 25 * MINUTE)
    (alarm,) = [view for view in player.sandbox.alarms.alarms() if view.id == "PT-330A.H"]
    assert alarm.raised_at == T0 + 1_215_000
    assert player.state == "paused"


def test_silence_in_the_past_is_found_at_any_speed() -> None:
    store = MemoryReadings()
    store.write([UnitMessage("jinma", *BANK, T0 + s * 1000, {"PT-330A": 44.0}) for s in [*range(60), *range(600, 660)]])
    player, _ = player_of(store, Wall(), minutes=11)
    player.seek(T0)
    play_out(player)
    assert "SYS-SILENT" in {row.alarm_id for row in player.rows.take_new()}


def test_todays_limits_are_those_that_engineers_have_set() -> None:
    journal = MemoryJournal()
    state = {"changed_limit": 48.5, "active": False}
    journal.append([JournalEntry("jinma", "PT-330A.H", "", "limit", T0, T0, "eva", detail={"state": state})])
    limits = limits_today(journal, "jinma")
    assert limits == {"PT-330A.H": 48.5}
    player, _ = player_of(store_of_bank(), Wall())
    player.seek(T0, standing_at(journal, "jinma", T0 - MINUTE, limits))
    play_out(player)
    assert raised(player) == []


def test_what_people_did_then_is_no_part_of_a_replay() -> None:
    journal = MemoryJournal()
    shelved = {"shelved_until_ms": T0 + 8 * 3_600_000, "shelved_by": "li", "active": True, "acked": True}
    journal.append([JournalEntry("jinma", "PT-330A.H", "o", "shelved", T0, T0, "li", detail={"state": shelved})])
    (row,) = standing_at(journal, "jinma", T0 + 1, {})
    assert row.detail["state"] == {"active": True, "acked": False}


def test_plans_and_queues_come_back_out_of_the_store_with_the_readings() -> None:
    plant, store = jinma(), store_of_bank(2)
    day = plant.day_of(dt.datetime.fromtimestamp(T0 / 1000, dt.UTC))
    plan = DayPlan(day, (Booking("A-1", T0 + 3_600_000, 40.0),), (), "put")
    waiting = (WaitingTruck("A-1", T0 + 10_000, 40.0),)
    store.write_points([plan_point("jinma", plan, T0 + 5_500), queue_point("jinma", waiting, T0 + 30_500)])
    assert told_between(store, plant, T0, T0 + MINUTE) == [
        Told(T0 + 5_500, plan=plan), Told(T0 + 30_500, waiting=waiting),
    ]  # fmt: skip
    tape = Tape(store, plant, T0 + 2 * MINUTE)
    items = list(tape.items(T0))
    times = [item.t_ms for item in items]
    assert times == sorted(times)
    assert isinstance(items[-1], TapeEnd)
    assert sum(isinstance(item, Told) for item in items) == 2
    assert tape.told_before(T0 + MINUTE) == [Told(T0 + 5_500, plan=plan), Told(T0 + 30_500, waiting=waiting)]


def test_forecasts_are_made_anew_and_those_of_before_a_jump_are_dropped() -> None:
    told = Told0()
    runner = InlineRunner(jinma(), 2)
    tape = Tape(store_of_bank(20), jinma(), T0 + 20 * MINUTE)
    player = Player(Stage(jinma(), "jinma~ab12cd34", tape, T0, [], LearnedThen(), runner, told), None, Wall())
    player.seek(T0)
    play_out(player)
    made = told.count("capacity")
    assert made >= 3
    assert all(b'"station":"jinma~ab12cd34"' in data for name, data in told.events if name in {"capacity", "alarm"})


# Then and now


def once(alarm: str, raised_s: int, cleared_s: int | None, priority: str = "medium") -> Occurrence:
    return Occurrence(alarm, raised_s * 1000, None if cleared_s is None else cleared_s * 1000, priority, True)


def test_then_and_now_are_paired_by_moment_or_by_time_together() -> None:
    then = [once("A.H", 10, 20), once("B.H", 10, 20), once("C.H", 10, 20), once("D.H", 500, 510)]
    now = [once("A.H", 10, 20), once("B.H", 12, 20), once("E.H", 30, None), once("F.H", 700, 710)]
    pairs = compared(then, now, [(0, 100_000)])
    assert [(pair.alarm_id, pair.verdict) for pair in pairs] == [
        ("A.H", "same"), ("B.H", "changed"), ("C.H", "only_then"), ("E.H", "only_now"), ("D.H", "not_played"),
    ]  # fmt: skip
    assert pairs[1] == Compared("B.H", "changed", then[1], now[1])


def test_rows_of_a_stretch_that_is_played_twice_count_once() -> None:
    rows = RowsSoFar()
    state = {"state": {"raised_ms": 5, "announced": True, "active": True}}
    row = JournalEntry("jinma", "A.H", "A.H@5", "raised", 5, 0, "system", detail=state)
    rows.add([row])
    rows.add([row])
    assert rows.before(5) == [row]
    assert rows.before(4) == []
    assert occurrences_of([row, row], 0, 10) == [Occurrence("A.H", 5, None, "low", False)]


class Torn(MemoryReadings):
    """A store that goes away after some messages, and comes back."""

    left = 600

    def messages(self, station: str, start_ms: int, end_ms: int) -> Iterator[UnitMessage]:
        for message in super().messages(station, start_ms, end_ms):
            if self.left == 0:
                self.left = 1 << 40
                raise StoreUnavailableError("the store is away")
            self.left -= 1
            yield message


def test_a_replay_whose_store_goes_away_stands_still_and_goes_on_from_there() -> None:
    store = Torn()
    store.write([UnitMessage("jinma", *BANK, T0 + s * 1000, {"PT-330A": 44.0}) for s in range(1200)])
    player, _ = player_of(store, Wall(), minutes=20)
    player.seek(T0)
    player.play()
    with pytest.raises(StoreUnavailableError):
        player.run(10.0)
    assert player.at_ms == T0 + 599_000
    player.pause()
    play_out(player)
    assert player.state == "ended"
    assert player.stretches() == [(T0, T0 + 1_200_000)]


def test_a_silence_of_days_is_passed_and_lets_itself_be_interrupted() -> None:
    store, wall = MemoryReadings(), Wall()
    store.write(
        [UnitMessage("jinma", *BANK, T0 + s * 1000, {"PT-330A": 44.0}) for s in (*range(60), *range(86_400, 86_460))]
    )
    player, _ = player_of(store, wall, minutes=1441)
    player.seek(T0)
    player.play()
    player._monotonic = iter(
        range(10**6)
    ).__next__  # every look at the clock is a second later: each slice is up at once
    player.run(0.5)
    assert T0 < player.at_ms < T0 + 86_400_000
    player._monotonic = wall
    play_out(player)
    silent = [row for row in player.rows.take_new() if row.alarm_id == "SYS-SILENT"]
    assert [row.event for row in silent][:2] == ["raised", "cleared"]
    assert silent[0].t_ms - T0 < 120_000
