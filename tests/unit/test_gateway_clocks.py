from __future__ import annotations

import datetime as dt
import itertools

import numpy as np
import numpy.typing as npt
import pytest

from simulators.faults import FaultBoard, make_fault
from simulators.measuring.gateway_clocks import CLOCKS, GatewayClocks
from simulators.measuring.sampled import NOT_NUMBERED
from simulators.station import SimulatedStation
from station.wire import json_v1
from tests.support.fake_physics import START_MS, FakePhysics
from tests.support.plants import jinma

PLANT = jinma()
GATEWAYS = np.arange(len(PLANT.gateways))
DAY_MS = 86_400_000
STRUCK = "station-plc"


def station(*faults: tuple[str, str, dict[str, float]], t_ms: int = START_MS) -> SimulatedStation:
    """Return a station whose faults begin a minute after its start."""
    board = FaultBoard([make_fault(PLANT, name, unit, START_MS + 60_000, options) for name, unit, options in faults])
    return SimulatedStation(PLANT, FakePhysics(PLANT, faults=board, t_ms=t_ms), seed=1)


def ahead_s(plant: SimulatedStation, seconds: int = 300) -> dict[str, list[float]]:
    """Return by how much each message's time is ahead of the moment it goes out, gateway by gateway."""
    found: dict[str, list[float]] = {gateway.id: [] for gateway in PLANT.gateways}
    for out_ms, topic, payload, seq in plant.emissions(seconds):
        if seq != NOT_NUMBERED:
            found[plant.gateway_of(topic)].append((json_v1.decode(payload).t_ms - out_ms) / 1000.0)
    return found


def test_good_clocks_stand_some_milliseconds_off_and_wander_slowly() -> None:
    clocks = GatewayClocks(PLANT, 1)
    times = START_MS + np.arange(0, DAY_MS, 60_000)
    for number in GATEWAYS:
        offsets = clocks.offsets_ms(np.full(len(times), number), times, ())
        assert abs(offsets).max() <= CLOCKS.fixed_ms + CLOCKS.wander_ms <= 40.0
        assert 1 < np.ptp(offsets) <= 2 * CLOCKS.wander_ms
        assert abs(np.diff(offsets)).max() <= 1
    standing = [clocks.offsets_ms(np.array([number]), times[:1], ())[0] for number in GATEWAYS]
    assert len(set(standing)) > len(standing) // 2
    worst = clocks.worst_ms(times, ())
    assert abs(worst).max() <= 40.0


def test_every_unit_has_a_gateway_and_the_times_of_one_gateway_are_off_alike() -> None:
    assert (GatewayClocks(PLANT, 1).of_unit >= 0).all()
    for ahead in ahead_s(station(), 60).values():
        assert max(ahead) - min(ahead) <= 0.001
        assert max(map(abs, ahead)) <= 0.04


def test_a_skewed_clock_is_off_by_a_constant_and_alone_and_the_site_computer_says_so() -> None:
    plant = station(("clock-skew", STRUCK, {"size": 2.5, "for_s": 120}))
    usual = ahead_s(station())
    ahead = ahead_s(plant)
    struck, others = ahead.pop(STRUCK), [usual.pop(STRUCK), usual][1]
    assert ahead == others
    off = [s for s in struck if s > 1.0]
    assert max(off) - min(off) <= 0.001  # latency would vary
    assert np.mean(off) == pytest.approx(2.5, abs=0.04)
    assert len(off) == pytest.approx(len(struck) * 120 / 300, abs=5)
    said = offsets_said(station(("clock-skew", STRUCK, {"size": 2.5, "for_s": 120})))
    assert abs(said[[0, 3, 4]]).max() <= 40
    assert abs(said[[1, 2]] - 2500).max() <= 40


def offsets_said(plant: SimulatedStation) -> npt.NDArray[np.float64]:
    """Return what the site computer says of the worst clock, minute by minute."""
    return np.array([m.values["XT-9591"] for m in plant.advance(300) if "XT-9591" in m.values], dtype=np.float64)


def test_with_a_ramp_it_drifts_away() -> None:
    ahead = ahead_s(station(("clock-skew", STRUCK, {"size": -5.0, "for_s": 240, "ramp_s": 200})))[STRUCK]
    assert min(ahead) == pytest.approx(-5.0, abs=0.04)
    middle = ahead[len(ahead) * 160 // 300]
    assert middle == pytest.approx(-2.5, abs=0.1)


def test_a_clock_that_jumps_back_turns_the_order_of_times_but_not_of_numbers() -> None:
    plant = station(("clock-step", STRUCK, {"size": 30.0, "for_s": 120}))
    said = [m for m in plant.advance(300) if m.key == ("storage", "bank-HB")]
    jumps = [after.t_ms - before.t_ms for before, after in itertools.pairwise(said)]
    assert max(jumps) == pytest.approx(31_000, abs=2)
    assert min(jumps) == pytest.approx(-29_000, abs=2)
    assert [m.seq for m in said] == list(range(1, len(said) + 1))


def test_coarse_history_keeps_its_windows_but_not_a_fault() -> None:
    minute = dt.timedelta(seconds=60)
    said = station().advance(600, step_s=10, every=minute)
    bank = [m.t_ms for m in said if m.key == ("storage", "bank-HB")]
    assert bank == list(range(START_MS, START_MS + 600_000, 60_000))
    off = station(("clock-skew", "all", {"size": 2.5})).advance(600, step_s=10, every=minute)
    assert {m.t_ms % 60_000 for m in off if m.key == ("storage", "bank-HB")} == {0, 2500}
