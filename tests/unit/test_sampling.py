from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.measuring.sampled import NOT_NUMBERED
from simulators.measuring.sampling import Sampler
from simulators.station import SimulatedStation
from station.domain.signals import UnitMessage
from station.errors import BadInputError
from station.wire import json_v1
from station.wire.admission import Admission
from tests.support.fake_physics import CYCLE_S, FLOW_KG_S, START_MS, FakePhysics
from tests.support.plants import jinma

PLANT = jinma()
HOSES = tuple(hose.unit for hose in PLANT.hoses)


def station(*filling: str, absent: tuple[str, ...] = (), waiting: tuple[int, ...] = ()) -> SimulatedStation:
    return SimulatedStation(PLANT, FakePhysics(PLANT, filling, absent, waiting), seed=1)


def true_ms(message: UnitMessage) -> int:
    """Return when a message's sample was truly taken: on a mark of 200 ms, from which no clock strays half as far."""
    return round(message.t_ms / 200) * 200


def of_unit(messages: list[UnitMessage], area: str, unit: str) -> list[UnitMessage]:
    return [m for m in messages if m.key == (area, unit)]


def test_an_idle_station_says_142_values_in_32_messages_a_second() -> None:
    idle = station()
    idle.advance(60)  # the first minute also says every state once
    messages = idle.advance(300)
    assert len(messages) / 300 == pytest.approx(32, abs=0.5)
    assert sum(len(m.values) for m in messages) / 300 == pytest.approx(142, abs=1.0)


def test_all_hoses_filling_make_104_messages_and_470_values_a_second() -> None:
    busy = station(*HOSES)
    busy.advance(35)
    messages = busy.advance(20)
    assert len(messages) / 20 == pytest.approx(104, abs=1.5)
    assert sum(len(m.values) for m in messages) / 20 == pytest.approx(470, abs=8)


def test_each_signal_comes_at_its_own_moments() -> None:
    messages = station(absent=("PT-111",)).advance(310)
    times: dict[str, list[int]] = defaultdict(list)
    for message in messages:
        for tag in message.values:
            times[tag].append(true_ms(message))
    for tag, signal in PLANT.signals.items():
        if signal.area == "vehicle" or tag == "PT-111":
            assert tag not in times
            continue
        period_ms = round(signal.rate_s * 1000)
        aligned = [t for t in range(START_MS, START_MS + 310_000, 1000) if t % period_ms == 0]
        if signal.kind.is_discrete:
            aligned = sorted({START_MS, *aligned})  # the first word after a boot
        assert times[tag] == aligned, tag


def test_order_numbers_and_one_message_a_unit_and_moment() -> None:
    messages = station("hose-1A", "hose-3B").advance(130)
    places = {key: number for number, key in enumerate(PLANT.units)}
    order = [(true_ms(m), places[m.key]) for m in messages]
    assert order == sorted(order)
    assert len(set(order)) == len(order)
    assert {m.key for m in messages} >= {("vehicle", "hose-1A"), ("vehicle", "hose-3B")}
    for key in PLANT.units:
        seqs = [m.seq for m in messages if m.key == key]
        assert seqs == list(range(1, len(seqs) + 1))
    assert len({m.boot for m in messages}) == 1


def test_a_filling_hose_speaks_five_times_a_second_and_its_vehicle_only_then() -> None:
    messages = station("hose-1A").advance(CYCLE_S)
    pressures = [true_ms(m) for m in of_unit(messages, "dispensing", "hose-1A") if "PT-513A" in m.values]
    gaps = Counter(np.diff(pressures).tolist())
    assert set(gaps) == {200, 1000}
    assert gaps[200] == 5 * 55  # leak-check begins at 20 s, end at 75 s
    vehicle = of_unit(messages, "vehicle", "hose-1A")
    assert [true_ms(m) for m in vehicle] == list(range(START_MS + 20_000, START_MS + 75_001, 200))
    assert vehicle[-1].values == {"XI-614A": 4}
    assert all(m.values["XI-614A"] == 0 and "PI-611A" in m.values for m in vehicle[:-1])
    assert not of_unit(messages, "vehicle", "hose-1B")


def test_states_are_said_at_once_between_the_minutes() -> None:
    messages = of_unit(station("hose-1A").advance(CYCLE_S), "dispensing", "hose-1A")
    said = [((true_ms(m) - START_MS) // 1000, m.values["XS-518A"]) for m in messages if "XS-518A" in m.values]
    expected = [(0, 1), (20, 2), (30, 3), (60, 4), (70, 3), (75, 5), (90, 0), (120, 0), (180, 0)]
    assert said == expected
    assert all(isinstance(state, int) for _, state in said)


def test_between_steps_values_lie_on_the_line_and_the_total_only_rises() -> None:
    messages = of_unit(station("hose-1A").advance(CYCLE_S), "dispensing", "hose-1A")
    totals = [(true_ms(m), m.values["FQ-516A"]) for m in messages if "FQ-516A" in m.values]
    kilograms = [kg for _, kg in totals if kg is not None]
    assert kilograms == sorted(kilograms)
    assert kilograms[-1] - kilograms[0] == pytest.approx(30 * FLOW_KG_S, abs=0.002)
    at = dict(totals)
    assert at[START_MS + 40_400] == pytest.approx(1000.0 + 10.4 * FLOW_KG_S, abs=0.0011)
    pressure = {true_ms(m): m.values["PT-513A"] for m in messages if "PT-513A" in m.values}
    assert pressure[START_MS + 40_600] == pytest.approx(5.0 + 0.1 * 10.6, abs=0.08)


@settings(max_examples=4, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=2, max_size=4))
def test_the_same_messages_however_time_is_cut(cuts: list[int]) -> None:
    whole = station("hose-1A", "hose-2B").advance(sum(cuts))
    pieces = station("hose-1A", "hose-2B")
    assert list(itertools.chain.from_iterable(pieces.advance(cut) for cut in cuts)) == whole


def test_bytes_are_those_of_the_codec_and_every_message_is_let_in() -> None:
    messages = station("hose-1A").advance(100)
    emissions = station("hose-1A").emissions(100)
    readings = [e for e in emissions if e[3] != NOT_NUMBERED]
    assert readings == [(true_ms(m), json_v1.topic_of(m), json_v1.encode(m), m.seq) for m in messages]
    admission = Admission([PLANT])
    for message, (t_ms, topic, payload, _) in zip(messages, readings, strict=True):
        admitted = admission.admit(topic, payload, t_ms)
        assert admitted.refusals == ()
        assert admitted.message == message


def test_a_total_that_slips_by_a_rounding_error_is_held() -> None:
    physics = FakePhysics(PLANT)
    block = physics.advance(3)
    column = list(PLANT.signals).index("FQ-516A")
    block.values[:, column] = [12.5, 12.499999999, 12.6]
    sampler = Sampler(PLANT, 1, "b")
    totals = [m.values["FQ-516A"] for m in sampler.sample(block).messages() if "FQ-516A" in m.values]
    assert totals == [12.5, 12.5, 12.6]


def test_a_sensor_without_a_value_says_nothing() -> None:
    bay = PLANT.units[("trailer", "bay-1")].tags
    messages = station(absent=bay).advance(130)
    assert not of_unit(messages, "trailer", "bay-1")
    assert of_unit(messages, "trailer", "bay-2")


def test_coarse_sampling_says_each_unit_once_and_each_change() -> None:
    minute = dt.timedelta(seconds=60)
    messages = station("hose-1A").advance(3600, step_s=10, every=minute)
    for key, unit in PLANT.units.items():
        if key[0] == "vehicle" or key == ("dispensing", "hose-1A"):
            continue
        said = of_unit(messages, *key)
        whole = [m for m in said if m.t_ms % 60_000 == 0]
        assert [m.t_ms for m in whole] == list(range(START_MS, START_MS + 3_600_000, 60_000))
        assert all(set(m.values) == set(unit.tags) for m in whole)
    hose = of_unit(messages, "dispensing", "hose-1A")
    changes = [m for m in hose if "XS-518A" in m.values]
    assert all("FQ-516A" in m.values for m in changes)
    ends = [m.values["FQ-516A"] for m in changes if m.values["XS-518A"] == 5]
    assert len(ends) == 18
    closing = [m for m in of_unit(messages, "vehicle", "hose-1A") if m.values == {"XI-614A": 4}]
    assert len(closing) == 18


def test_retained_words_come_first_on_change_and_each_minute() -> None:
    plant = station(waiting=(95,))
    first = plant.retained()
    assert [topic.split("/", 2)[2] for topic, _ in first][-3:] == [
        "jinma/plan/2026-06-01",
        "jinma/plan/2026-06-02",
        "jinma/queue/gate",
    ]
    gateways = [(topic, payload) for topic, payload in first if "/gateway/" in topic]
    assert len(gateways) == len(PLANT.gateways)
    assert all(b'"online":true' in payload and b'"sim":true' in payload for _, payload in gateways)
    assert plant.retained() == []
    emissions = plant.emissions(150, look_s=1.0)
    words = [(t_ms - START_MS, topic) for t_ms, topic, _, seq in emissions if seq == NOT_NUMBERED]
    assert words == [(ms, "h2/v1/jinma/queue/gate") for ms in (60_000, 95_000, 120_000)]
    assert [t_ms for t_ms, *_ in emissions] == sorted(t_ms for t_ms, *_ in emissions)
    assert emissions[-1][3] != NOT_NUMBERED


def test_a_new_plan_is_said_at_once_and_all_words_again_to_a_broker_that_forgot() -> None:
    plant = station()
    physics = plant.physics
    assert isinstance(physics, FakePhysics)
    everything = plant.retained()
    physics.plan_version += 1
    assert [topic.split("/")[3] for topic, _ in plant.retained()] == ["plan", "plan"]
    assert plant.retained_again() == everything
    assert plant.retained() == []
    assert all(b'"online":false' in payload for _, payload in plant.farewell())


def test_a_snapshot_goes_on_exactly_or_as_a_new_boot() -> None:
    first = station("hose-1A")
    first.emissions(35)
    kept = first.snapshot()
    rest = first.emissions(100)
    same = SimulatedStation.restore(PLANT, lambda data: FakePhysics.restore(PLANT, data), kept, same_boot=True)
    assert same.emissions(100) == rest
    again = SimulatedStation.restore(PLANT, lambda data: FakePhysics.restore(PLANT, data), kept)
    assert again.t_ms == START_MS + 35_000
    assert again.boot != first.boot
    assert {m.seq for m in again.advance(1)} == {1}


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff", b'{"format":99}'])
def test_a_damaged_snapshot_is_refused_by_name(damage: bytes) -> None:
    with pytest.raises(BadInputError, match="simulator state"):
        SimulatedStation.restore(PLANT, lambda data: FakePhysics.restore(PLANT, data), damage)


def test_two_starts_of_one_seed_are_two_boots() -> None:
    later = SimulatedStation(PLANT, FakePhysics(PLANT, t_ms=START_MS + 1000), seed=1)
    assert later.boot != station().boot
    assert station().boot == station().boot
