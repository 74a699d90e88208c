"""Each shipped scenario, played for its decisive minutes: what it promises shows in the published values."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import Counter
from collections.abc import Sequence

import msgspec
import pytest

from simulators.fault_plan import faults_of_day
from simulators.fleet import day_trailers, day_trucks, epoch_ms
from simulators.physics import StationPhysics
from simulators.scenario import scenario_names, shipped_scenario
from simulators.station import SimulatedStation
from station.adapters.property_tables import hydrogen_tables
from station.wire import topics
from tests.support.plants import jinma

PLANT = jinma()
DAY = dt.date(2026, 6, 1)
MIDNIGHT = PLANT.day_start(DAY)
TRIPPED = 4
TRAINS = ("XS-210D", "XS-220D", "XS-230D", "XS-240D")
DELIVERY = [PLANT.tag("dispensing", hose.unit, "delivery_temperature") for hose in PLANT.hoses]
decode = msgspec.json.Decoder(dict[str, object]).decode


class Played:
    """A scenario from an hour of the first day on, as it went out: every reading, and when it came."""

    def __init__(self, name: str, hour: float, minutes: float) -> None:
        start = MIDNIGHT + dt.timedelta(hours=hour)
        scenario = shipped_scenario(name, PLANT)
        self.physics = StationPhysics(PLANT, hydrogen_tables(), scenario, start, 1)
        self.station = SimulatedStation(PLANT, self.physics, 1)
        self.emitted = self.station.emissions(minutes * 60.0)
        self.values: dict[str, list[tuple[float, float | None]]] = {}
        for _, topic, payload, _ in self.emitted:
            if topics.parse_reading(topic) is not None:
                said = msgspec.convert(decode(payload), Said)
                for tag, value in said.v.items():
                    self.values.setdefault(tag, []).append((said.t, value))

    def of(self, tag: str, *, after: float = 0.0, before: float = 48.0) -> list[float]:
        """The numbers of a signal between two hours of the day."""
        first, last = (epoch_ms(MIDNIGHT) + hour * 3_600_000.0 for hour in (after, before))
        return [value for t, value in self.values.get(tag, []) if value is not None and first <= t < last]

    def when(self, tag: str, value: float) -> float | None:
        """The hour at which a signal first is at least this."""
        found = (t for t, said in self.values.get(tag, []) if said is not None and said >= value)
        t_ms = next(found, None)
        return None if t_ms is None else (t_ms - epoch_ms(MIDNIGHT)) / 3_600_000.0


class Said(msgspec.Struct):
    t: float
    v: dict[str, float | None]


def fills(name: str, days: Sequence[int] = (0,)) -> list[float]:
    """How full the trailers of some days come."""
    scenario = shipped_scenario(name)
    return [t.fill for day in days for t in day_trailers(PLANT, scenario, 1, DAY + dt.timedelta(days=day))]


def test_many_scenarios_ship_with_a_title_in_both_languages_and_fit_the_station() -> None:
    assert len(scenario_names()) >= 12
    for name in scenario_names():
        title = shipped_scenario(name, PLANT).title
        assert title.en.isascii()
        assert not title.zh.isascii()


def test_diaphragm_leak_shows_in_the_leak_detection_before_the_train_trips() -> None:
    day = Played("diaphragm-leak", 8.9, 25)
    seen, tripped = day.when("PT-230A", 0.06), day.when("XS-230D", TRIPPED)
    assert seen is not None
    assert tripped is not None
    assert 9.0 < seen < tripped - 2 / 60
    assert all(day.when(tag, TRIPPED) is None for tag in TRAINS if tag != "XS-230D")
    assert max(day.of("PT-220A")) < 0.06


def test_train_trip_takes_one_train_at_ten() -> None:
    day = Played("train-trip", 9.95, 6)
    assert day.when("XS-220D", TRIPPED) == pytest.approx(10.0, abs=0.01)
    assert max(day.of("JT-220C", after=10.02)) < 5.0
    assert day.when("XS-210D", TRIPPED) is None


def test_chiller_loss_warms_the_brine_of_one_chiller_and_the_gas_at_the_nozzles() -> None:
    lost, hot = Played("chiller-loss-hot-day", 13.9, 40), Played("hot-day", 13.9, 40)
    assert max(lost.of("JT-4106", after=14.2)) < 10.0 < max(hot.of("JT-4106", after=14.2))
    late = [statistics.fmean(day.of("TT-4101", after=14.4)) for day in (lost, hot)]
    assert late[0] > late[1] + 2.0


def test_hot_day_and_cold_day_are_so_warm_in_the_afternoon() -> None:
    for name, most in (("hot-day", 40.0), ("cold-day", -5.0)):
        assert statistics.fmean(Played(name, 15.0, 2).of("TT-841")) == pytest.approx(most, abs=1.0)


def test_bank_leak_loses_gas_that_no_truck_gets() -> None:
    leaking, sound = Played("bank-leak", 2.95, 30), Played("normal-day", 2.95, 30)
    lost = leaking.physics.truth().vented_kg - sound.physics.truth().vented_kg
    assert lost == pytest.approx(4.3, rel=0.35)  # 0.4 mm at 35..45 MPa: some 10 kg/h for 27 min
    pairs = zip(leaking.of("PT-330A"), leaking.of("PT-330B"), strict=False)
    assert statistics.fmean(a - b for a, b in pairs) == pytest.approx(0.0, abs=0.3)


def test_dispenser_leak_is_smelt_in_its_cabinet_or_stops_the_hose() -> None:
    day = Played("dispenser-leak", 7.45, 35)
    stopped = day.when("XS-528A", 6)  # abort or fault
    assert stopped is not None
    assert stopped > 7.5
    for other in ("AT-731", "AT-733", "AT-734"):
        assert max(day.of(other)) < 10.0


def test_filter_plug_raises_the_pressure_difference() -> None:
    plugged, clean = Played("filter-plug", 6.8, 20), Played("normal-day", 6.8, 20)
    assert max(clean.of("PDT-154")) < 60.0
    assert max(plugged.of("PDT-154")) > 100.0


def test_power_cut_trips_every_train_within_seconds() -> None:
    day = Played("power-cut", 14.97, 4)
    trips = [day.when(tag, TRIPPED) for tag in TRAINS]
    assert all(at == pytest.approx(15.0, abs=0.003) for at in trips)
    assert max(day.of("ET-813", after=15.01)) < 0.5 * max(day.of("ET-813", before=14.99))


def test_emergency_stop_begins_with_the_button() -> None:
    day = Played("emergency-stop", 10.97, 4)
    pressed = day.when("HS-794", 1)
    assert pressed == pytest.approx(11.0, abs=0.003)
    assert day.when("HS-791", 1) is None
    assert day.when("XS-797", 1) == pytest.approx(11.0, abs=0.003)
    assert all(day.when(tag, TRIPPED) is not None for tag in TRAINS)


def test_network_outage_holds_everything_back_and_gives_it_later_with_its_own_time() -> None:
    day = Played("network-outage", 9.95, 16)
    begin, end = (epoch_ms(MIDNIGHT) + minutes * 60_000 for minutes in (600, 610))
    arrived = [sent for sent in day.emitted if topics.parse_reading(sent[1]) is not None]
    assert not [sent for sent in arrived if begin + 2000 < sent[0] < end - 2000]
    times = Counter(int(t // 60_000) for t, _ in day.values["PT-330A"])
    assert sum(times[begin // 60_000 + minute] for minute in range(10)) == pytest.approx(600, abs=12)
    seqs: dict[str, list[int]] = {}
    for _, topic, _, seq in arrived:
        seqs.setdefault(topic, []).append(seq)
    assert all(got == list(range(1, len(got) + 1)) for got in seqs.values())


def test_network_outage_has_a_clock_that_is_ahead_in_the_afternoon() -> None:
    day = Played("network-outage", 13.2, 1)
    ahead: dict[str, list[float]] = {}
    for at, topic, payload, _ in day.emitted:
        parts = topics.parse_reading(topic)
        if parts is not None:
            ahead.setdefault(parts.unit, []).append(msgspec.convert(decode(payload), Said).t - at)
    assert statistics.median(ahead["hose-2A"]) == pytest.approx(2500, abs=100)
    assert statistics.median(ahead["hose-1A"]) == pytest.approx(0, abs=100)


def test_sensor_faults_part_a_sensor_from_its_twin() -> None:
    drift = Played("sensor-faults", 3.2, 5)
    pairs = zip(drift.of("PT-330A"), drift.of("PT-330B"), strict=False)
    assert statistics.fmean(a - b for a, b in pairs) == pytest.approx(2.0, abs=0.4)
    stuck = Played("sensor-faults", 6.5, 10)
    assert statistics.pstdev(stuck.of("PT-320B")) == 0.0
    assert statistics.pstdev(stuck.of("PT-320A")) > 0.005
    gone = Played("sensor-faults", 11.1, 3)
    assert gone.values["VT-2409"]
    assert gone.of("VT-2409") == []


def test_underfilled_trailers_bring_less() -> None:
    days = range(10)
    assert statistics.fmean(fills("underfilled-trailers", days)) < statistics.fmean(fills("normal-day", days)) - 0.05
    [fault] = faults_of_day(PLANT, shipped_scenario("underfilled-trailers"), 1, DAY, epoch_ms(MIDNIGHT))
    assert fault.size == 0.33


def test_no_link_has_trucks_without_one_and_a_hose_that_hears_nothing() -> None:
    trucks = day_trucks(PLANT, shipped_scenario("no-link"), 1, DAY)
    assert 5 <= sum(not truck.link for truck in trucks) <= 30
    assert all(truck.link for truck in day_trucks(PLANT, shipped_scenario("normal-day"), 1, DAY))
    deaf = Played("no-link", 9.5, 60)
    filled = [flow for flow in deaf.of("FT-515A", after=9.6) if flow > 5.0]
    assert len(filled) > 500
    assert len(deaf.of("QI-615A", after=9.6)) < 0.05 * len(filled)  # frozen for a few seconds, then gone


def test_meter_bias_counts_more_than_the_trucks_got() -> None:
    day = Played("meter-bias", 6.0, 75)
    hose = next(hose.unit for hose in PLANT.hoses if hose.unit == "hose-3B")
    counted = day.of(PLANT.tag("dispensing", hose, "total"))
    got = sum(truck.delivered_kg for truck in day.physics.truth().truck_list if truck.hose == hose)
    assert got > 30.0
    assert (counted[-1] - counted[0]) / got == pytest.approx(1.02, abs=0.006)


def test_late_trailers_come_after_the_outage_and_the_plan_says_so_only_if_told() -> None:
    for name, told in (("late-trailers", None), ("late-trailers-told", 9.5), ("no-trailers", None)):
        end = 18.0 if name == "no-trailers" else 15.0 + 1 / 3
        drawn = day_trailers(PLANT, shipped_scenario(name), 1, DAY)
        late = [t for t in drawn if 8.0 <= (t.eta_ms - epoch_ms(MIDNIGHT)) / 3_600_000 < end]
        assert len(late) >= 4
        assert all(t.arrival_ms > epoch_ms(MIDNIGHT) + end * 3_600_000 for t in late)
        said = {t.told_ms for t in late}
        assert said == {None if told is None else epoch_ms(MIDNIGHT) + int(told * 3_600_000)}


def test_year_varies_from_day_to_day_and_breaks_now_and_then() -> None:
    scenario = shipped_scenario("year", PLANT)
    days = [DAY + dt.timedelta(days=n) for n in range(365)]
    faults = [f for day in days for f in faults_of_day(PLANT, scenario, 1, day, epoch_ms(PLANT.day_start(day)))]
    counts = Counter(fault.name for fault in faults)
    assert 30 <= counts["train-trip"] <= 70
    assert {fault.unit for fault in faults if fault.name == "train-trip"} == {train.unit for train in PLANT.trains}
    assert len({fault.signal for fault in faults if fault.name == "sensor-stuck"}) > 5
    assert 100 <= len(faults) <= 250
    trucks = [len(day_trucks(PLANT, scenario, 1, day)) for day in days[:28]]
    assert statistics.pstdev(trucks) > 5.0
    again = list(faults_of_day(PLANT, scenario, 1, days[3], epoch_ms(PLANT.day_start(days[3]))))
    assert again == [
        f for f in faults if epoch_ms(PLANT.day_start(days[3])) <= f.start_ms < epoch_ms(PLANT.day_start(days[4]))
    ]
