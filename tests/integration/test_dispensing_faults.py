"""What goes wrong at a hose, as its signals show it, and which signal tells it from something else."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from simulators.physics import StationPhysics
from simulators.physics.hoses import ABORT, CONNECT, END, FAULT, FILL, HOLD, IDLE, LEAK_CHECK, NO_COMMAND
from simulators.scenario import shipped_scenario
from station.adapters.property_tables import hydrogen_tables
from tests.support.lone_truck import MIDNIGHT, Floats, LoneTruck
from tests.support.plants import jinma

FULL_KG_PER_PERCENT = 24.0 * 2.1 / 100.0


def filling() -> LoneTruck:
    """Return a truck that has been filling for some minutes."""
    return LoneTruck(ambient_c=25.0).run(300)


def counted_per_kg(truck: LoneTruck) -> float:
    """Return what the meter counted over what the vehicle's own density says it got."""
    soc, total = truck.of("vehicle", "soc"), truck.of("dispensing", "total")
    told = np.flatnonzero(~np.isnan(soc))
    got = (soc[told[-1]] - soc[told[0]]) * FULL_KG_PER_PERCENT
    return float((total[told[-1]] - total[told[0]]) / got)


# ---- ir-loss


def test_a_lost_link_freezes_then_goes_and_the_fill_ends_lower() -> None:
    truck, sound = filling(), LoneTruck(ambient_c=25.0).run(1200)
    assert order_of(truck)[-1] == FILL
    truck.station.inject("ir-loss", truck.hose, for_s=1800.0)
    truck.run(900)
    pressure, command = truck.of("vehicle", "pressure"), truck.of("vehicle", "command")
    assert (command[301:700] == NO_COMMAND).all()
    assert np.ptp(pressure[300:306]) == 0.0
    assert np.isnan(pressure[306:]).all()
    assert np.isnan(truck.of("vehicle", "temperature")[306:]).all()
    state = truck.of("dispensing", "state")
    assert (state[301:400] == FILL).all()
    assert END in state
    assert truck.truth.stop_reason == "pressure"
    assert truck.of("dispensing", "pressure").max() < sound.of("dispensing", "pressure").max() - 0.5


def test_a_link_that_comes_back_within_seconds_costs_nothing() -> None:
    truck = filling()
    truck.station.inject("ir-loss", truck.hose, for_s=4.0)
    truck.run(900)
    assert not np.isnan(truck.of("vehicle", "pressure")[300:320]).any()
    assert truck.truth.stop_reason == "soc"


def test_an_abort_of_the_vehicle_is_another_thing_than_a_lost_link() -> None:
    lost, aborted = filling(), LoneTruck(ambient_c=25.0, abort_soc=0.5).run(900)
    lost.station.inject("ir-loss", lost.hose, for_s=1800.0)
    lost.run(600)
    assert 3.0 not in lost.of("vehicle", "command")
    assert 3.0 in aborted.of("vehicle", "command")
    assert ABORT not in lost.of("dispensing", "state")
    assert ABORT in aborted.of("dispensing", "state")


# ---- dispenser-leak


def order_of(truck: LoneTruck) -> list[float]:
    state: list[float] = truck.of("dispensing", "state").tolist()
    return state


def test_a_leak_fails_the_check_and_the_truck_goes_to_another_hose() -> None:
    truck = LoneTruck(ambient_c=25.0)
    truck.station.inject("dispenser-leak", "hose-1A", for_s=900.0)
    truck.run(1500)
    state = truck.of("dispensing", "state", "hose-1A")
    fault = np.flatnonzero(state == FAULT)
    assert FILL not in state
    assert state[fault[0] - 1] == LEAK_CHECK
    check = np.flatnonzero(state == LEAK_CHECK)
    pressure = truck.of("dispensing", "pressure", "hose-1A")
    assert pressure[check[-6]] - pressure[check[-1]] > 0.15
    assert 900.0 < fault[-1] < 1200.0
    assert state[-1] == IDLE
    assert truck.hose != "hose-1A"
    assert truck.truth.outcome == "full"


def test_a_leak_in_a_fill_fills_the_cabinet_and_the_dispenser_is_stopped() -> None:
    truck = filling()
    truck.station.inject("dispenser-leak", "hose-1A", for_s=600.0)
    truck.run(300)
    gas = truck.tag(cabinet_detector("dispenser-1"))
    ten, upper = np.flatnonzero(gas > 10.0)[0] - 300, np.flatnonzero(gas > 25.0)[0] - 300
    assert 5 <= ten < upper <= 60
    for hose in ("hose-1A", "hose-1B"):
        assert truck.of("dispensing", "state", hose)[-1] == FAULT
    assert truck.of("dispensing", "state", "hose-2A")[-1] in (CONNECT, LEAK_CHECK, FILL)
    # The line is let down: what does not flow does not leak, and the purge air carries the rest away.
    assert gas[-1] < 10.0
    truck.run(1800)
    assert truck.of("dispensing", "state", "hose-1B")[-1] == IDLE
    assert truck.truth.outcome == "full"
    assert truck.station.truth().closure < 1e-9
    others = [truck.tag(cabinet_detector(f"dispenser-{number}")) for number in (2, 3, 4)]
    assert max(other.max() for other in others) < 10.0


def test_a_large_leak_shows_in_the_meter_and_not_in_the_vehicle() -> None:
    truck = filling()
    before = counted_per_kg(truck)
    truck.station.inject("dispenser-leak", "hose-1A", size=2.0, ramp_s=0.0, for_s=60.0)
    truck.run_until(FAULT, "hose-1A", 30.0)
    flow, pressure = truck.of("dispensing", "flow", "hose-1A"), truck.of("vehicle", "pressure", "hose-1A")
    assert flow[301] > 50.0
    assert (pressure[301] - pressure[300]) < 0.6 * (pressure[300] - pressure[299])
    assert before == pytest.approx(1.0, abs=0.01)


def test_a_detector_that_drifts_stops_nothing() -> None:
    truck = filling()
    truck.station.inject("sensor-bias", "", signal=cabinet_detector("dispenser-1"), size=30.0)
    truck.run(120)
    assert FAULT not in truck.of("dispensing", "state", "hose-1A")
    assert truck.of("dispensing", "flow", "hose-1A")[-60:].max() > 50.0


def cabinet_detector(dispenser: str) -> str:
    """Return the tag of the gas detector in a dispenser's cabinet."""
    hose = next(h.unit for h in jinma().hoses if h.dispenser == dispenser)
    signals = jinma().signals.values()
    return next(
        s.tag
        for s in signals
        if s.role == "gas" and s.unit != "canopy" and (hose in s.watches or dispenser in (*s.watches, s.unit))
    )


# ---- meter-bias


def test_a_biased_meter_counts_more_than_the_vehicle_got() -> None:
    sound, biased = LoneTruck(ambient_c=25.0).run(1200), LoneTruck(ambient_c=25.0)
    biased.station.inject("meter-bias", "hose-1A", size=2.0)
    biased.run(1200)
    assert counted_per_kg(biased) / counted_per_kg(sound) == pytest.approx(1.02, abs=0.001)
    assert biased.truth.delivered_kg == pytest.approx(sound.truth.delivered_kg)
    assert biased.of("dispensing", "flow").max() == pytest.approx(1.02 * sound.of("dispensing", "flow").max(), rel=1e-3)
    # An error of the inventory is nobody's meter: the vehicle's own pressures are as ever.
    assert np.nanmax(biased.of("vehicle", "pressure")) == np.nanmax(sound.of("vehicle", "pressure"))


def test_a_bias_that_grows_is_seen_growing() -> None:
    truck = LoneTruck(ambient_c=25.0)
    truck.station.inject("meter-bias", "hose-1A", size=-10.0, ramp_s=800.0)
    truck.run(800)
    soc, total = truck.of("vehicle", "soc"), truck.of("dispensing", "total")
    rate: Floats = np.diff(total[120:780:60]) / (np.diff(soc[120:780:60]) * FULL_KG_PER_PERCENT)
    assert rate[-1] < rate[0] - 0.04
    assert (np.diff(total) >= 0.0).all()


# ---- power cut and emergency shut-down


def test_without_power_the_hose_holds_and_checks_again_before_it_goes_on() -> None:
    truck = filling()
    truck.station.inject("power-cut", "power", for_s=120.0)
    truck.run(1200)
    state, flow = truck.of("dispensing", "state"), truck.of("dispensing", "flow")
    assert (state[301:420] == HOLD).all()
    assert (flow[301:420] == 0.0).all()
    assert state[421] == LEAK_CHECK
    assert truck.truth.outcome == "full"
    assert truck.station.truth().closure < 1e-9


def test_an_emergency_shut_down_breaks_off_and_the_truck_gets_the_rest_later() -> None:
    truck = filling()
    truck.station.inject("esd", "HS-794", for_s=120.0)
    truck.run(1200)
    state = truck.of("dispensing", "state")
    assert (state[301:420] == ABORT).all()
    assert (truck.of("dispensing", "pressure")[360:420] < 0.2).all()
    assert truck.truth.outcome == "full"
    assert truck.station.truth().closure < 1e-9


# ---- whatever goes wrong, a restored station goes on


@pytest.mark.parametrize(
    ("fault", "unit"),
    [("ir-loss", "hose-1A"), ("dispenser-leak", "hose-1A"), ("meter-bias", "hose-1A"), ("power-cut", "power")],
)
def test_a_snapshot_in_the_middle_changes_nothing(fault: str, unit: str) -> None:
    whole = filling()
    whole.station.inject(fault, unit, for_s=200.0)
    whole.run(33)
    text = whole.station.snapshot()
    restored = type(whole.station).restore(whole.plant, whole.station.gas.tables, text)
    assert restored.snapshot() == text
    ahead, again = whole.station.advance(300), restored.advance(300)
    assert np.array_equal(ahead.values, again.values, equal_nan=True)


# ---- chiller-loss, as the hoses see it


def hot_afternoon(*lost: str) -> tuple[StationPhysics, Floats]:
    """Return a station on a hot day and what it showed from 15:00 on, with some chillers lost at that hour."""
    start = MIDNIGHT + dt.timedelta(hours=14)
    station = StationPhysics(jinma(), hydrogen_tables(), shipped_scenario("hot-day"), start, 1)
    station.advance(720, 5.0)
    for chiller in lost:
        station.inject("chiller-loss", chiller, for_s=4 * 3600.0)
    return station, station.advance(3 * 720, 5.0).values


def warm_hoses(values: Floats) -> list[str]:
    """Return the hoses whose gas was over -8 degC well within fills for two minutes or more."""
    plant, found = jinma(), []
    place = {tag: number for number, tag in enumerate(plant.signals)}
    for hose in plant.hoses:
        state = values[:, place[plant.tag("dispensing", hose.unit, "state")]]
        warm = values[:, place[plant.tag("dispensing", hose.unit, "delivery_temperature")]] > -8.0
        since_idle = np.arange(len(state)) - np.maximum.accumulate(np.where(state <= CONNECT, np.arange(len(state)), 0))
        if (warm & (state == FILL) & (since_idle > 24)).sum() >= 24:
            found.append(hose.unit)
    return found


def bay_minutes(station: StationPhysics) -> float:
    """Return the median time at the hose of the trucks of the last hours."""
    ended = [t for t in station.truth().truck_list if t.end_ms and t.start_ms]
    return float(np.median([((t.end_ms or 0) - (t.start_ms or 0)) / 60_000 for t in ended[-15:]]))


def test_a_lost_chiller_shows_at_its_own_hoses_and_hot_weather_at_none() -> None:
    hot, hot_values = hot_afternoon()
    one, one_values = hot_afternoon("chiller-1")
    both, both_values = hot_afternoon("chiller-1", "chiller-2")
    assert warm_hoses(hot_values) == []
    assert warm_hoses(one_values) == ["hose-1A", "hose-1B", "hose-2A", "hose-2B"]
    assert len(warm_hoses(both_values)) == 8
    hottest = [
        max(np.nanmax(values[:, column]) for column in vehicle_temperatures())
        for values in (hot_values, one_values, both_values)
    ]
    assert hottest[0] < 70.0
    assert hottest[1] > 75.0
    assert 75.0 < hottest[2] < 85.0
    assert bay_minutes(hot) + 8.0 < bay_minutes(both)
    assert {t.stop_reason for t in hot.truth().truck_list if t.end_ms} == {"soc"}
    assert all(station.truth().closure < 1e-9 for station in (hot, one, both))


def vehicle_temperatures() -> list[int]:
    """Return the columns of the vehicles' gas temperatures."""
    plant = jinma()
    place = {tag: number for number, tag in enumerate(plant.signals)}
    return [place[plant.tag("vehicle", hose.unit, "temperature")] for hose in plant.hoses]


def test_large_tanks_without_any_cooling_end_by_temperature_and_short() -> None:
    ends = []
    for lost in (False, True):
        truck = LoneTruck(ambient_c=40.0, step_s=2.0, tanks=6, tank_litres=385.0, soc=0.13)
        station = truck.station
        docked = [bay.trailer.vessel for bay in station.supply.bays if bay.trailer is not None]
        for vessel in [*docked, *(bank.vessel for bank in station.cascade.banks)]:
            # A hot day's gas, at about the pressure that it had at night.
            vessel.set_state(0.94 * vessel.mass, 313.15, 313.15)
        if lost:
            for chiller in ("chiller-1", "chiller-2"):
                station.inject("chiller-loss", chiller, for_s=3600.0)
            for hose in station.dispensing.hoses:
                hose.brine_share = 0.0
        truth = truck.run(2400).truth
        assert truth.end_ms is not None
        ends.append((truth.outcome, truth.stop_reason, truth.end_ms, np.nanmax(truck.of("vehicle", "temperature"))))
    cooled, warm = ends
    assert cooled[:2] == ("full", "soc")
    assert warm[:2] == ("short", "temperature")
    assert cooled[3] < 65.0
    assert 82.9 < warm[3] < 85.0
    assert warm[2] - cooled[2] > 8 * 60_000
