"""Faults of trains, chillers, power and safety as the instruments show them, each beside what it must be told from."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.block import TruthBlock
from tests.support.measured_station import Floats, MeasuredStation
from tests.support.plants import jinma

TRAINS, CHILLERS, HOSES = (1, 2, 3, 4), (1, 2), [hose.unit for hose in jinma().hoses]
STOP, START, LOADED, UNLOADED, TRIP = range(5)
MINUTE = 1 / 60
BEFORE = 45 * MINUTE


class Watched(MeasuredStation):
    """A busy station, to which something happens after three quarters of an hour; times count from that moment."""

    def __init__(self, scenario: str, hour: float, *, seed: int = 1) -> None:
        super().__init__(scenario, hour - BEFORE, seed=seed)
        self.go(40.0, 10.0)
        self.go(5.0)

    def go(self, minutes: float, dt_s: float = 1.0) -> TruthBlock:
        return self.run(minutes * MINUTE, dt_s)

    def strike(self, name: str, unit: str, **options: object) -> None:
        self.physics.inject(name, unit, **options)

    def see(self, tag: str, *seconds: float) -> Floats:
        """Return what a signal showed at some seconds after the first three quarters of an hour."""
        return self.at(tag, BEFORE + np.array(seconds) / 3600.0)

    def over(self, tag: str, from_s: float, to_s: float) -> Floats:
        """Return a signal over a stretch, second by second."""
        return self.see(tag, *np.arange(from_s, to_s).tolist())

    def first(self, tag: str, value: float) -> float:
        """Return when a signal first was at a value or above it [s after the first three quarters of an hour]."""
        hours, values = self.samples(tag)
        found = hours[(hours >= BEFORE - 1e-9) & (values >= value)]
        return round((float(found[0]) - BEFORE) * 3600.0, 3) if found.size else np.inf


def loaded_train(station: Watched) -> int:
    return next(n for n in TRAINS if station.see(f"XS-2{n}0D", 0)[0] == LOADED)


def filling(station: Watched, second: float) -> list[str]:
    return [unit for unit in HOSES if station.see(tag_of(unit, "state"), second)[0] == 3.0]


def tag_of(hose: str, role: str, area: str = "dispensing") -> str:
    return jinma().tag(area, hose, role)


# ---- a train trips


def with_a_struck_train(fault: str, for_s: float, minutes: float) -> tuple[Watched, int]:
    station = Watched("normal-day", 17.5)
    train = loaded_train(station)
    station.strike(fault, f"train-{train}", for_s=for_s)
    station.go(minutes)
    return station, train


@pytest.fixture(scope="module")
def tripped() -> tuple[Watched, int]:
    return with_a_struck_train("train-trip", for_s=1200.0, minutes=30.0)


def test_a_trip_shows_as_such_and_takes_flow_and_power(tripped: tuple[Watched, int]) -> None:
    station, n = tripped
    assert station.first(f"XS-2{n}0D", TRIP) <= 1.0
    assert station.see(f"FT-2{n}0B", 0)[0] > 80.0
    assert (station.over(f"FT-2{n}0B", 20, 1200) == 0.0).all()
    assert station.see(f"JT-2{n}0C", 0)[0] > 60.0
    assert station.see(f"JT-2{n}0C", 30)[0] < 0.5
    assert (station.over(f"XS-2{n}0D", 2, 1200) == TRIP).all()


def test_its_discharge_comes_down_to_the_banks_and_it_starts_again_after_the_end(tripped: tuple[Watched, int]) -> None:
    station, n = tripped
    discharge = station.over(f"PT-2{n}03", 120, 1200)
    banks = [station.over(f"PT-{bank}0A", 120, 1200) for bank in (31, 32, 33)]
    over = np.min([np.abs(discharge - bank) for bank in banks], axis=0)
    assert np.median(over) < 0.2
    assert station.see(f"PT-2{n}03", 0)[0] > min(station.see(f"PT-{bank}0A", 0)[0] for bank in (31, 32, 33)) + 0.1
    assert station.see(f"PT-2{n}02", 300)[0] == pytest.approx(station.see(f"PT-2{n}01", 300)[0], abs=0.6)
    assert station.see(f"XS-2{n}0D", 1203)[0] == STOP
    assert LOADED in station.over(f"XS-2{n}0D", 1300, 1800)


def test_a_quarter_of_the_recharge_is_gone(sound: Watched) -> None:
    struck = Watched("normal-day", 17.5)
    struck.strike("train-trip", "train-2", for_s=3000.0)
    struck.go(40.0)
    flows = []
    for station in (sound, struck):
        loaded = np.array([station.over(f"FT-2{n}0B", 60, 2400) for n in TRAINS])
        busy = np.array([station.over(f"XS-2{n}0D", 60, 2400) == LOADED for n in TRAINS])
        flows.append(loaded.sum(axis=0)[busy.sum(axis=0) >= 3].max())
    assert flows[1] / flows[0] == pytest.approx(0.75, abs=0.04)


def test_a_trip_is_told_from_a_stop_by_the_state_alone(tripped: tuple[Watched, int]) -> None:
    station, n = tripped
    resting = Watched("normal-day", 2.0)
    resting.go(60.0)
    stopped = [m for m in TRAINS if (resting.over(f"XS-2{m}0D", 0, 3600) == STOP).any()]
    assert stopped
    for m in stopped:
        states = resting.over(f"XS-2{m}0D", 0, 3600)
        assert TRIP not in states
        idle = resting.over(f"FT-2{m}0B", 0, 3600)[states == STOP]
        assert (idle[5:] == 0.0).all()  # no flow, no power: as in a trip
    assert STOP not in station.over(f"XS-2{n}0D", 2, 1200)


# ---- a diaphragm leaks


@pytest.fixture(scope="module")
def leaking() -> tuple[Watched, int]:
    return with_a_struck_train("diaphragm-leak", for_s=2400.0, minutes=55.0)


def test_the_leak_detection_rises_for_minutes_and_then_the_train_trips_by_itself(leaking: tuple[Watched, int]) -> None:
    station, n = leaking
    tag = f"PT-2{n}0A"
    assert station.see(tag, 0)[0] < 0.05
    high, trip = station.first(tag, 0.1), station.first(f"XS-2{n}0D", TRIP)
    assert 240.0 < high < 420.0
    assert trip - high > 200.0
    assert station.see(tag, trip)[0] == pytest.approx(0.2, abs=0.01)
    assert (station.over(f"XS-2{n}0D", trip + 1, 2400) == TRIP).all()
    assert station.see(tag, 2500)[0] < 0.05
    assert LOADED in station.over(f"XS-2{n}0D", 2500, 3300)


@pytest.fixture(scope="module")
def sound() -> Watched:
    station = Watched("normal-day", 17.5)
    station.go(40.0)
    return station


def test_a_leak_moves_moisture_and_oil_a_little(leaking: tuple[Watched, int], sound: Watched) -> None:
    station, _ = leaking
    for tag, least, most in (("AT-901", 0.1, 1.0), ("AT-905", 0.8, 10.0)):
        more = station.over(tag, 400, 1500) - sound.over(tag, 400, 1500)
        assert least < more.max() < most
        assert more.max() > 1.5 * abs(station.see(tag, 0)[0] - sound.see(tag, 0)[0])


def test_a_drifting_leak_detection_trips_nothing_and_leaves_the_gas_clean(
    leaking: tuple[Watched, int], sound: Watched
) -> None:
    _, n = leaking
    station = Drifting("normal-day", 17.5)
    station.strike("sensor-drift", f"train-{n}", signal=f"PT-2{n}0A", size=0.26, ramp_s=900.0, for_s=2400.0)
    station.go(40.0)
    assert station.see(f"PT-2{n}0A", 1500)[0] > 0.2
    assert TRIP not in station.over(f"XS-2{n}0D", 0, 2400)
    assert np.abs(station.over("AT-905", 400, 1500) - sound.over("AT-905", 400, 1500)).max() < 0.5


class Drifting(Watched):
    """A station whose sensors' own faults are shown too."""

    def run(self, hours: float, dt_s: float = 10.0) -> TruthBlock:
        block = self.physics.advance(round(hours * 3600.0 / dt_s), dt_s)
        for group in self._sampler.sample(block, faults=self.physics.faults).groups:
            at_s = group.at_ms / 1000.0
            for tag, column in zip(group.tags, group.columns, strict=True):
                self._samples.setdefault(tag, []).append((at_s, np.array(column, dtype=np.float64)))
        return block


# ---- a chiller is lost


@pytest.fixture(scope="module")
def warm() -> Watched:
    station = Watched("hot-day", 16.5)
    station.strike("chiller-loss", "chiller-1", for_s=3600.0)
    station.go(90.0, 2.0)
    return station


def test_its_brine_warms_by_half_to_one_kelvin_a_minute_while_the_others_stays_cold(warm: Watched) -> None:
    supply = warm.see("TT-4101", 60, 660)
    assert 0.5 < (supply[1] - supply[0]) / 10.0 <= 1.0
    assert warm.first("XS-4107", TRIP) <= 2.0
    assert warm.see("FT-4103", 120)[0] < 10.0
    assert warm.over("TT-4201", 0, 3600).max() < -18.0
    assert warm.see("TT-4101", 3600 + 1500)[0] < -20.0


def test_gas_from_its_dispensers_crosses_the_alarm_and_its_vehicles_get_hotter(warm: Watched) -> None:
    sound = Watched("hot-day", 16.5)
    sound.go(60.0, 2.0)
    hot: list[Floats] = []
    cold: list[Floats] = []
    for hose in HOSES:
        flow = warm.over(tag_of(hose, "flow"), 600, 3600)
        delivered = warm.over(tag_of(hose, "delivery_temperature"), 600, 3600)[flow > 30.0]
        (hot if hose[-2] in "12" else cold).append(delivered)
    assert max(part.max() for part in hot if part.size) > -8.0
    # Cold hoses take half a minute of flow to get so: the median knows nothing of it.
    assert max(float(np.median(part)) for part in cold if part.size) < -14.0
    hottest = [
        max(np.nanmax(s.over(tag_of(h, "temperature", "vehicle"), 600, 3600)) for h in HOSES) for s in (warm, sound)
    ]
    assert hottest[0] > hottest[1] + 8.0
    assert hottest[0] < 85.0


def test_fills_without_cooling_take_longer(warm: Watched) -> None:
    done = [t for t in warm.physics.truth().truck_list if t.end_ms is not None and t.start_ms is not None]
    from_ms, to_ms = warm.start_ms + 3_000_000, warm.start_ms + 6_000_000
    within = [t for t in done if from_ms <= (t.start_ms or 0) <= to_ms and t.hose is not None]
    minutes = {
        part: [((t.end_ms or 0) - (t.start_ms or 0)) / 60e3 for t in within if (t.hose or "")[-2] in part]
        for part in ("12", "34")
    }
    assert np.mean(minutes["12"]) > np.mean(minutes["34"]) + 3.0


def test_hot_weather_moves_both_chillers_alike() -> None:
    hot, mild = Watched("hot-day", 16.5), Watched("normal-day", 16.5)
    for station in (hot, mild):
        station.go(30.0, 5.0)
    power = {
        name: [s.over(f"JT-4{n}06", 0, 1800).mean() for n in CHILLERS] for name, s in (("hot", hot), ("mild", mild))
    }
    assert power["hot"][0] > power["mild"][0] * 1.15
    assert power["hot"][0] == pytest.approx(power["hot"][1], rel=0.02)
    supply = [hot.over(f"TT-4{n}01", 0, 1800).mean() for n in CHILLERS]
    assert supply[0] == pytest.approx(supply[1], abs=0.6)  # two thermometers' errors


# ---- the power fails


@pytest.fixture(scope="module")
def dark() -> Watched:
    station = Watched("normal-day", 17.2)
    station.strike("power-cut", "power", for_s=900.0)
    station.go(35.0)
    return station


def test_everything_that_turns_stands_within_a_second_or_two(dark: Watched) -> None:
    assert dark.see("XS-797", 0)[0] == 1.0
    for n in TRAINS:
        assert dark.first(f"XS-2{n}0D", TRIP) <= 1.0
        assert dark.see(f"JT-2{n}0C", 20)[0] == 0.0
    for n in CHILLERS:
        assert dark.see(f"XS-4{n}07", 3)[0] == 0.0
        assert dark.see(f"JT-4{n}06", 60)[0] == 0.0
    assert (np.array([dark.see(f"XS-80{n}", 5)[0] for n in TRAINS]) == 0.0).all()
    assert dark.see("JT-811", 5)[0] < 2.5
    assert dark.see("ET-813", 5)[0] < 340.0
    assert dark.see("ST-814", 10)[0] < 49.0


def test_the_counter_stands_the_ups_discharges_and_the_hoses_hold(dark: Watched) -> None:
    counted = dark.over("JQ-812", 120, 890)
    assert counted.max() == counted.min()
    assert dark.see("JQ-812", 2000)[0] > counted[0] + 20.0
    ups = dark.see("EI-816", 0, 300, 600, 890)
    assert (np.diff(ups) < -5.0).all()
    assert dark.see("EI-816", 2000)[0] > ups[-1] + 3.0
    held = filling(dark, 0)
    assert held
    for hose in held:
        assert dark.see(tag_of(hose, "flow"), 30)[0] == 0.0
        assert dark.see(tag_of(hose, "state"), 30)[0] == 4.0


def test_afterwards_chillers_and_trains_come_back_one_after_the_other(dark: Watched) -> None:
    assert dark.see("XS-797", 901)[0] == 0.0
    begun = sorted(
        float(np.flatnonzero(dark.over(tag, 900, 2100) == START)[0])
        for tag in ("XS-210D", "XS-220D", "XS-230D", "XS-240D")
        if (dark.over(tag, 900, 2100) == START).any()
    )
    assert len(begun) >= 3
    assert begun[0] >= 118.0
    assert min(np.diff(begun)) >= 19.0
    chillers = [float(np.flatnonzero(dark.over(f"XS-4{n}07", 900, 2100) == 1.0)[0]) for n in CHILLERS]
    assert chillers[1] - chillers[0] >= 58.0


def test_a_power_cut_is_not_a_network_loss_because_the_values_keep_coming(dark: Watched) -> None:
    hours, _ = dark.samples("ET-813")
    within = hours[(hours > BEFORE) & (hours < BEFORE + 0.25)]
    assert within.size > 400
    assert np.diff(within).max() * 3600.0 < 4.0


# ---- the emergency stop


@pytest.mark.parametrize("button", ["HS-791", "HS-796"])
def test_the_button_comes_first_and_everything_shuts(button: str) -> None:
    station = Watched("normal-day", 17.2)
    busy = filling(station, 0)
    assert busy
    station.strike("esd", button, for_s=300.0)
    station.go(12.0)
    pressed = station.first(button, 1.0)
    assert pressed == pytest.approx(0.0, abs=0.01)
    assert station.first("XS-797", 3.0) >= pressed
    trips = [station.first(f"XS-2{n}0D", TRIP) for n in TRAINS]
    assert all(pressed <= trip <= 1.0 for trip in trips)
    for other in ("HS-791", "HS-792", "HS-793", "HS-794", "HS-795", "HS-796"):
        assert (station.see(other, 10)[0] == 1.0) == (other == button)
    for hose in busy:
        assert station.see(tag_of(hose, "flow"), 30)[0] == 0.0
    for bank in ("310", "320", "330"):
        assert (station.see(f"ZS-{bank}D", 30)[0], station.see(f"ZS-{bank}E", 30)[0]) == (0.0, 0.0)
    assert station.see(button, 302)[0] == 0.0
    assert station.see("XS-797", 302)[0] == 0.0
    assert LOADED in [state for n in TRAINS for state in station.over(f"XS-2{n}0D", 302, 720)]


def test_several_trips_at_once_are_no_emergency_stop() -> None:
    station = Watched("normal-day", 17.2)
    for n in TRAINS:
        station.strike("train-trip", f"train-{n}", for_s=600.0)
    station.go(8.0)
    assert all(station.see(f"XS-2{n}0D", 10)[0] == TRIP for n in TRAINS)
    assert (station.over("XS-797", 0, 480) == 0.0).all()
    assert max(station.over(tag_of(hose, "flow"), 10, 480).max() for hose in HOSES) > 20.0


# ---- the vent stack, the detectors


def test_the_stack_feels_a_let_down_and_its_switch_waits_for_more() -> None:
    station = Watched("normal-day", 17.2)
    station.go(30.0, 2.0)
    warmer = station.over("TT-351", 0, 1800) - station.over("TT-841", 0, 1800)
    assert warmer.max() - np.quantile(warmer, 0.02) > 0.6
    assert (station.over("FS-352", 0, 1800) == 0.0).all()


def test_a_relief_valves_flow_moves_the_switch_and_warms_the_stack() -> None:
    station = Watched("normal-day", 3.0)
    bank = station.physics.cascade.banks[2]
    mass = bank.spec.volume_m3 * 31.5
    bank.vessel.set_state(mass, 300.0, 300.0)
    added = mass - station.physics.cascade.banks[2].vessel.mass
    assert added == 0.0
    station.physics.opening_kg = station.physics.stock_kg()
    station.go(10.0)
    assert station.first("XS-330F", 1.0) < 60.0
    assert station.first("FS-352", 1.0) < 60.0
    assert station.see("TT-351", 60)[0] > station.see("TT-841", 60)[0] + 4.0
    assert station.see("FS-352", 590)[0] == 0.0


def test_a_leaking_bank_is_smelt_by_its_own_detector_the_less_the_more_the_wind_blows() -> None:
    station = Watched("normal-day", 1.0)
    station.strike("bank-leak", "bank-MB", size=0.8, for_s=7200.0)
    station.go(120.0, 10.0)
    smelt, wind = station.over("AT-722", 60, 7200), station.over("ST-843", 60, 7200)
    assert smelt.max() > 10.0
    assert station.over("AT-721", 60, 7200).max() < 3.0
    calm, windy = wind < np.quantile(wind, 0.2), wind > np.quantile(wind, 0.8)
    assert smelt[calm].mean() > 1.3 * smelt[windy].mean()


def test_a_leak_in_a_cabinet_is_smelt_there_first_and_only_a_little_under_the_canopy() -> None:
    station = Watched("normal-day", 17.2)
    hose = filling(station, 0)[0]
    number = hose[-2]
    station.strike("dispenser-leak", hose, for_s=900.0)
    station.go(5.0)
    cabinet, canopy = f"AT-73{number}", f"AT-74{number}"
    assert 3.0 < station.first(cabinet, 10.0) < 60.0
    assert station.first(cabinet, 25.0) - station.first(cabinet, 10.0) < 57.0
    assert station.over(canopy, 0, 300).max() < 10.0
    assert station.over(purge(number), 60, 120).max() > 115.0
    flow = station.over(tag_of(hose, "flow"), 60, 300)
    assert flow.max() == 0.0  # a detector that fails alone stops no flow of gas into a truck


def purge(number: str) -> str:
    return jinma().tag("dispensing", f"dispenser-{number}", "purge_differential")
