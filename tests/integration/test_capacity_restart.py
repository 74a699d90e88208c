"""A restart in the afternoon: what the forecast knows of the day comes out of the real store, and right."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec
import pytest

from api.forecast.inputs import CapacityInputs
from api.live.capacity import LiveCapacity
from api.live.outbox import Outbox
from simulators.history import fill_history
from station.adapters.sqlite_readings import SqliteReadings
from station.wire.plan_v1 import parse_plan, rfc3339
from tests.support.virtual_station import VirtualStation, day_start


def test_the_day_so_far_is_known_after_a_restart(tmp_path: Path) -> None:
    made = VirtualStation("normal-day", 3, day_start())
    store = SqliteReadings(tmp_path / "readings.db")
    try:
        fill_history(made.station, store.write, day_start(), day_start(hour=14.0))
        inputs = CapacityInputs(made.plant)
        inputs.prime(store, made.station.t_ms)
    finally:
        store.close()
    for topic, payload in made.station.retained():
        kind, name = topic.split("/")[3:5]
        if kind == "plan":
            inputs.observe_plan(parse_plan(payload, dt.date.fromisoformat(name), made.plant.timezone, "mqtt"))
    now = inputs.snapshot(made.station.t_ms)
    truth = made.physics.truth()
    ended = [t for t in truth.truck_list if t.end_ms is not None]
    assert now.done.trucks == len(ended)
    assert now.done.kg == pytest.approx(sum(t.delivered_kg for t in ended), abs=0.2)
    assert now.done.short_kg == 0.0
    to_come = [t for t in truth.trailer_list if t.arrival_ms is None]
    assert [e.id for e in now.expected[: len(to_come)]] == [t.id for t in to_come]
    came = {t.id for t in truth.truck_list}
    late = [b for b in now.demand.bookings if b.t_ms < now.at_ms and b.id in came]
    # A truck that never waited has no name at its hose: one booking or two may be taken for a neighbour's.
    assert len(late) <= 2
    assert not [i for i in now.inputs if i.degraded_s > 0.0]


def test_a_start_takes_who_left_unserved_from_the_day_s_newest_forecast(tmp_path: Path) -> None:
    made = VirtualStation("normal-day", 3, day_start())
    noon_ms = made.station.t_ms + 12 * 3_600_000
    early: dict[str, object] = {"unserved": []}
    late = {
        "at": "-",
        "unserved": [{"since": rfc3339(noon_ms - 7_200_000), "left": rfc3339(noon_ms - 3_600_000), "kg": 41.0}],
    }
    kept = [(noon_ms - 600_000, msgspec.json.encode(early)), (noon_ms - 300_000, msgspec.json.encode(late))]
    asked: list[tuple[int, int]] = []

    def of_the_day(start_ms: int, end_ms: int, _limit: int) -> list[tuple[int, bytes]]:
        asked.append((start_ms, end_ms))
        return kept

    history: Outbox[tuple[int, bytes]] = Outbox("forecasts", lambda _: None)
    live = LiveCapacity(made.plant, made.engine, made.inputs, made.alerts, history, of_the_day)
    store = SqliteReadings(tmp_path / "readings.db")
    try:
        live.prime(store, noon_ms)
    finally:
        store.close()
    assert asked == [(round(day_start().timestamp() * 1000), noon_ms + 1)]
    done = made.inputs.snapshot(noon_ms).done
    assert (done.short_trucks, done.short_kg) == (1, 41.0)
    assert [u.left_ms for u in done.unserved] == [noon_ms - 3_600_000]
