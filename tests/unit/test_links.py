from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from simulators.faults import FaultBoard, make_fault
from simulators.gateways.links import LINKS, Links
from simulators.measuring.sampled import NOT_NUMBERED, Emission
from simulators.station import SimulatedStation
from tests.support.fake_physics import START_MS, FakePhysics
from tests.support.plants import jinma

PLANT = jinma()
BANK = "h2/v1/jinma/storage/bank-HB"
SITE = "h2/v1/jinma/system/gateways"
STRUCK = "station-plc"
FILLING = ("hose-1A", "hose-3B")


def outage(unit: str = STRUCK, start_s: float = 30.0, for_s: float = 60.0) -> FaultBoard:
    return FaultBoard([make_fault(PLANT, "network-outage", unit, START_MS + round(start_s * 1000), {"for_s": for_s})])


def station(board: FaultBoard, waiting: tuple[int, ...] = ()) -> SimulatedStation:
    return SimulatedStation(PLANT, FakePhysics(PLANT, FILLING, waiting_since=waiting, faults=board), seed=1)


def on(topic: str, emissions: list[Emission]) -> list[Emission]:
    return [emission for emission in emissions if emission[1] == topic]


def after_s(emission: Emission) -> float:
    """Return when it goes out, in seconds from the start."""
    return (emission[0] - START_MS) / 1000.0


def said_s(emission: Emission) -> float:
    """Return the time it says, in seconds from the start."""
    t_ms: int = json.loads(emission[2])["t"]
    return (t_ms - START_MS) / 1000.0


def presence(emissions: list[Emission]) -> list[tuple[float, str, bool]]:
    return [(after_s(e), e[1].rsplit("/", 1)[1], json.loads(e[2])["online"]) for e in emissions if "/gateway/" in e[1]]


def test_what_is_cut_off_comes_at_the_end_with_its_own_time_in_order_and_whole() -> None:
    emissions = station(outage()).emissions(150)
    bank = on(BANK, emissions)
    assert [seq for *_, seq in bank] == list(range(1, 151))
    assert [round(said_s(e)) for e in bank] == list(range(150))
    late = [e for e in bank if after_s(e) - said_s(e) > 0.5]
    assert {after_s(e) for e in late} == {90.0}
    assert [round(said_s(e)) for e in late] == list(range(30, 90))
    assert [e[0] for e in emissions] == sorted(e[0] for e in emissions)


def test_the_others_speak_on_and_nothing_is_said_twice() -> None:
    cut, usual = station(outage()).emissions(150), station(FaultBoard()).emissions(150)
    gateway_of = Links(PLANT, 1).gateway_of
    struck = {e[1] for e in usual if gateway_of(e[1]) == STRUCK}

    def rest(emissions: list[Emission]) -> list[Emission]:
        return [e for e in emissions if e[1] not in struck and e[1] != SITE and "/gateway/" not in e[1]]

    assert rest(cut) == rest(usual)
    readings = [(topic, payload) for _, topic, payload, seq in cut if seq != NOT_NUMBERED and topic != SITE]
    assert sorted(readings) == sorted((t, p) for _, t, p, seq in usual if seq != NOT_NUMBERED and t != SITE)


def test_a_late_backlog_is_no_skewed_clock() -> None:
    bank = on(BANK, station(outage()).emissions(150))
    lateness = [after_s(e) - said_s(e) for e in bank if after_s(e) - said_s(e) > 0.5]
    assert np.ptp(lateness) > 50.0  # falls second by second; a skewed clock's is one number
    skew = make_fault(PLANT, "clock-skew", STRUCK, START_MS + 30_000, {"size": -45.0, "for_s": 60})
    off = [after_s(e) - said_s(e) for e in on(BANK, station(FaultBoard([skew])).emissions(150))]
    assert np.ptp([s for s in off if s > 0.5]) < 0.002


@pytest.mark.parametrize(("unit", "aged"), [(STRUCK, ["XH-9501"]), ("all", None), ("site-computer", None)])
def test_heartbeats_age_while_nothing_comes(unit: str, aged: list[str] | None) -> None:
    tags = [gateway.heartbeat for gateway in PLANT.gateways if gateway.heartbeat]
    emissions = on(SITE, station(outage(unit)).emissions(150))
    for tag in tags:
        ages = {round(said_s(e)): json.loads(e[2])["v"][tag] for e in emissions if tag in json.loads(e[2])["v"]}
        usual = [age for at_s, age in ages.items() if not 30 <= at_s < 90]
        assert min(usual) >= 0.0
        assert max(usual) < 5.0
        assert len(set(usual)) > 2
        cut = [ages[at_s] for at_s in (70, 75, 80, 85)]
        if aged is None or tag in aged:
            assert cut[0] == pytest.approx(40.0, abs=4.0)
            assert np.diff(cut).tolist() == pytest.approx([5.0, 5.0, 5.0], abs=0.11)
        else:
            assert max(cut) < 5.0


def test_the_broker_gives_up_a_gateway_and_sees_it_come_back() -> None:
    plant = station(outage())
    plant.retained()
    first = plant.emissions(60)
    assert presence(first) == [(45.0, STRUCK, False)]
    offline = [json.loads(p)["online"] for t, p in plant.retained_again() if t.endswith("/" + STRUCK)]
    assert offline[-1] is False  # a broker that forgot is told how it stands
    assert presence(plant.emissions(60)) == [(90.0, STRUCK, True)]
    short = station(outage(for_s=LINKS.will_after_s - 1.0))
    short.retained()
    assert presence(short.emissions(60)) == []


def test_who_is_cut_off_when() -> None:
    plant = station(outage())
    assert plant.gateway_of(BANK) == STRUCK
    assert plant.gateway_of("h2/v1/jinma/queue/gate") == ""
    assert [plant.cut_off(START_MS + ms) for ms in (29_999, 30_000, 89_999, 90_000)] == [
        frozenset(),
        {STRUCK},
        {STRUCK},
        frozenset(),
    ]
    assert station(outage("all")).cut_off(START_MS + 40_000) == {gateway.id for gateway in PLANT.gateways}


def test_while_all_is_cut_off_only_the_last_word_of_the_queue_waits() -> None:
    plant = station(outage("all", 30, 100), waiting=(40, 50))
    plant.retained()
    emissions = plant.emissions(150, look_s=1.0)
    words = [(after_s(e), len(json.loads(e[2])["waiting"])) for e in emissions if e[1].endswith("queue/gate")]
    assert words == [(130.0, 2)]
    assert not [e for e in emissions if 30.0 <= after_s(e) < 130.0 and "/gateway/" not in e[1]]
    assert {e[3] for e in on(BANK, emissions)} == set(range(1, 151))


@pytest.mark.parametrize("cuts", [(30, 60, 60), (1, 28, 2, 59, 60), (45, 105), (90, 60), (89, 1, 60), (150,)])
def test_it_is_the_same_however_time_is_cut_and_over_snapshots(cuts: tuple[int, ...]) -> None:
    board = FaultBoard([*outage().faults, *outage("dispenser-1", 31.3, 40).faults, *outage("all", 70.5, 40.2).faults])
    whole = station(board).emissions(150, look_s=1.0)
    plant, pieces = station(board), []
    for seconds in cuts:
        pieces += plant.emissions(seconds, look_s=1.0)
        kept = plant.snapshot()
        plant = SimulatedStation.restore(PLANT, lambda data: restored(data, board), kept, same_boot=True)
    assert readings(pieces) == readings(whole)
    assert presence(pieces) == presence(whole)


def restored(data: bytes, board: FaultBoard) -> FakePhysics:
    physics = FakePhysics.restore(PLANT, data)
    physics.faults = board
    return physics


def readings(emissions: list[Emission]) -> list[Emission]:
    return sorted(emission for emission in emissions if emission[3] != NOT_NUMBERED)


def test_a_command_that_ends_the_outage_lets_everything_through_at_once() -> None:
    board = outage(for_s=3600.0)
    plant = station(board)
    assert len(on(BANK, plant.emissions(60))) == 30
    board.bring_on(make_fault(PLANT, "network-outage", STRUCK, plant.t_ms, {"for_s": 0}))
    bank = on(BANK, emissions := plant.emissions(10))
    assert [seq for *_, seq in bank] == list(range(31, 71))
    assert [after_s(e) for e in bank[:30]] == [60.0] * 30
    assert presence(emissions) == [(60.0, STRUCK, True)]


def test_a_filling_hoses_backlog_keeps_its_order_when_the_outage_is_ended() -> None:
    board = outage("dispenser-1", 20.0, 3600.0)
    plant = station(board)
    plant.emissions(40)
    board.bring_on(make_fault(PLANT, "network-outage", "dispenser-1", plant.t_ms, {"for_s": 0}))
    seqs = [e[3] for e in on("h2/v1/jinma/vehicle/hose-1A", plant.emissions(10))]
    assert len(seqs) > 100
    assert seqs == sorted(seqs)


def test_what_no_longer_finds_room_is_lost_oldest_first_and_named() -> None:
    links = Links(PLANT, 1, held_most=50, kept_most=20)
    board = outage(for_s=120.0)
    out: list[Emission] = []
    emissions = station(FaultBoard()).emissions(200)
    for first_s, end_s in itertools.pairwise(range(0, 201, 40)):
        stretch = [e for e in emissions if first_s <= after_s(e) < end_s]
        out += links.carry(stretch, board, START_MS + 1000 * first_s, START_MS + 1000 * end_s)
        assert len(links.state.held) <= 20
    late = [e for e in out if after_s(e) == 150.0 and links.gateway_of(e[1]) == STRUCK and said_s(e) < 149.0]
    bank = on(BANK, late)
    assert json.loads(bank[0][2])["oldest"] == bank[0][3] > 31
    assert all("oldest" not in json.loads(e[2]) for e in bank[1:])
    assert [e[3] for e in bank] == list(range(bank[0][3], bank[0][3] + len(bank)))


def test_a_snapshot_keeps_the_newest_and_knows_what_it_left_out() -> None:
    links = Links(PLANT, 1, held_most=1000, kept_most=20)
    board = outage(for_s=60.0)
    emissions = station(FaultBoard()).emissions(120)
    links.carry([e for e in emissions if after_s(e) < 80], board, START_MS, START_MS + 80_000)
    again = Links(PLANT, 1)
    again.resume(links.state)
    rest = again.carry([e for e in emissions if after_s(e) >= 80], board, START_MS + 80_000, START_MS + 120_000)
    bank = on(BANK, rest)
    assert json.loads(bank[0][2])["oldest"] == bank[0][3]
    assert bank[-1][3] == 120
