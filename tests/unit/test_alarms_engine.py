"""The alarm engine as a timeline: values in, alarms and journal out."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.alarms.engine import AlarmEngine
from station.adapters.memory_journal import MemoryJournal
from station.domain.alarm_views import alarm_view_json
from station.domain.alarms import AlarmStateError, UnknownAlarmError
from station.domain.plant import Suppression, Text
from station.domain.signals import Kind, Reading, UnitMessage
from station.errors import JournalUnavailableError
from station.ports import JournalEntry
from tests.support.alarm_timeline import START_MS, STATION, Timeline, ms, signal, spec, station
from tests.support.plants import jinma

HIGH = spec("H", 40.0, on_s=15, off_s=5, deadband=1.0)
GAS = spec("HH", 25.0, priority="critical", latched=True, safety=True)
STALE = spec("STALE", off_s=30)
BAD = spec("BAD", on_s=2)
ONE = station([signal("PT-1", "bank", HIGH)])


def test_an_alarm_from_raise_to_normal() -> None:
    line = Timeline(ONE)
    line.hold(0, 10, {"PT-1": 30.0})
    line.hold(10, 25, {"PT-1": 41.0})
    assert line.events() == []
    line.hold(25, 30, {"PT-1": 41.0})
    assert line.state("PT-1.H") == "UNACK"
    line.engine.acknowledge("PT-1.H", "Wang", "seen", ms(30))
    assert line.state("PT-1.H") == "ACKED"
    line.hold(30, 40, {"PT-1": 30.0})
    assert line.state("PT-1.H") == "NORM"
    assert line.events("PT-1.H") == [("raised", 25), ("acked", 30), ("cleared", 35)]
    assert [view.state for view in line.engine.take_changes()] == ["UNACK", "ACKED", "NORM"]
    assert line.engine.take_changes() == []


def test_a_view_has_the_fields_of_the_contract() -> None:
    line = Timeline(ONE)
    line.push(0, {"PT-1": 41.0})
    line.wait(16)
    assert alarm_view_json(line.engine.alarm("PT-1.H")) == {
        "id": "PT-1.H",
        "occurrence": f"PT-1.H@{START_MS + 15_000}",
        "station": STATION,
        "signal": "PT-1",
        "condition": "H",
        "priority": "low",
        "state": "UNACK",
        "active": True,
        "acked": False,
        "latched": False,
        "late": False,
        "shelved_until": None,
        "raised_at": "2026-11-23T10:40:15.000Z",
        "acked_at": None,
        "acked_by": None,
        "cleared_at": None,
        "value": 41.0,
        "limit": 40.0,
        "first_out": True,
        "group": "storage/bank",
        "text": {"en": "H", "zh": "H"},
        "cause": {"en": "", "zh": ""},
        "consequence": {"en": "", "zh": ""},
        "action": {"en": "", "zh": ""},
        "safety": False,
        "out_of_service_by": None,
        "out_of_service_until": None,
        "out_of_service_asked_by": None,
    }


def test_chatter_around_the_limit_is_one_alarm() -> None:
    line = Timeline(ONE)
    for at in range(300):
        line.push(at, {"PT-1": 40.3 if at % 2 else 39.7})
    assert line.events() == [("raised", 16)]


def test_a_returned_alarm_waits_for_its_acknowledgement_and_may_come_again() -> None:
    line = Timeline(ONE)
    line.hold(0, 20, {"PT-1": 41.0})
    line.hold(20, 40, {"PT-1": 30.0})
    assert line.state("PT-1.H") == "RTNUN"
    first = line.engine.alarm("PT-1.H").occurrence
    line.hold(40, 60, {"PT-1": 41.0})
    assert line.state("PT-1.H") == "UNACK"
    assert line.engine.alarm("PT-1.H").occurrence != first


def test_other_stations_and_replays_are_not_heard() -> None:
    line = Timeline(ONE)
    for name in ("jinma", f"{STATION}~ab12cd34"):
        for at in range(0, 30_000, 1000):
            line.engine.observe(UnitMessage(name, "storage", "bank", START_MS + at, {"PT-1": 99.0}))
    assert line.events() == []
    replay = AlarmEngine(ONE, MemoryJournal(), wall_ms=lambda: 0, accept_station=f"{STATION}~ab12cd34")
    for at in range(0, 30_000, 1000):
        replay.observe(UnitMessage(f"{STATION}~ab12cd34", "storage", "bank", START_MS + at, {"PT-1": 99.0}))
    assert [view.station for view in replay.alarms()] == [f"{STATION}~ab12cd34"]


def test_unknown_units_and_tags_do_no_harm() -> None:
    line = Timeline(ONE)
    line.engine.observe(UnitMessage(STATION, "storage", "no-unit", START_MS, {"PT-1": 99.0}))
    line.engine.observe(UnitMessage(STATION, "storage", "bank", START_MS + 1, {"PT-9": 99.0}))
    assert line.listed() == {}
    with pytest.raises(UnknownAlarmError, match=r"PT-9\.H"):
        line.engine.alarm("PT-9.H")


# Bad values


def test_a_bad_value_is_its_own_alarm_and_freezes_the_limits() -> None:
    line = Timeline(station([signal("PT-1", "bank", HIGH, BAD)]))
    line.hold(0, 20, {"PT-1": 41.0})
    line.hold(20, 60, {"PT-1": None})
    assert line.listed() == {"PT-1.H": "UNACK", "PT-1.BAD": "UNACK"}
    line.push(60, {"PT-1": 50.0}, quality={"PT-1": "bad:range"})
    assert line.state("PT-1.BAD") == "UNACK"
    line.hold(61, 80, {"PT-1": 30.0})
    assert line.events() == [("raised", 15), ("raised", 22), ("cleared", 61), ("cleared", 66)]


def test_an_uncertain_value_counts() -> None:
    line = Timeline(station([signal("PT-1", "bank", HIGH, BAD)]))
    for at in range(20):
        line.push(at, {"PT-1": 41.0}, quality={"PT-1": "uncertain:drift"})
    assert line.listed() == {"PT-1.H": "UNACK"}


# States


def test_a_worse_state_escalates_within_the_occurrence() -> None:
    states = spec("STATE", priority="high", states=((6, "medium"), (7, "high")))
    line = Timeline(station([signal("XS-518A", "hose", states, kind=Kind.STATE)]))
    line.push(1, {"XS-518A": 3.0})
    line.push(2, {"XS-518A": 6.0})
    assert line.engine.alarm("XS-518A.STATE").priority == "medium"
    line.engine.acknowledge("XS-518A.STATE", "Wang", "", ms(3))
    line.push(4, {"XS-518A": 7.0})
    view = line.engine.alarm("XS-518A.STATE")
    assert (view.priority, view.state) == ("high", "UNACK")
    line.push(5, {"XS-518A": 6.0})
    line.push(6, {"XS-518A": 0.0})
    assert line.events() == [("raised", 2), ("acked", 3), ("escalated", 4), ("cleared", 6)]


# Late and wrong clocks


def test_old_data_neither_raises_nor_clears() -> None:
    line = Timeline(station([signal("PT-1", "bank", spec("H", 40.0), STALE)]))
    line.push(100, {"PT-1": 41.0}, seq=10, boot="a")
    assert line.state("PT-1.H") == "UNACK"
    line.push(50, {"PT-1": 1.0}, seq=5, boot="a", now_s=101)
    assert line.state("PT-1.H") == "UNACK"
    line.push(102, {"PT-1": 1.0}, seq=11, boot="a")
    line.push(51, {"PT-1": 99.0}, seq=6, boot="a", now_s=103)
    assert line.state("PT-1.H") == "RTNUN"


def test_conditions_in_late_data_are_journalled_once_a_stretch_and_listed_without_horn() -> None:
    line = Timeline(station([signal("PT-1", "bank", spec("H", 40.0))]), at_s=100)
    line.push(100, {"PT-1": 1.0})
    for at in (50, 51, 52):
        line.push(at, {"PT-1": 45.0}, now_s=101)
    line.push(53, {"PT-1": 1.0}, now_s=101)
    line.push(54, {"PT-1": 46.0}, now_s=101)
    assert line.events() == [("late", 50), ("late", 54)]
    assert [(v.late, v.active, v.state, v.value) for v in line.engine.take_changes()] == [
        (True, False, "NORM", 45.0),
        (True, False, "NORM", 46.0),
    ]
    assert line.listed() == {}


def test_a_backlog_that_comes_in_order_is_late_too() -> None:
    line = Timeline(station([signal("PT-1", "bank", spec("H", 40.0))]))
    line.hold(0, 100, {"PT-1": 1.0})
    line.wait(1000)
    for at in range(100, 900, 10):
        line.push(at, {"PT-1": 45.0}, now_s=1000)
    assert line.state("PT-1.H") == "NORM"
    line.push(1001, {"PT-1": 45.0})
    assert line.events("PT-1.H") == [("late", 100), ("raised", 1001)]


def test_the_same_message_twice_is_nothing_new() -> None:
    line = Timeline(station([signal("PT-1", "bank", spec("H", 40.0))]))
    for _ in range(3):
        line.push(10, {"PT-1": 45.0}, seq=1, boot="a")
    assert line.events() == [("raised", 10)]


def test_a_clock_set_back_mutes_no_limit() -> None:
    line = Timeline(station([signal("PT-1", "bank", spec("H", 40.0))]))
    for at in range(100):
        line.push(1000 + at, {"PT-1": 1.0}, seq=at, boot="a")
    line.push(400, {"PT-1": 45.0}, seq=100, boot="a", now_s=1100)
    assert line.events("PT-1.H") == [("raised", 400)]
    for at in range(1, 30):
        line.push(400 + at, {"PT-1": 1.0 if at > 5 else 45.0}, seq=100 + at, boot="a", now_s=1100 + at)
    assert line.events("PT-1.H") == [("raised", 400), ("cleared", 406)]


def test_a_restarted_device_with_a_wrong_clock_is_heard() -> None:
    line = Timeline(station([signal("PT-1", "bank", spec("H", 40.0))]))
    line.push(1000, {"PT-1": 1.0}, seq=900, boot="a")
    line.push(10, {"PT-1": 45.0}, seq=0, boot="b", now_s=1001)
    assert line.state("PT-1.H") == "UNACK"


def test_a_plain_device_with_its_clock_set_back_is_believed_after_a_minute() -> None:
    line = Timeline(station([signal("PT-1", "bank", spec("H", 40.0))]))
    line.hold(1000, 1100, {"PT-1": 1.0})
    for at in range(90):
        line.push(400 + at, {"PT-1": 45.0}, now_s=1100 + at)
    assert line.state("PT-1.H") == "UNACK"


def test_a_clock_that_was_always_wrong_mutes_no_limit_and_is_not_stale() -> None:
    plant = station([signal("PT-1", "bank", spec("H", 40.0, on_s=3), STALE), signal("PT-2", "other", STALE)])
    line = Timeline(plant, at_s=0)
    for at in range(300):
        line.push(at - 600, {"PT-1": 1.0 if at < 200 else 45.0}, now_s=at)
        line.push(at, {"PT-2": 1.0})
    assert line.state("PT-1.H") == "UNACK"
    assert line.state("PT-1.STALE") == "NORM"


def _after_an_outage(per_second: int) -> Timeline:
    """Let both gateways be cut off for ten minutes, then give what they kept, a few seconds of it each second."""
    stuck = spec("STUCK")
    signals = [signal("PT-1", "plc", spec("H", 40.0), dataclasses.replace(stuck, over=dt.timedelta(seconds=60)), STALE)]
    line = Timeline(station([*signals, signal("XH-1", "edge", spec("H", 15.0), STALE)], heartbeats={"plc": "XH-1"}))
    for at in range(100):
        line.push(at, {"PT-1": 1.0 + at % 2})
        line.push(at, {"XH-1": 0.0})
    line.wait(700)
    kept, now = 100, 700
    while now - kept > 1:
        for at in range(kept, min(kept + per_second, now)):
            high = 300 <= at < 400
            line.push(at, {"PT-1": 45.0 if high else 1.0 + at % 2}, now_s=now)
            line.push(at, {"XH-1": float(at - 100)}, now_s=now)
        kept, now = min(kept + per_second, now), now + 1
    for at in range(now, now + 200):
        line.push(at, {"PT-1": 1.0 + at % 2})
        line.push(at, {"XH-1": 0.0})
    return line


@pytest.mark.parametrize("per_second", [600, 20, 5])
def test_what_gateways_kept_during_an_outage_raises_nothing_however_slowly_it_comes(per_second: int) -> None:
    line = _after_an_outage(per_second)
    assert line.raised() == ["SYS-SILENT"]
    assert [event for event, _ in line.events("PT-1.H")] == ["late"], "but it is in the journal"
    assert line.listed() == {"SYS-SILENT": "RTNUN"}


def test_a_clock_that_is_right_again_silences_nobody() -> None:
    line = Timeline(station([signal("PT-1", "plc", STALE), signal("PT-2", "edge", STALE)]))
    for at in range(600):
        wrong = 30 if 100 <= at < 400 else 0
        line.push(at - wrong, {"PT-1": 1.0}, seq=at, boot="a", now_s=at)
        line.push(at, {"PT-2": 1.0})
    assert line.raised() == []


def test_a_queue_that_was_long_and_becomes_short_is_no_clock_that_is_set() -> None:
    line = Timeline(station([signal("PT-1", "plc", spec("H", 40.0), STALE)]))
    for now in range(200):
        # Eight seconds late for two minutes, long enough to be taken for a clock; then the queue is worked off at once.
        for at in range(112, 121) if now == 120 else [now - 8 if now < 120 else now]:
            line.push(at, {"PT-1": 45.0 if at in (114, 117, 125) else 1.0}, now_s=now)
    assert line.events("PT-1.H") == [
        ("raised", 114), ("cleared", 115), ("raised", 117), ("cleared", 118), ("raised", 125), ("cleared", 126),
    ]  # fmt: skip
    assert line.raised() == ["PT-1.H"] * 3


def test_of_two_that_began_together_the_one_that_sums_up_is_the_consequence() -> None:
    level = signal("XS-1", "esd", spec("STATE", priority="critical", states=((1, "critical"),)), kind=Kind.STATE)
    button = signal("HS-1", "esd", spec("HH", 1.0, priority="critical"))
    line = Timeline(station([level, button, FLOW], [_rule(states=(1,), on_none=False)]))
    line.push(1, {"XS-1": 0.0, "HS-1": 0.0})
    line.push(2, {"XS-1": 1.0, "HS-1": 1.0})
    assert line.engine.alarm("HS-1.HH").first_out
    assert not line.engine.alarm("XS-1.STATE").first_out


# Silence


def test_a_silent_signal_is_stale_and_only_its_own_fresh_value_ends_it() -> None:
    line = Timeline(station([signal("PT-1", "bank", STALE), signal("PT-2", "bank", STALE)]))
    line.push(0, {"PT-1": 1.0})
    line.hold(0.5, 40.5, {"PT-2": 1.0})
    assert line.listed() == {"PT-1.STALE": "UNACK"}
    line.push(5, {"PT-1": 1.0}, now_s=41)
    assert line.state("PT-1.STALE") == "UNACK"
    for at in range(42, 80):
        line.push(at, {"PT-1": 1.0, "PT-2": 1.0})
    assert line.events() == [("raised", 15), ("cleared", 72)]


def test_a_signal_never_seen_is_stale_counted_from_the_start() -> None:
    line = Timeline(station([signal("PT-1", "bank", STALE), signal("PT-2", "bank", STALE)]), at_s=100)
    line.hold(100, 130, {"PT-2": 1.0})
    assert line.events() == [("raised", 115)]


def _two_gateways() -> Timeline:
    signals = [signal(f"A-{n}", "plc", STALE, rate_s=rate) for n, rate in enumerate((1, 1, 5, 60))]
    signals += [signal(f"B-{n}", "edge", STALE, rate_s=1) for n in range(2)]
    signals += [signal("XH-1", "edge", spec("H", 15.0), STALE, rate_s=1)]
    line = Timeline(station(signals, heartbeats={"plc": "XH-1"}))
    for at in range(60):
        line.push(
            at, {"A-0": 1.0, "A-1": 1.0} | ({"A-2": 1.0} if at % 5 == 4 else {}) | ({"A-3": 1.0} if at == 9 else {})
        )
        line.push(at, {"B-0": 1.0, "B-1": 1.0, "XH-1": 1.0})
    assert line.listed() == {}
    return line


def test_a_silent_gateway_is_one_alarm() -> None:
    line = _two_gateways()
    for at in range(60, 300):
        line.push(at, {"B-0": 1.0, "B-1": 1.0, "XH-1": float(at - 59)})
    assert line.raised() == ["SYS-GATEWAY-plc"]
    assert line.events("SYS-GATEWAY-plc") == [("raised", 74)]
    assert line.state("XH-1.H") == "SUPPRESSED"
    for at in range(300, 340):
        line.push(at, {"A-0": 1.0, "A-1": 1.0})
        line.push(at, {"B-0": 1.0, "B-1": 1.0, "XH-1": 1.0})
    assert line.events("SYS-GATEWAY-plc") == [("raised", 74), ("cleared", 330)]
    assert line.raised() == ["SYS-GATEWAY-plc", "A-2.STALE"], "what stays silent when the gateway is back is its own"


def test_a_silent_station_is_one_alarm() -> None:
    line = _two_gateways()
    line.wait(1000)
    assert line.raised() == ["SYS-SILENT"]
    for at in range(1000, 1040):
        line.push(at, {"A-0": 1.0, "A-1": 1.0, "A-2": 1.0, "A-3": 1.0})
        line.push(at, {"B-0": 1.0, "B-1": 1.0, "XH-1": 1.0})
    assert line.raised() == ["SYS-SILENT"]
    assert line.events("SYS-SILENT") == [("raised", 74), ("cleared", 1030)]


def test_a_station_that_comes_back_without_one_gateway() -> None:
    line = _two_gateways()
    line.wait(200)
    for at in range(200, 260):
        line.push(at, {"B-0": 1.0, "B-1": 1.0, "XH-1": 1.0})
    assert line.raised() == ["SYS-SILENT", "SYS-GATEWAY-plc"]
    assert line.events("SYS-GATEWAY-plc") == [("raised", 215)]


def test_303_signals_gone_silent_are_one_alarm() -> None:
    plant = jinma()
    engine = AlarmEngine(plant, journal := MemoryJournal(), wall_ms=lambda: START_MS)
    engine.advance(START_MS)
    for unit in plant.units.values():
        values = {tag: (plant.signals[tag].normal_lo + plant.signals[tag].normal_hi) / 2 for tag in unit.tags}
        whole = {tag: float(int(v)) if plant.signals[tag].kind.is_discrete else v for tag, v in values.items()}
        engine.observe(UnitMessage(plant.id, unit.area, unit.name, START_MS + 500, whole))
    before = len(journal.entries(plant.id, 0, 1 << 60))
    for at in range(1, 1800):
        engine.advance(START_MS + at * 1000)
    rows = [entry for _, entry in journal.entries(plant.id, 0, 1 << 60)[before:]]
    assert [row.alarm_id for row in rows if row.event == "raised" and "STALE" in row.alarm_id] == []
    assert [row.alarm_id for row in rows if row.alarm_id.startswith("SYS-")] == ["SYS-SILENT"]


def test_station_time_set_back_goes_on_from_there() -> None:
    line = Timeline(station([signal("PT-1", "bank", spec("H", 40.0), STALE)]), at_s=1_000_000)
    line.push(1_000_000, {"PT-1": 1.0})
    line.engine.advance(ms(10))
    line.push(11, {"PT-1": 45.0})
    assert line.state("PT-1.H") == "UNACK"
    line.wait(60)
    assert line.state("SYS-SILENT") == "UNACK"


def test_a_clock_that_is_set_before_the_first_message_is_no_silence() -> None:
    line = Timeline(station([signal("PT-1", "bank", spec("H", 40.0), STALE)]))
    for at in (1_000_000, 1_000_001):
        line.engine.advance(ms(at))
    line.push(1_000_002, {"PT-1": 1.0})
    assert line.events() == []
    line.wait(1_000_030)
    assert line.raised() == ["SYS-SILENT"]


# Suppression by design

STATE = signal("XS-1", "train", rate_s=60, kind=Kind.STATE)
FLOW = signal("FT-1", "train", spec("L", 10.0, on_s=15, off_s=5), STALE)
GASSED = signal("AT-1", "train", GAS)


def _rule(**changes: object) -> Suppression:
    row: dict[str, object] = {
        "name": "stopped",
        "signal": "XS-1",
        "states": (0,),
        "tags": ("FT-1",),
        "conditions": ("L",),
        "hold": dt.timedelta(seconds=30),
        "on_none": True,
    }
    return Suppression(**(row | changes))  # type: ignore[arg-type]


def test_a_stopped_train_has_no_low_flow_alarm() -> None:
    line = Timeline(station([STATE, FLOW], [_rule()]))
    line.push(0, {"XS-1": 0.0, "FT-1": 0.0})
    line.hold(1, 100, {"FT-1": 0.0})
    assert line.state("FT-1.L") == "SUPPRESSED"
    assert line.listed() == {"FT-1.L": "SUPPRESSED"}
    line.push(100, {"XS-1": 2.0, "FT-1": 0.0})
    line.hold(101, 120, {"FT-1": 5.0})
    line.hold(120, 200, {"FT-1": 60.0})
    assert line.raised() == []
    assert line.listed() == {}


def test_what_still_holds_after_the_hold_counts_its_whole_on_delay() -> None:
    line = Timeline(station([STATE, FLOW], [_rule()]))
    line.push(0, {"XS-1": 0.0, "FT-1": 0.0})
    line.hold(1, 100, {"FT-1": 0.0})
    line.push(100, {"XS-1": 2.0, "FT-1": 0.0})
    line.hold(101, 160, {"FT-1": 0.0})
    assert line.raised() == ["FT-1.L"]
    assert line.events("FT-1.L")[-2:] == [("cleared_unseen", 130), ("raised", 145)]


def test_an_alarm_in_sight_stays_the_same_occurrence_under_suppression() -> None:
    line = Timeline(station([STATE, FLOW], [_rule(hold=dt.timedelta())]))
    line.push(0, {"XS-1": 2.0, "FT-1": 0.0})
    line.hold(1, 30, {"FT-1": 0.0})
    occurrence = line.engine.alarm("FT-1.L").occurrence
    line.push(30, {"XS-1": 0.0})
    assert line.state("FT-1.L") == "SUPPRESSED"
    line.push(60, {"XS-1": 2.0})
    assert line.state("FT-1.L") == "UNACK"
    assert line.engine.alarm("FT-1.L").occurrence == occurrence
    assert [event for event, _ in line.events("FT-1.L")] == ["raised", "suppressed", "unsuppressed"]


def test_before_the_state_is_known_all_but_safety_alarms_wait() -> None:
    plant = station([STATE, FLOW, GASSED], [_rule(tags=("FT-1", "AT-1"), conditions=())])
    line = Timeline(plant)
    line.hold(0, 100, {"FT-1": 0.0, "AT-1": 30.0})
    assert line.raised() == ["AT-1.HH"]
    line.hold(100, 300, {"FT-1": 0.0, "AT-1": 30.0})
    assert line.raised() == ["AT-1.HH", "FT-1.L"], "an unknown state hides for three periods at most"
    assert line.events("FT-1.L")[-1] == ("raised", 195)


def test_without_on_none_an_unknown_state_hides_nothing() -> None:
    line = Timeline(station([STATE, FLOW], [_rule(on_none=False)]))
    line.hold(0, 30, {"FT-1": 0.0})
    assert line.raised() == ["FT-1.L"]


def test_a_state_primed_from_the_store_hides_at_once() -> None:
    engine = AlarmEngine(
        station([STATE, FLOW], [_rule(on_none=False)]), MemoryJournal(), wall_ms=lambda: 0, accept_station=STATION
    )
    engine.prime([Reading("XS-1", START_MS - 50_000, 0.0), Reading("FT-1", START_MS, 0.0), Reading("XX", 1, None)])
    engine.advance(START_MS)
    assert engine.alarm("FT-1.L").state == "SUPPRESSED"
    assert engine.alarms() == []


def test_silence_that_was_meant_is_not_counted_afterwards() -> None:
    line = Timeline(station([STATE, FLOW], [_rule(conditions=("STALE",), hold=dt.timedelta(seconds=10))]))
    line.push(0, {"XS-1": 0.0})
    line.hold(1, 300, {"XS-1": 0.0}, step_s=5)
    line.hold(300, 320, {"XS-1": 2.0})
    line.hold(320, 340, {"FT-1": 50.0, "XS-1": 2.0})
    assert line.raised() == []
    line.hold(340, 400, {"XS-1": 2.0})
    assert line.raised() == ["FT-1.STALE"]


# Groups


def test_the_earliest_of_a_group_is_the_first_out() -> None:
    plant = station([signal("PT-1", "train", spec("H", 40.0, on_s=3)), signal("XS-2", "train", spec("H", 1.0))])
    line = Timeline(plant)
    line.push(9, {"PT-1": 1.0, "XS-2": 0.0})
    line.push(10, {"PT-1": 45.0})
    line.push(11, {"XS-2": 1.0})
    assert line.engine.alarm("XS-2.H").first_out
    line.hold(11.5, 14, {"PT-1": 45.0}, step_s=0.5)
    assert line.engine.alarm("PT-1.H").first_out
    assert not line.engine.alarm("XS-2.H").first_out
    assert [event for event, _ in line.events("XS-2.H")] == ["raised", "first_out_lost"]


def test_what_begins_later_than_the_window_is_a_first_of_its_own() -> None:
    plant = station([signal("PT-1", "train", spec("H", 40.0)), signal("PT-2", "train", spec("H", 40.0))])
    line = Timeline(plant)
    line.push(10, {"PT-1": 45.0, "PT-2": 1.0})
    line.push(13, {"PT-2": 45.0})
    assert line.engine.alarm("PT-1.H").first_out
    assert line.engine.alarm("PT-2.H").first_out


# The desk


def test_a_shelf_ends_by_itself_and_what_is_there_then_is_shown() -> None:
    line = Timeline(ONE)
    line.push(0, {"PT-1": 1.0})
    line.engine.shelve("PT-1.H", "Wang", dt.timedelta(minutes=5), "gauge under test", ms(1))
    assert line.listed() == {"PT-1.H": "SHELVED"}
    line.hold(2, 301, {"PT-1": 45.0})
    assert line.state("PT-1.H") == "SHELVED"
    assert line.raised() == []
    line.hold(301, 304, {"PT-1": 45.0})
    assert line.state("PT-1.H") == "UNACK"
    assert line.events("PT-1.H") == [("shelved", 1), ("raised", 17), ("unshelved", 301)]


def test_acts_want_reasons_and_known_alarms() -> None:
    line = Timeline(ONE)
    with pytest.raises(AlarmStateError, match="reason"):
        line.engine.shelve("PT-1.H", "Wang", dt.timedelta(minutes=5), "  ", ms(1))
    with pytest.raises(UnknownAlarmError):
        line.engine.acknowledge("PT-7.H", "Wang", "", ms(1))
    with pytest.raises(AlarmStateError, match="not shelved"):
        line.engine.unshelve("PT-1.H", "Wang", ms(1))


def test_two_people_take_a_gas_alarm_out_of_service_and_time_brings_it_back() -> None:
    line = Timeline(station([signal("AT-1", "canopy", GAS)]))
    line.push(0, {"AT-1": 1.0})
    asked = line.engine.out_of_service("AT-1.HH", "Wang", "permit 17", ms(600), ms(1))
    assert (asked.pending, asked.alarm.state) == (True, "NORM")
    given = line.engine.out_of_service("AT-1.HH", "Li", "permit 17", ms(600), ms(100))
    assert (given.pending, given.alarm.state) == (False, "OUT_OF_SERVICE")
    line.hold(101, 700, {"AT-1": 30.0})
    assert line.state("AT-1.HH") == "UNACK"
    assert [event for event, _ in line.events("AT-1.HH")] == [
        "out_of_service_asked",
        "out_of_service",
        "raised",
        "returned_to_service",
    ]


def test_a_wish_without_a_second_person_lapses() -> None:
    line = Timeline(station([signal("AT-1", "canopy", GAS)]))
    line.engine.out_of_service("AT-1.HH", "Wang", "permit 17", None, ms(0))
    line.wait(901)
    assert line.events("AT-1.HH")[-1][0] == "out_of_service_lapsed"
    assert line.engine.out_of_service("AT-1.HH", "Li", "permit 17", None, ms(902)).pending
    line.engine.return_to_service("AT-1.HH", "Li", "", ms(903))
    with pytest.raises(AlarmStateError, match="in service"):
        line.engine.return_to_service("AT-1.HH", "Li", "", ms(904))


def test_a_latched_alarm_end_to_end() -> None:
    line = Timeline(station([signal("AT-1", "canopy", GAS)]))
    line.push(1, {"AT-1": 26.0})
    line.push(2, {"AT-1": 1.0})
    view = line.engine.alarm("AT-1.HH")
    assert (view.state, view.acked, view.latched, view.active) == ("LATCHED", False, True, False)
    with pytest.raises(AlarmStateError, match="acknowledge"):
        line.engine.reset("AT-1.HH", "Wang", "", ms(3))
    line.engine.acknowledge("AT-1.HH", "Wang", "", ms(3))
    assert line.engine.reset("AT-1.HH", "Wang", "aired", ms(4)).state == "NORM"


# Reports


def test_a_capacity_alert_escalates_renews_its_words_and_clears() -> None:
    line = Timeline(station([signal("PT-1", "bank")], capacity={"CAP-SHORT": spec("CAP-SHORT", 40.0, priority="high")}))
    report, said = line.engine.report, Text("short of 300 kg", "缺 300 公斤")
    report("CAP-SHORT", active=True, at_ms=ms(300), priority="high", value=300.0, limit=40.0, text=said)
    assert line.engine.alarm("CAP-SHORT").text == said
    line.engine.acknowledge("CAP-SHORT", "Wang", "", ms(310))
    line.engine.take_changes()
    more = Text("short of 350 kg", "缺 350 公斤")
    report("CAP-SHORT", active=True, at_ms=ms(600), priority="high", value=350.0, limit=40.0, text=more)
    report("CAP-SHORT", active=True, at_ms=ms(600), priority="high", value=350.0, limit=40.0, text=more)
    [view] = line.engine.take_changes()
    assert (view.text, view.value, view.state) == (more, 350.0, "ACKED")
    report("CAP-SHORT", active=True, at_ms=ms(900), priority="critical", value=400.0, text=said)
    assert line.state("CAP-SHORT") == "UNACK"
    report("CAP-SHORT", active=False, at_ms=ms(500), priority="high")
    assert line.engine.alarm("CAP-SHORT").active, "older than the last report"
    report("CAP-SHORT", active=True, at_ms=ms(1000), priority="medium", value=400.0, text=said)
    assert line.engine.alarm("CAP-SHORT").priority == "critical"
    report("CAP-SHORT", active=False, at_ms=ms(1200))
    assert line.events("CAP-SHORT") == [("raised", 300), ("acked", 310), ("escalated", 900), ("cleared", 1200)]
    with pytest.raises(UnknownAlarmError):
        report("CAP-NONE", active=True, at_ms=0)


# The journal


class Unruly(MemoryJournal):
    """A journal that can be told to fail, and lets a test look around while it commits."""

    def __init__(self) -> None:
        super().__init__()
        self.fails = False
        self.look: list[object] = []
        self.engine: AlarmEngine | None = None

    def append(self, entries: Sequence[JournalEntry]) -> None:
        if self.fails:
            raise JournalUnavailableError("disk full")
        if self.engine is not None:
            engine = self.engine
            looker = threading.Thread(target=lambda: self.look.append(len(engine.take_changes())), daemon=True)
            looker.start()
            looker.join(0.05)
            assert looker.is_alive(), "what is not yet journalled can be seen"
        super().append(entries)


def test_nothing_is_in_sight_before_it_is_in_the_journal() -> None:
    journal = Unruly()
    line = Timeline(station([signal("PT-1", "bank", spec("H", 40.0))]), journal)
    journal.engine = line.engine
    line.push(1, {"PT-1": 45.0})
    journal.engine = None
    assert [entry.event for entry in line.rows()] == ["raised"]


def test_a_broken_journal_silences_no_alarm_but_refuses_acts() -> None:
    journal = Unruly()
    wall = START_MS
    plant = station([signal("PT-1", "bank", spec("H", 40.0))], system={"SYS-JOURNAL": spec("SYS-JOURNAL")})
    engine = AlarmEngine(plant, journal, wall_ms=lambda: wall)
    engine.advance(ms(0))
    journal.fails = True
    engine.observe(UnitMessage(STATION, "storage", "bank", ms(1), {"PT-1": 45.0}))
    assert engine.alarm("PT-1.H").state == "UNACK"
    assert engine.journal_backlog == 1
    with pytest.raises(JournalUnavailableError):
        engine.acknowledge("PT-1.H", "Wang", "", ms(2))
    assert engine.alarm("PT-1.H").state == "UNACK"
    engine.advance(ms(3))
    assert engine.alarm("SYS-JOURNAL").active
    journal.fails = False
    wall += 6000
    for at in range(4, 7):
        engine.advance(ms(at))
    assert engine.journal_backlog == 0
    assert not engine.alarm("SYS-JOURNAL").active
    rows = [(entry.alarm_id, entry.event) for _, entry in journal.entries(STATION, 0, 1 << 60)]
    assert rows == [("PT-1.H", "raised"), ("SYS-JOURNAL", "raised"), ("SYS-JOURNAL", "cleared")]
    assert journal.verify() is None


# Restart


def test_a_restart_in_the_middle_of_an_on_delay_loses_nothing_and_doubles_nothing() -> None:
    line = Timeline(ONE)
    line.hold(0, 10, {"PT-1": 45.0})
    again = Timeline(ONE, line.journal, at_s=12)
    again.hold(12, 27, {"PT-1": 45.0})
    assert again.events() == [], "the delay is honoured in full by readings after the restart"
    again.hold(27, 40, {"PT-1": 45.0})
    assert again.events() == [("raised", 27)]
    once_more = Timeline(ONE, line.journal, at_s=45)
    assert once_more.state("PT-1.H") == "UNACK"
    once_more.hold(45, 70, {"PT-1": 45.0})
    assert once_more.events() == [("raised", 27)]
    once_more.hold(70, 90, {"PT-1": 1.0})
    assert once_more.events() == [("raised", 27), ("cleared", 75)]


def test_a_restart_keeps_acknowledgements_shelves_and_latches() -> None:
    plant = station([signal("PT-1", "bank", HIGH), signal("PT-2", "bank", HIGH), signal("AT-1", "bank", GAS)])
    line = Timeline(plant)
    line.push(1, {"AT-1": 30.0})
    line.push(2, {"AT-1": 1.0})
    for at in range(20):
        line.push(3 + at, {"PT-1": 45.0, "PT-2": 45.0})
    line.engine.acknowledge("PT-1.H", "Wang", "", ms(24))
    line.engine.shelve("PT-2.H", "Li", dt.timedelta(seconds=100), "test", ms(25))
    before = line.listed()
    again = Timeline(plant, line.journal, at_s=50)
    assert again.listed() == before == {"PT-1.H": "ACKED", "PT-2.H": "SHELVED", "AT-1.HH": "LATCHED"}
    assert again.engine.alarm("PT-1.H") == line.engine.alarm("PT-1.H")
    again.wait(130)
    assert again.state("PT-2.H") == "UNACK"


def test_a_restart_during_silence_raises_it_once() -> None:
    line = _two_gateways()
    line.wait(200)
    again = Timeline(line.plant, line.journal, at_s=300)
    again.wait(400)
    assert again.raised() == ["SYS-SILENT"]
    for at in range(400, 440):
        again.push(at, {"A-0": 1.0, "A-1": 1.0, "A-2": 1.0, "A-3": 1.0})
        again.push(at, {"B-0": 1.0, "B-1": 1.0, "XH-1": 1.0})
    assert again.events("SYS-SILENT")[-1] == ("cleared", 430)
    assert again.listed() == {"SYS-SILENT": "RTNUN"}


# The same messages give the same alarms, however often the clock is looked at

MIXED = station(
    [
        STATE,
        FLOW,
        signal("PT-1", "train", HIGH, spec("HH", 42.0, priority="high"), BAD, STALE),
        signal("PT-2", "bank", HIGH, STALE, rate_s=8),
        signal("XH-1", "bank", spec("H", 15.0, on_s=15), STALE, rate_s=5),
    ],
    [_rule(), _rule(name="quiet", tags=("PT-1",), conditions=(), states=(0, 1), hold=dt.timedelta(seconds=12))],
    heartbeats={"train": "XH-1"},
)
_said = st.fixed_dictionaries(
    {},
    optional={
        "XS-1": st.sampled_from([0.0, 1.0, 2.0]),
        "FT-1": st.sampled_from([0.0, 5.0, 50.0, None]),
        "PT-1": st.sampled_from([1.0, 39.5, 40.5, 43.0, None]),
        "PT-2": st.sampled_from([1.0, 39.5, 41.0]),
        "XH-1": st.sampled_from([1.0, 20.0]),
    },
)


@settings(max_examples=40, deadline=None)
@given(
    story=st.lists(st.tuples(st.sampled_from([0.2, 1, 1, 2, 5, 14, 40, 200]), _said), max_size=40),
    looks=st.lists(st.floats(0.05, 30), min_size=1, max_size=5),
)
def test_the_same_messages_give_the_same_alarms(
    story: list[tuple[float, dict[str, float | None]]], looks: list[float]
) -> None:
    assert _told(story, None) == _told(story, looks)


def _told(story: list[tuple[float, dict[str, float | None]]], looks: list[float] | None) -> list[tuple[object, ...]]:
    line, at = Timeline(MIXED), 0.0
    line.push(0, {"PT-2": 1.0})
    for number, (pause, values) in enumerate(story):
        if looks is not None:
            line.wait(at + pause, looks[number % len(looks)])
        at += pause
        for unit in ("train", "bank"):
            said = {tag: value for tag, value in values.items() if MIXED.signals[tag].unit == unit}
            if said:
                line.push(at, said)
    line.wait(at + 500, 500 if looks is None else looks[0])
    return sorted((row.t_ms, row.alarm_id, row.event, row.value or 0.0, row.occurrence) for row in line.rows())
