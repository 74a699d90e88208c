"""Reserved topics: plan, queue, clock, gateway, watermark."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.adapters.clocks import KEPT_WORD_S, FollowedClock, KeptClock, wall_ms
from station.domain.day_plan import Booking, DayPlan, Delivery, WaitingTruck
from station.errors import PayloadError
from station.wire import plan_v1

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = dt.date(2026, 6, 1)
START = 1780243200000  # 2026-06-01T00:00+08:00


def body(**changes: object) -> bytes:
    plan: dict[str, object] = {
        "trucks": [{"id": "T-1", "time": "2026-06-01T08:30:00+08:00", "kg": 40}],
        "trailers": [{"id": "R-1", "eta": START + 3_600_000, "bay": None, "kg": 278}],
    }
    return msgspec.json.encode(plan | changes)


def test_times_are_rfc_3339_or_epoch_ms() -> None:
    plan = plan_v1.parse_plan(body(), DAY, SHANGHAI, "put")
    assert plan.trucks == (Booking("T-1", START + 8 * 3_600_000 + 1_800_000, 40.0),)
    assert plan.trailers == (Delivery("R-1", START + 3_600_000, 278.0, None),)


@given(
    st.lists(st.tuples(st.integers(0, 86_399_999), st.floats(0.1, 200)), max_size=5),
    st.lists(st.tuples(st.integers(0, 86_399_999), st.sampled_from([None, "bay-1"])), max_size=5),
)
def test_a_plan_comes_back_the_same(trucks: list[tuple[int, float]], trailers: list[tuple[int, str | None]]) -> None:
    plan = DayPlan(
        DAY,
        tuple(
            sorted((Booking(f"T{n}", START + t, kg) for n, (t, kg) in enumerate(trucks)), key=lambda b: (b.t_ms, b.id))
        ),
        tuple(
            sorted(
                (Delivery(f"R{n}", START + t, 278.0, bay) for n, (t, bay) in enumerate(trailers)),
                key=lambda d: (d.eta_ms, d.id),
            )
        ),
        "mqtt",
    )
    assert plan_v1.parse_plan(plan_v1.plan_payload(plan), DAY, SHANGHAI, "mqtt") == plan


@pytest.mark.parametrize(
    ("row", "part"),
    [
        ({"id": "", "time": START, "kg": 40}, "id"),
        ({"id": "a", "time": START, "kg": 0}, "kg"),
        ({"id": "a", "time": START, "kg": True}, "kg"),
        ({"id": "a", "time": START - 1, "kg": 40}, "plan's day"),
        ({"id": "a", "time": "08:30", "kg": 40}, "time"),
        ({"id": "a", "time": "2026-06-01T08:30:00", "kg": 40}, "no time zone"),
        ({"id": "a", "kg": 40}, "time"),
        (["a"], "object"),
    ],
)
def test_each_bad_row_is_named(row: object, part: str) -> None:
    good = {"id": "T-1", "time": START, "kg": 40}
    with pytest.raises(plan_v1.PlanError) as caught:
        plan_v1.parse_plan(body(trucks=[good, row]), DAY, SHANGHAI, "put")
    assert all(text.startswith("trucks[1]") for text in caught.value.mistakes)
    assert part in str(caught.value)


def test_an_id_that_stands_twice_is_named() -> None:
    row = {"id": "T-1", "time": START, "kg": 40}
    with pytest.raises(plan_v1.PlanError, match="twice"):
        plan_v1.parse_plan(body(trucks=[row, row]), DAY, SHANGHAI, "put")


@pytest.mark.parametrize("payload", [b"", b"7", b"{", b'{"trucks": 5}'])
def test_a_plan_of_the_wrong_shape_is_a_plan_error(payload: bytes) -> None:
    with pytest.raises(plan_v1.PlanError):
        plan_v1.parse_plan(payload, DAY, SHANGHAI, "mqtt")


def test_the_other_payloads_come_back_the_same() -> None:
    queue = (WaitingTruck("a", START, 40.0), WaitingTruck("b", START + 1, None))
    assert plan_v1.parse_gate_queue(plan_v1.gate_queue_payload(START, queue)) == (START, queue)
    clock = plan_v1.ClockReading(START, START + 5, 20.0)
    assert plan_v1.parse_clock(plan_v1.clock_payload(START, START + 5, 20.0)) == clock
    gateway = plan_v1.GatewayState(online=True, t_ms=START, sim=True)
    assert plan_v1.parse_gateway(plan_v1.gateway_payload(START, online=True, sim=True)) == gateway
    mark = plan_v1.Watermark("b1", 7, "ingest")
    assert plan_v1.parse_watermark(plan_v1.watermark_payload(mark)) == mark


@pytest.mark.parametrize(
    "parse", [plan_v1.parse_clock, plan_v1.parse_gateway, plan_v1.parse_gate_queue, plan_v1.parse_watermark]
)
def test_anything_else_is_a_payload_error(parse: object) -> None:
    for payload in (b"", b"[]", b'{"t":"x"}', b"\xff"):
        with pytest.raises(PayloadError):
            parse(payload)  # type: ignore[operator]


def test_a_followed_clock_never_runs_ahead_of_the_word_at_speed() -> None:
    clock = FollowedClock()
    assert abs(clock.now_ms() - wall_ms()) < 1000
    clock.update(plan_v1.ClockReading(START, wall_ms() - 5000, 20.0))
    assert clock.now_ms() == START
    assert clock.speed() == 20.0
    clock.update(plan_v1.ClockReading(START, wall_ms() - 5000, 1.0))
    assert START + 5000 <= clock.now_ms() < START + 6000


def test_a_kept_clock_starts_where_it_ended_and_only_briefly(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    KeptClock(file).update(plan_v1.ClockReading(START, START, 20.0))
    at_s = [100.0]
    again = KeptClock(file, lambda: at_s[0])
    assert again.now_ms() == START
    at_s[0] += KEPT_WORD_S + 1.0
    assert abs(again.now_ms() - wall_ms()) < 1000
    again.update(plan_v1.ClockReading(START + 5, START, 20.0))
    assert again.now_ms() == START + 5
    file.write_bytes(b"torn")
    assert abs(KeptClock(file).now_ms() - wall_ms()) < 1000
