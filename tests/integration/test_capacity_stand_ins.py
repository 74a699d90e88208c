"""Every capacity input lost in every way: named, stood in for, less sure, alarmed, and over when it is back."""

from __future__ import annotations

import itertools

import pytest

from station.domain.capacity import forecast
from station.domain.capacity_forecast import Forecast
from station.domain.capacity_snapshot import InputNow, StationSnapshot
from tests.support.capacity_inputs import HARMS, MINUTE_MS, PLANT, TAGS, Harm, ScriptedStation, alert_times
from tests.support.capacity_snapshots import at, snapshot

NOON = at(12.0)
LOST_AFTER_MIN, LOST_FOR_MIN, BACK_FOR_MIN = 4, 10, 6
_SLOW_S = {60.0: 120.0}
"""States come each minute: they are old after two."""


@pytest.fixture(scope="module")
def calm() -> Forecast:
    return forecast(PLANT, snapshot(12.0), 0)


def note(now: StationSnapshot, tag: str) -> InputNow:
    return next(i for i in now.inputs if i.signal == tag)


def spread(now: StationSnapshot) -> list[float]:
    """What widens the band, item by item."""
    stocks = [*(b.kg_sd for b in now.bays), *(b.kg_sd for b in now.banks)]
    machines = [*(t.flow_sd for t in now.trains), *(c.flow_sd for c in now.chillers)]
    return [*stocks, *machines, now.demand_sd, now.flow_sd]


def play(tag: str, harm: Harm) -> ScriptedStation:
    """One tag lost for ten minutes, on a station whose truck stands at that tag's hose."""
    hose = next((i for i, h in enumerate(TAGS.hoses) if PLANT.signals[tag].unit == h.unit), 0)
    station = ScriptedStation(NOON, hose)
    station.run(LOST_AFTER_MIN)
    station.hurt = {tag: harm}
    station.run(LOST_FOR_MIN)
    station.hurt = {}
    station.run(BACK_FOR_MIN)
    return station


@pytest.mark.parametrize("harm", HARMS, ids=lambda h: h.__name__)
def test_every_input_lost_is_named_stood_in_for_and_alarmed(harm: Harm, calm: Forecast) -> None:
    for tag in TAGS.all():
        station = play(tag, harm)
        whole, lost = station.seen[LOST_AFTER_MIN - 1], station.seen[LOST_AFTER_MIN + LOST_FOR_MIN - 1]
        assert note(whole, tag).source == "measured", tag
        named = note(lost, tag)
        assert named.quality.startswith("bad"), tag
        assert named.degraded_s > 300.0, tag
        # Never a silent number: what is used says where it comes from.
        assert named.source not in ("measured", "none"), tag
        assert named.value is not None, tag
        assert all(b >= a for a, b in zip(spread(whole), spread(lost), strict=True)), tag
        assert spread(whole) != spread(lost), tag
        late_ms = 0 if harm is not HARMS[0] else round(1000 * _SLOW_S.get(PLANT.signals[tag].rate_s, 60.0))
        told = alert_times(station.runner.asked, calm, "CAP-DATA")
        raised = next(change for change in told if change[1])
        assert raised[2] == "low", tag
        since_ms = NOON + LOST_AFTER_MIN * MINUTE_MS + late_ms
        assert MINUTE_MS - 20_000 <= raised[0] - since_ms <= 2 * MINUTE_MS, (tag, raised[0] - since_ms)
        over, back_ms = told[-1], NOON + (LOST_AFTER_MIN + LOST_FOR_MIN) * MINUTE_MS
        assert not over[1], tag
        assert 2 * MINUTE_MS <= over[0] - back_ms <= 3 * MINUTE_MS, (tag, over[0] - back_ms)
        # Another measurement keeps the forecast valid, a model or the last value does for five minutes.
        assert any(p == "medium" for _, active, p in told if active) == (not named.replaced), (tag, named.source)
        assert all(i.degraded_s == 0.0 for i in station.seen[-1].inputs), tag


def test_the_loss_and_the_return_of_a_sensor_ask_for_a_forecast_at_the_next_minute() -> None:
    station = ScriptedStation(NOON)
    station.run(6 + 1 / 3)
    station.hurt = {TAGS.banks[0].pressure_a: HARMS[2]}
    station.run(5)
    station.hurt = {}
    station.run(5)
    asked = [(now.at_ms - NOON) / MINUTE_MS for now, on_grid in station.runner.asked if not on_grid]
    # Lost at 6:20, for over a minute at 8, back at 11:20, whole for two minutes at 14.
    assert asked == [7, 8, 12, 14]


ROLES = {
    "both transmitters of the high bank": [TAGS.banks[2].pressure_a, TAGS.banks[2].pressure_b],
    "a bank's thermometer": [TAGS.banks[1].temperature],
    "a trailer's pressure": [TAGS.bays[0].pressure],
    "a trailer's pressure and its hose's": [TAGS.bays[0].pressure, TAGS.bays[0].hose_pressure],
    "a train's flow": [TAGS.trains[0].flow],
    "a train's state": [TAGS.trains[0].state],
    "a chiller's state": [TAGS.chillers[0].state],
}


def width(now: StationSnapshot) -> float:
    made = forecast(PLANT, now, 60)
    return made.deliverable_kg.p90 - made.deliverable_kg.p10


def test_the_band_of_the_forecast_is_no_narrower_without_a_sensor() -> None:
    whole = ScriptedStation(NOON)
    whole.run(15.0)
    before = width(whole.seen[-1])
    for role, tags in ROLES.items():
        station = ScriptedStation(NOON)
        station.run(LOST_AFTER_MIN)
        station.hurt = dict.fromkeys(tags, HARMS[2])
        station.run(15 - LOST_AFTER_MIN)
        assert station.seen[-1].at_ms == whole.seen[-1].at_ms
        assert width(station.seen[-1]) >= before - 2.0, role


def test_what_is_not_measured_is_less_sure_the_longer_it_lasts() -> None:
    station = ScriptedStation(NOON)
    station.run(LOST_AFTER_MIN)
    bank, bay, train = TAGS.banks[2], TAGS.bays[0], TAGS.trains[0]
    lost = (bank.pressure_a, bank.pressure_b, bay.pressure, bay.hose_pressure, train.state)
    station.hurt = dict.fromkeys(lost, HARMS[0])
    found = []
    for _ in range(4):
        station.run(20.0)
        now = station.seen[-1]
        found.append((now.banks[2].kg_sd, now.bays[0].kg_sd, now.trains[0].flow_sd))
    for earlier, later in itertools.pairwise(found):
        assert all(a < b for a, b in zip(earlier, later, strict=True)), found
