"""Faults of supply and storage as the instruments show them: start, ramp, end, and what tells each from its like."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from station.domain import hydrogen
from tests.support.measured_station import Floats, MeasuredStation, stretch

KELVIN = 273.15
GRID = np.arange(0.0, 3.0, 1 / 360)
BANKS = {"bank-LB": "31", "bank-MB": "32", "bank-HB": "33"}
EMPTY_STATES = (0.0, 5.0)
SWAPPING = (1.0, 2.0, 3.0)
BAYS = "1234"


class Rest:
    """What a bank shows in its longest rest, both valves closed, within some hours.

    Attributes:
        mpa_h, kelvin_h: Slopes of PA and T.
        kg_m3_h: Slope of the density that PA and T make.
        apart: Mean of PA - PB [MPa].
        hours: How long it rested.
    """

    def __init__(self, station: MeasuredStation, bank: str, from_h: float, to_h: float) -> None:
        unit = BANKS[bank]
        within = (from_h <= GRID) & (to_h > GRID)
        closed = (station.at(f"ZS-{unit}0D", GRID) == 0.0) & (station.at(f"ZS-{unit}0E", GRID) == 0.0)
        first, last = stretch(closed & within)
        hours = GRID[first:last]
        pressure, twin = station.at(f"PT-{unit}0A", hours), station.at(f"PT-{unit}0B", hours)
        kelvin = station.at(f"TT-{unit}0C", hours) + KELVIN
        self.hours = float(hours[-1] - hours[0])
        self.mpa_h, self.kelvin_h = slope(hours, pressure), slope(hours, kelvin)
        self.kg_m3_h = slope(hours, hydrogen.density_kg_m3(pressure, kelvin))
        self.apart = float(np.mean(pressure - twin))


def slope(hours: Floats, values: Floats) -> float:
    return float(np.polyfit(hours, values, 1)[0])


@pytest.fixture(scope="module")
def night() -> MeasuredStation:
    """Some quiet hours with nothing the matter."""
    station = MeasuredStation("normal-day", 1.0)
    station.run(3.0)
    return station


def struck_at_night(name: str, **options: object) -> MeasuredStation:
    station = MeasuredStation("normal-day", 1.0)
    station.run(0.5)
    station.physics.inject(name, "bank-MB", **options)
    station.run(2.5)
    return station


def test_a_bank_that_cools_after_its_recharge_falls_in_pressure_but_not_in_density(night: MeasuredStation) -> None:
    cooling = Rest(night, "bank-LB", 0.0, 3.0)
    assert cooling.hours > 0.5
    assert cooling.mpa_h < -0.2
    assert cooling.kelvin_h < -1.0
    assert abs(cooling.kg_m3_h) < 0.02


def test_a_leaking_bank_loses_density_with_both_valves_closed_and_both_transmitters_agree() -> None:
    station = struck_at_night("bank-leak", size=0.5, for_s=3600.0, ramp_s=0.0)
    leaking = Rest(station, "bank-MB", 0.55, 1.5)
    # Half a millimetre: 15 kg/h of 18 m3.
    assert leaking.kg_m3_h == pytest.approx(-0.84, abs=0.08)
    assert leaking.mpa_h < -1.5
    assert abs(leaking.apart) < 0.1
    for other in ("bank-LB", "bank-HB"):
        assert abs(Rest(station, other, 0.55, 1.5).kg_m3_h) < 0.03
    after = Rest(station, "bank-MB", 1.6, 3.0)
    assert abs(after.kg_m3_h) < 0.03, "the leak has ended"
    assert station.at("AT-722", np.array([1.2]))[0] > 5.0, "the bank's gas detector"


def test_a_leak_comes_on_with_its_ramp() -> None:
    station = struck_at_night("bank-leak", size=0.7, for_s=7200.0, ramp_s=3600.0)
    early, late = Rest(station, "bank-MB", 0.5, 0.75), Rest(station, "bank-MB", 1.0, 1.3)
    assert late.kg_m3_h < 2.0 * early.kg_m3_h < -0.2


def test_an_outlet_that_passes_lowers_one_bank_and_raises_another(night: MeasuredStation) -> None:
    station = struck_at_night("valve-passby", size=60.0, for_s=5400.0)
    closed_both = (0.55, 1.1)  # the high bank stands lowest then
    passing, fed = Rest(station, "bank-MB", *closed_both), Rest(station, "bank-HB", *closed_both)
    assert passing.kg_m3_h < -0.1
    assert fed.kg_m3_h > 0.05, "which no leak does"
    assert abs(passing.apart) < 0.1
    assert abs(Rest(night, "bank-HB", *closed_both).kg_m3_h) < 0.03
    assert station.physics.truth().closure < 1e-9
    assert station.physics.cascade.leaked_kg == 0.0
    assert abs(Rest(station, "bank-MB", 2.1, 3.0).kg_m3_h) < 0.03, "it has ended"


def longest_without_a_trailer(station: MeasuredStation, hours: Floats) -> float:
    """Return the longest time that a bay stood with no full trailer in sight [h]."""
    longest = 0.0
    for bay in BAYS:
        state = station.at(f"XS-1{bay}6", hours)
        first, last = stretch(np.isin(state, EMPTY_STATES))
        longest = max(longest, (last - first) * float(hours[1] - hours[0]))
    return longest


def test_late_trailers_leave_bays_empty_and_the_header_sinks_to_5_mpa() -> None:
    station = MeasuredStation("late-trailers", 5.0)  # nobody is called for help in this scenario
    for _ in range(3):
        station.physics.inject("trailer-late", "next", for_s=4.0 * 3600.0)
        station.run(1 / 60)
    station.run(7.0)
    hours = np.arange(0.0, 7.0, 1 / 60)
    header = station.at("PT-152", hours)
    sunk = header < 5.4
    assert header[:60].max() > 8.0
    first, last = stretch(sunk)
    assert last - first > 60, "an hour on end"
    while_sunk = hours[first:last]
    states = np.array([station.at(f"XS-1{bay}6", while_sunk) for bay in BAYS])
    assert (states != 4.0).all(axis=0).mean() > 0.9, "no bay gives gas"
    assert longest_without_a_trailer(station, hours) > 1.5


def test_a_swap_in_progress_passes_through_its_states_within_the_hour() -> None:
    station = MeasuredStation("normal-day", 5.0)
    station.run(3.0)
    hours = np.arange(0.0, 3.0, 1 / 360)
    for bay in BAYS:
        state = station.at(f"XS-1{bay}6", hours)
        docked = np.flatnonzero(np.diff((state == 1.0).astype(int)) == 1)
        for start in docked:
            within = state[start : start + 300]
            assert set(SWAPPING) <= set(within.tolist()) or start + 300 > len(state)
            if start + 280 < len(state):
                assert state[start + 280] == 4.0, "open 45 min after docking"
                hose = station.at(f"PT-1{bay}3", hours[start : start + 280])
                assert hose[:60].max() < 0.3, "coupled later"
                assert hose[-1] > 15.0


class Arrival:
    """What can be read of the first trailer that docks: on the weighbridge and from its own transmitters."""

    def __init__(self, station: MeasuredStation, hours: float) -> None:
        at = np.arange(0.0, hours, 1 / 60)
        _, weighed = station.samples("WT-151")
        self.gas_kg = float(weighed.max()) - 38_600.0
        for bay in BAYS:
            state = station.at(f"XS-1{bay}6", at)
            docked = np.flatnonzero(state == 2.0)
            if len(docked):
                moment = at[docked[-1:]]
                self.mpa = float(station.at(f"PT-1{bay}1", moment)[0])
                kelvin = float(station.at(f"TT-1{bay}2", moment)[0]) + KELVIN
                density = hydrogen.density(self.mpa, kelvin)
                self.at_20_mpa = float(hydrogen.pressure_mpa(np.array(density), np.array(293.15)))
                return
        raise AssertionError("no trailer has docked")


SUMMER = dt.datetime.fromisoformat("2026-06-01T00:00+08:00")
WINTER = dt.datetime.fromisoformat("2026-01-12T00:00+08:00")


def first_arrival(midnight: dt.datetime, *, underfilled: bool) -> Arrival:
    station = MeasuredStation("normal-day", 5.3, midnight=midnight)
    station.physics.supply.yard.clear()  # the first to dock is then the first to come
    if underfilled:
        station.physics.inject("trailer-underfilled", "next")
    for bay in station.physics.supply.bays[:1]:
        bay.trailer, bay.state = None, 0
    station.run(1.8)
    return Arrival(station, 1.8)


def test_an_underfilled_trailer_is_light_and_short_of_pressure_at_any_temperature() -> None:
    for midnight in (SUMMER, WINTER):
        short, full = first_arrival(midnight, underfilled=True), first_arrival(midnight, underfilled=False)
        assert short.at_20_mpa < 19.0 < full.at_20_mpa
        assert short.gas_kg < 0.95 * 382.0 - 10.0
        assert full.gas_kg > 0.95 * 382.0 - 10.0
    assert full.mpa < 19.0, "a full one on a winter's day: its pressure alone says nothing"


class Feeding:
    """What the way to the trains shows while at least three trains are loaded.

    Attributes:
        drop_mpa: Feeding trailer's pressure less the header's.
        filter_kpa: PDT-154.
        suction_drop_mpa: The same to train 2's suction.
        flow_share: Trains' flow against what the model gives for the feeding trailer's own pressure.
        trailer_mpa: The feeding trailer's pressure.
    """

    def __init__(self, station: MeasuredStation, from_h: float, to_h: float, *, at_mpa: tuple[float, float]) -> None:
        at = np.arange(from_h, to_h, 1 / 360)
        flows = np.array([station.at(f"FT-1{bay}4", at) for bay in BAYS])
        feeding = np.argmax(np.nan_to_num(flows), axis=0)
        row = np.arange(len(at))
        trailer = np.array([station.at(f"PT-1{bay}1", at) for bay in BAYS])[feeding, row]
        kelvin = np.array([station.at(f"TT-1{bay}2", at) for bay in BAYS])[feeding, row] + KELVIN
        trains = np.array([station.at(f"FT-2{train}0B", at) for train in BAYS])
        loaded = (trains > 10.0).sum(axis=0)
        steady = np.convolve(loaded >= 3, np.ones(12), "same") == 12.0
        steady &= (np.nan_to_num(flows) > 1.0).sum(axis=0) == 1  # nobody fills straight from another trailer
        header = station.at("PT-152", at)
        # Where a trailer is being changed for another, the header is on its way.
        steady &= (np.abs(np.gradient(header)) < 0.12) & (trailer > at_mpa[0]) & (trailer < at_mpa[1])
        assert steady.sum() > 20
        self.drop_mpa = float(np.mean((trailer - header)[steady]))
        self.suction_drop_mpa = float(np.mean((trailer - station.at("PT-2201", at))[steady]))
        self.filter_kpa = float(np.mean(station.at("PDT-154", at)[steady]))
        model = 110.0 * np.minimum(1.0, hydrogen.density_kg_m3(trailer, kelvin) / hydrogen.density(10.0, 293.15))
        self.flow_share = float(np.mean((trains.sum(axis=0) / np.maximum(loaded, 1) / model)[steady]))
        self.trailer_mpa = float(np.mean(trailer[steady]))


LOW, HIGH = (5.5, 8.0), (10.5, 20.0)


@pytest.fixture(scope="module")
def morning() -> MeasuredStation:
    station = MeasuredStation("normal-day", 6.0)
    station.run(4.0)
    return station


@pytest.fixture(scope="module")
def plugged() -> MeasuredStation:
    station = MeasuredStation("normal-day", 6.0)
    station.run(0.4)
    station.physics.inject("filter-plug", "header-lp", size=150.0, for_s=2.6 * 3600.0, ramp_s=0.5 * 3600.0)
    station.run(3.6)
    return station


def test_a_plugged_filter_stands_between_the_trailer_and_the_trains(
    morning: MeasuredStation, plugged: MeasuredStation
) -> None:
    sound, struck = Feeding(morning, 1.0, 3.0, at_mpa=LOW), Feeding(plugged, 1.0, 3.0, at_mpa=LOW)
    assert sound.filter_kpa < 20.0
    assert abs(sound.drop_mpa) < 0.1
    assert sound.flow_share == pytest.approx(1.0, abs=0.05)
    assert struck.filter_kpa > 200.0
    assert struck.drop_mpa > 0.4
    assert struck.suction_drop_mpa > 0.4
    assert struck.flow_share < sound.flow_share - 0.05


def test_a_trailer_running_low_falls_itself_and_its_filter_shows_nothing(morning: MeasuredStation) -> None:
    rich, low = Feeding(morning, 0.0, 4.0, at_mpa=HIGH), Feeding(morning, 0.0, 4.0, at_mpa=LOW)
    assert low.trailer_mpa < rich.trailer_mpa - 3.0
    assert low.filter_kpa < 20.0
    assert abs(low.drop_mpa - rich.drop_mpa) < 0.05
    assert low.flow_share == pytest.approx(rich.flow_share, abs=0.05)


def test_the_filter_plugs_over_its_ramp_and_is_clean_after_it(plugged: MeasuredStation) -> None:
    hours = np.arange(0.0, 4.0, 1 / 60)
    shown = plugged.at("PDT-154", hours)
    assert shown[hours < 0.4].max() < 40.0
    assert 20.0 < shown[(hours > 0.45) & (hours < 0.6)].max() < shown[(hours > 0.9) & (hours < 3.0)].max()
    assert shown[(hours > 0.9) & (hours < 3.0)].max() > 100.0, "the high-high alarm"
    assert shown[hours > 3.05].max() < 40.0


def test_a_plugged_filter_heats_the_stages_against_the_same_trailer_pressure() -> None:
    discharge = []
    for struck in (False, True):
        station = MeasuredStation("normal-day", 6.0)
        if struck:
            station.physics.inject("filter-plug", "header-lp", size=300.0, ramp_s=0.0, for_s=7200.0)
        station.run(2.0)
        at = np.arange(1.0, 2.0, 1 / 60)
        flow = np.array([station.at(f"FT-2{train}0B", at) for train in BAYS])
        heat = np.array([station.at(f"TT-2{train}05", at) for train in BAYS])
        discharge.append(float(np.nanmax(np.where(flow > 10.0, heat, np.nan))))
    assert discharge[1] > discharge[0] + 3.0
