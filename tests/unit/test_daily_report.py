"""The daily report on days that are written by hand, each with its answer."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from itertools import pairwise

import pytest

from station.domain.day_plan import Booking, DayPlan, Delivery
from station.domain.mass_balance import Accuracy, content, field_accuracy
from station.domain.plant import Plant
from station.domain.report.alarm_day import alarm_day
from station.domain.report.balance import BalanceDay, accounts_of, cusum_of
from station.domain.report.daily_report import DayRecords, daily_report
from station.domain.report.day_readings import ReportDay, spans_of, steps_of
from station.domain.report.dispensing import dispensing_of
from station.domain.report.energy import energy_of
from station.domain.report.equipment import availability_of, machines_of
from station.domain.report.fills import fill_figures, fills_of
from station.domain.report.moments import windows
from station.domain.report.needs import NoReportError, check_needs
from station.domain.report.received import UnitMinute, completeness_of
from station.domain.report.stock import stock_of
from station.domain.report.supply import trailers_of
from station.domain.signals import Reading
from station.ports import JournalEntry
from tests.support.plants import jinma
from tests.support.report_days import DATE, MINUTE, START, HandMadeDay, at

PLANT: Plant = jinma()
EXACT = Accuracy({}, {})
BAY, HOSE = "bay-1", "hose-1A"


def trailer_day() -> HandMadeDay:
    """A trailer of 20 MPa comes at 2:00, opens at 2:30, is shut at 5 MPa at 9:00 and leaves at 9:30."""
    day = HandMadeDay()
    tag = PLANT.tag("trailer", BAY, "state")
    day.state(tag, (2.0, "docked"), (2.5, "open"), (9.0, "empty"), (9.25, "docked"), (9.5, "absent"))
    day.level(PLANT.tag("trailer", BAY, "temperature"), (1.9, 20.0))
    day.level(PLANT.tag("trailer", BAY, "pressure"), (1.9, 20.0), (8.9, 5.0))
    return day


def fill(day: HandMadeDay, hour: float, kg: float, *, ends: str = "end", total: float = 1000.0) -> None:
    """A truck at hour, of 12 minutes and so many kilograms."""
    begin = hour + 1 / 60
    day.state(
        PLANT.tag("dispensing", HOSE, "state"),
        (hour, "connect"),
        (begin, "fill"),
        (hour + 0.2, ends),
        (hour + 0.25, "idle"),
    )
    day.level(PLANT.tag("dispensing", HOSE, "total"), (hour + 0.19, total + kg))
    vehicle = {
        "pressure": (7.0, 36.0),
        "temperature": (15.0, 60.0),
        "soc": (18.0, 97.0),
        "tank_volume": (2100.0, 2100.0),
    }
    for role, (first, last) in vehicle.items():
        day.level(
            PLANT.tag("vehicle", HOSE, role),
            (hour, math.nan),
            (begin, first),
            (hour + 0.19, last),
            (hour + 0.21, math.nan),
        )


# ---- the balance


def test_a_quiet_day_has_no_rest() -> None:
    whole, shifts = accounts_of(PLANT, HandMadeDay().readings(), EXACT)
    assert whole.terms.missing == ()
    assert (whole.unaccounted_kg, whole.level) == (0.0, "none")
    assert whole.share is None  # nothing was dispensed: no share of it
    assert [shift.terms.start_ms for shift in shifts] == [at(0), at(8), at(16)]


def test_a_trailer_and_a_fill_are_accounted_to_the_kilogram() -> None:
    day = trailer_day()
    fill(day, 12.0, 40.0)
    whole, shifts = accounts_of(PLANT, day.readings(), EXACT)
    full, empty = content(26.0, 20.0, 20.0).kg, content(26.0, 5.0, 20.0).kg
    assert whole.terms.received == pytest.approx(full)
    assert whole.terms.returned == pytest.approx(empty)
    assert whole.terms.dispensed == pytest.approx(40.0)
    assert whole.unaccounted_kg == pytest.approx(full - empty - 40.0 - whole.terms.vented)
    assert whole.level == "high"  # banks did not rise, though the trailer gave 278 kg: gas is missing
    assert [round(shift.terms.dispensed) for shift in shifts] == [0, 40, 0]
    # The trailer stood open from one shift into the next: what it lost is split between them.
    assert shifts[0].terms.trailers_change == pytest.approx(full)
    assert shifts[1].terms.trailers_change == pytest.approx(-full)
    assert sum(shift.terms.unaccounted for shift in shifts) == pytest.approx(whole.terms.unaccounted)


def test_a_transmitter_that_fails_while_a_trailer_opens_leaves_the_balance_unknown() -> None:
    day = trailer_day()
    pressure = PLANT.tag("trailer", BAY, "pressure")
    day.level(pressure, (2.4, math.nan), (2.6, 20.0))
    whole, shifts = accounts_of(PLANT, day.readings(), EXACT)
    assert whole.terms.missing == (pressure,)
    assert (whole.unaccounted_kg, whole.share, whole.level) == (None, None, "unknown")
    assert [shift.level for shift in shifts] == ["unknown", "none", "none"]  # at 8:00 it can be read again


def test_of_instruments_that_speak_once_a_minute_the_minute_before_a_change_stands() -> None:
    day = trailer_day()
    fill(day, 12.0, 40.0)
    spoken = day.readings()
    ends = {at(hour) for hour in (0.0, 8.0, 16.0, 24.0)}
    rare = {
        tag: tuple(zip(*((t, value) for t, value in zip(*said, strict=True) if t in ends), strict=True))
        for tag, said in spoken.moments.items()
    }
    often, _ = accounts_of(PLANT, spoken, EXACT)
    seldom, _ = accounts_of(PLANT, replace(spoken, moments=rare), EXACT)
    assert seldom.terms.missing == ()
    assert seldom.terms.received == pytest.approx(often.terms.received)
    assert seldom.terms.returned == pytest.approx(often.terms.returned)
    assert seldom.unaccounted_kg == pytest.approx(often.unaccounted_kg, abs=0.2)


def test_a_bay_whose_state_is_unknown_for_a_while_leaves_the_balance_unknown() -> None:
    day = HandMadeDay()
    tag = PLANT.tag("trailer", BAY, "state")
    day.state(tag, (3.0, None), (7.0, "absent"))
    whole, _ = accounts_of(PLANT, day.readings(), EXACT)
    assert whole.terms.missing == (tag,)


def test_a_bank_that_loses_gas_is_missing_gas() -> None:
    day = HandMadeDay()
    bank = PLANT.banks[0]
    day.level(PLANT.tag("storage", bank.unit, "pressure_a"), (13.0, 38.0))
    day.level(PLANT.tag("storage", bank.unit, "pressure_b"), (13.0, 38.0))
    lost = content(bank.volume_m3, 40.0, 20.0).kg - content(bank.volume_m3, 38.0, 20.0).kg
    assert accounts_of(PLANT, day.readings(), EXACT)[0].unaccounted_kg == pytest.approx(lost)


def test_the_cumulated_sum_is_that_of_a_sheet_of_paper() -> None:
    shares = [0.001, 0.012, 0.012, None, 0.012, 0.012, 0.014]
    days = [BalanceDay(DATE + dt.timedelta(days=n), share, 0.01) for n, share in enumerate(shares)]
    found = cusum_of(days)
    assert [round(day.above, 4) for day in found.days] == [0.0, 0.007, 0.014, 0.014, 0.021, 0.028, 0.037]
    assert all(day.below == 0.0 for day in found.days)
    assert (found.one_sided, found.verdict) == (5, "meter")
    assert not found.days[-1].beyond
    more = cusum_of([*days, BalanceDay(DATE + dt.timedelta(days=7), 0.012, 0.01)])
    assert more.days[-1].above == pytest.approx(0.044)
    assert more.days[-1].beyond


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [
        ([], "fine"),
        ([0.001, -0.002, 0.004], "fine"),
        ([0.001, -0.002, 0.034], "leak"),
        ([-0.008, -0.009, -0.007], "fine"),
        ([-0.008, -0.009, -0.007, -0.006], "meter"),
        ([-0.02, -0.02, -0.02], "beyond"),
        ([None, None], "fine"),
    ],
)
def test_the_row_of_days_is_judged(shares: list[float | None], verdict: str) -> None:
    days = [BalanceDay(DATE + dt.timedelta(days=n), share, None) for n, share in enumerate(shares)]
    assert cusum_of(days).verdict == verdict


# ---- fills and kilograms


def test_a_fill_is_told_with_all_that_the_vehicle_said() -> None:
    day = HandMadeDay()
    fill(day, 12.0, 40.0)
    (one,) = fills_of(PLANT, day.readings())
    assert (one.hose, one.start_ms, one.end_ms) == (HOSE, at(12.0), at(12.2))
    assert one.kg == pytest.approx(40.0)
    assert (one.start_mpa, one.end_mpa, one.start_c, one.end_c) == (7.0, 36.0, 15.0, 60.0)
    assert (one.start_soc, one.end_soc, one.completed, one.link, one.stop) == (18.0, 97.0, True, "yes", "soc")
    tank = content(2.1, 36.0, 60.0).kg - content(2.1, 7.0, 15.0).kg
    assert one.tank_kg == pytest.approx(tank)
    figures = fill_figures([one])
    assert (figures.completed, figures.broken, figures.full_share, figures.full_known) == (1, 0, 1.0, 1)


def test_kilograms_that_nobody_counted_are_not_nothing() -> None:
    day = HandMadeDay()
    fill(day, 12.0, 40.0)
    day.level(PLANT.tag("dispensing", HOSE, "total"), (12.195, math.nan))
    (one,) = fills_of(PLANT, day.readings())
    assert one.kg is None
    assert fill_figures([one]).kg_unknown == 1
    assert fill_figures([one]).mean_kg is None


def test_a_truck_without_a_link_and_one_that_loses_it_are_told_apart() -> None:
    day = HandMadeDay()
    fill(day, 9.0, 40.0)
    fill(day, 12.0, 40.0, total=1040.0)
    for role in ("pressure", "temperature", "soc"):
        day.level(PLANT.tag("vehicle", HOSE, role), (12.1, math.nan), (12.19, math.nan))
        day.levels[PLANT.tag("vehicle", HOSE, role)] = [
            (t_ms, math.nan if at(12.1) <= t_ms else value)
            for t_ms, value in day.levels[PLANT.tag("vehicle", HOSE, role)]
        ]
    first, second = fills_of(PLANT, day.readings())
    assert (first.link, second.link) == ("yes", "lost")
    assert (second.end_soc, second.tank_kg, second.stop) == (None, None, "other")


def test_a_fill_that_breaks_off_fills_no_truck_but_counts_its_kilograms() -> None:
    day = HandMadeDay()
    fill(day, 12.0, 17.0, ends="abort")
    fills = fills_of(PLANT, day.readings())
    assert [(one.completed, one.stop) for one in fills] == [(False, "abort")]
    figures = fill_figures(fills)
    assert (figures.completed, figures.broken, figures.full_share) == (0, 1, None)
    plan = DayPlan(DATE, (Booking("T1", at(11.5), 40.0), Booking("T2", at(12.4), 38.0)), (), "put")
    given = dispensing_of(PLANT, day.readings(), fills, plan)
    assert given.kg == pytest.approx(17.0)
    assert (given.planned_kg, given.planned_trucks) == (78.0, 2)
    noon = given.hours[12]
    assert (noon.kg, noon.trucks, noon.planned_kg, noon.planned_trucks) == (pytest.approx(17.0), 0, 38.0, 1)
    assert (given.given.value[0], given.given.value[-1], given.planned.value[-1]) == (0.0, 17.0, 78.0)


def test_a_fill_over_midnight_belongs_to_the_day_of_its_end() -> None:
    day = HandMadeDay()
    fill(day, -0.1, 40.0)
    assert [one.start_ms for one in fills_of(PLANT, day.readings())] == [at(-0.1)]
    late = HandMadeDay()
    fill(late, 23.9, 40.0)
    assert fills_of(PLANT, late.readings()) == []


def test_a_totaliser_that_is_silent_at_the_end_leaves_the_day_unknown() -> None:
    day = HandMadeDay()
    fill(day, 12.0, 40.0)
    day.level(PLANT.tag("dispensing", "hose-2A", "total"), (20.0, math.nan))
    readings = day.readings()
    given = dispensing_of(PLANT, readings, fills_of(PLANT, readings), None)
    assert given.kg is None
    assert [hour.kg for hour in given.hours[19:22]] == [0.0, None, None]
    assert given.given.value[-1] is None


# ---- trailers and stock


def test_a_trailer_is_told_from_docking_to_leaving() -> None:
    day = trailer_day()
    day.level(PLANT.tag("trailer", BAY, "flow"), (0.0, 42.8))
    scale = PLANT.tag("trailer", "weighbridge", "mass")
    day.level(scale, (0.0, 0.0), (1.5, 38_400.0), (1.53, 0.0), (9.6, 38_121.0), (9.63, 0.0))
    plan = DayPlan(DATE, (), (Delivery("R1", at(1.75), 278.0), Delivery("R2", at(20.0), 278.0)), "put")
    (stay,) = trailers_of(PLANT, day.readings(), plan)
    assert (stay.docked_ms, stay.open_ms, stay.closed_ms, stay.left_ms) == (at(2.0), at(2.5), at(9.25), at(9.5))
    assert stay.given_kg == pytest.approx(278.0, abs=1.0)  # DOMAIN 1.1
    assert stay.metered_kg == pytest.approx(42.8 * 6.75)
    assert stay.scale_kg == pytest.approx(279.0)
    assert (stay.announced_ms, stay.weighed_ms) == (at(1.75), at(1.5))


def test_a_trailer_that_stands_there_has_no_end_and_no_invented_numbers() -> None:
    day = HandMadeDay(until=5.0)
    day.state(PLANT.tag("trailer", BAY, "state"), (2.0, "docked"), (2.5, "open"))
    day.level(PLANT.tag("trailer", BAY, "temperature"), (1.9, 20.0))
    day.level(PLANT.tag("trailer", BAY, "pressure"), (1.9, 20.0))
    (stay,) = trailers_of(PLANT, day.readings(), None)
    assert (stay.closed_ms, stay.left_ms, stay.returned_kg, stay.metered_kg, stay.scale_kg) == (None,) * 5
    assert stay.brought_kg == pytest.approx(382.0, abs=1.0)


def test_stock_is_what_vessels_hold_and_unknown_where_an_instrument_is_silent() -> None:
    day = trailer_day()
    bank = PLANT.banks[2].unit
    day.level(PLANT.tag("storage", bank, "temperature"), (10.0, math.nan), (12.0, 20.0))
    stock = stock_of(PLANT, day.readings())
    one = next(held for held in stock.held if held.name == bank)
    assert one.opening == one.closing == pytest.approx(content(18.0, 40.0, 20.0).kg, rel=1e-4)
    assert one.known == pytest.approx(22 / 24)
    assert [stock.banks.value[place] is None for place in (58, 65, 73)] == [False, True, False]
    trailers = stock.held[-1]
    assert (trailers.opening, trailers.closing) == (0.0, 0.0)
    assert trailers.high == pytest.approx(382.0, abs=1.0)


# ---- machines, electricity, states


def test_a_machine_is_charged_with_what_is_known_of_it() -> None:
    day = HandMadeDay()
    tag = PLANT.tag("compression", "train-1", "state")
    day.state(tag, (2.0, "start"), (2.1, "loaded"), (6.0, "trip"), (8.0, "stop"), (10.0, "loaded"), (12.0, None))
    machines = machines_of(PLANT, day.readings())
    one = machines[0]
    assert (one.unit, one.starts, one.failures) == ("train-1", 2, 1)
    assert (one.running, one.at_work, one.down, one.unknown) == pytest.approx((6.0, 5.9, 2.0, 12.0))
    assert one.availability == pytest.approx(1 - 2 / 12)
    assert one.hours_between_failures == pytest.approx(6.0)
    assert availability_of(machines, "compression") == pytest.approx(1 - 2 / (12 + 3 * 24))
    assert machines[1].hours_between_failures is None


def test_electricity_is_counted_and_shared_out() -> None:
    day = HandMadeDay()
    day.level(PLANT.tag("compression", "train-1", "power"), (0.0, 120.0))
    day.level(PLANT.tag("cooling", "chiller-1", "power"), (0.0, 30.0))
    day.level(PLANT.tag("utilities", "power", "energy"), (23.9, 9600.0))
    found = energy_of(PLANT, day.readings(), 3000.0)
    assert (found.site, found.trains, found.chillers, found.rest) == pytest.approx((4600.0, 2880.0, 720.0, 1000.0))
    assert found.per_kg == pytest.approx(4600 / 3000)
    assert energy_of(PLANT, day.readings(), None).per_kg is None


def test_electricity_of_a_silent_meter_is_not_known() -> None:
    day = HandMadeDay()
    day.level(PLANT.tag("compression", "train-1", "power"), (3.0, math.nan), (4.0, 0.0))
    found = energy_of(PLANT, day.readings(), 3000.0)
    assert (found.trains, found.rest) == (None, None)
    assert found.chillers == 0.0
    assert found.metered_share == pytest.approx(23 / 24)


def test_a_state_is_unknown_once_it_is_three_minutes_old_or_bad() -> None:
    said = [Reading("X", t * MINUTE, 1.0) for t in range(3)] + [Reading("X", 10 * MINUTE, 2.0)]
    said += [Reading("X", 11 * MINUTE, 2.0, "bad:sensor"), Reading("X", 12 * MINUTE, 2.0)]
    steps = steps_of(said, 20 * MINUTE)
    minutes = [(t_ms / MINUTE, value) for t_ms, value in steps]
    assert minutes == [(0, 1.0), (5, None), (10, 2.0), (11, None), (12, 2.0), (15, None)]
    hours = [(span.state, round(span.hours * 60)) for span in spans_of(steps, -5 * MINUTE, 20 * MINUTE)]
    assert hours == [(None, 5), (1, 5), (None, 5), (2, 1), (None, 1), (2, 3), (None, 5)]


# ---- alarms, messages


def row(hour: float, alarm: str, event: str, occurrence: str, note: str = "") -> JournalEntry:
    state = {"state": {"priority": "high"}}
    return JournalEntry("jinma", alarm, occurrence, event, at(hour), at(hour), "li", note=note, detail=state)


def test_alarms_of_the_day_and_those_that_stand_from_days_before() -> None:
    day = ReportDay.of(PLANT, DATE, at(24.0))
    journal = [
        row(-30.0, "A.H", "raised", "A1"),
        row(-5.0, "B.H", "raised", "B1"),
        row(3.5, "C.H", "raised", "C1"),
        row(3.6, "C.H", "acked", "C1"),
        row(4.0, "C.H", "cleared", "C1"),
        row(5.0, "D.H", "shelved", "", "sensor is exchanged"),
    ]
    found = alarm_day(day, journal)
    assert (found.count, found.hourly[3], sum(found.hourly)) == (1, 1, 1)
    assert found.stale == ("A.H", "B.H")
    assert found.priority_percent["high"] == 100.0
    high = next(one for one in found.acknowledged if one.priority == "high")
    assert (high.raised, high.count, high.median_min, high.within_target_percent) == (1, 1, 6.0, 0.0)
    assert [(one.alarm, one.how, one.who, one.note) for one in found.hidden] == [
        ("D.H", "shelved", "li", "sensor is exchanged")
    ]


def test_messages_are_counted_by_area_and_gaps_that_touch_are_one() -> None:
    def minute(unit: str, place: int, gaps: int) -> UnitMinute:
        start = START + place * MINUTE
        return UnitMinute("storage", unit, 60 - gaps, gaps, 1, 0, 0, start, start + MINUTE)

    counts = [minute("bank-HB", 0, 10), minute("bank-HB", 1, 5), minute("bank-HB", 9, 1), minute("bank-LB", 0, 0)]
    found = completeness_of(PLANT, HandMadeDay().readings(), counts)
    (area,) = found.areas
    assert (area.area, area.received, area.missing, area.late) == ("storage", 224, 16, 4)
    assert area.share == found.share == pytest.approx(224 / 240)
    assert [(gap.from_ms, gap.to_ms, gap.missing) for gap in found.gaps] == [
        (START, START + 2 * MINUTE, 15),
        (START + 9 * MINUTE, START + 10 * MINUTE, 1),
    ]
    assert (found.minutes_known, found.silent) == (1.0, ())


# ---- the whole


def test_a_day_with_a_hole_says_so_and_one_that_is_not_over_too() -> None:
    day = HandMadeDay(until=12.0)
    total = PLANT.tag("dispensing", HOSE, "total")
    day.level(total, (6.0, math.nan), (9.0, 1000.0))
    report = daily_report(PLANT, day.readings(), _records(), field_accuracy(PLANT), 1, "test")
    assert not report.day.complete
    assert [(one.tag, one.minutes) for one in report.completeness.silent] == [(total, 180)]
    assert report.completeness.minutes_known < 1.0
    assert report.dispensing.kg == 0.0  # a counter counts on while nobody listens
    assert (report.alarms, report.scorecard, report.worst_wait_min) == (None, None, None)


def test_two_reports_are_the_same_but_for_when_they_were_made() -> None:
    first = daily_report(PLANT, HandMadeDay().readings(), _records(), field_accuracy(PLANT), 1, "test")
    again = daily_report(PLANT, HandMadeDay().readings(), _records(), field_accuracy(PLANT), 2, "newer")
    assert again.says_the_same_as(replace(first, version=4))
    day = HandMadeDay()
    fill(day, 12.0, 40.0)
    other = daily_report(PLANT, day.readings(), _records(), field_accuracy(PLANT), 2, "test")
    assert not other.says_the_same_as(first)


def test_only_some_seconds_around_each_change_are_asked_for() -> None:
    day = trailer_day()
    fill(day, 12.0, 40.0)
    readings = day.readings()
    asked = windows(PLANT, readings.day, readings.steps)
    assert sum(end - start for start, end in asked[PLANT.tag("vehicle", HOSE, "soc")]) <= 4 * 40_000
    assert all(start < end for stretches in asked.values() for start, end in stretches)
    assert all(a[1] < b[0] for stretches in asked.values() for a, b in pairwise(stretches))


def _records() -> DayRecords:
    return DayRecords(None, None, [], None, None, [])


def test_what_a_station_file_lacks_is_named() -> None:
    check_needs(PLANT)
    without = dict(PLANT.signals)
    for role in ("power", "energy"):
        del without[PLANT.tag("utilities", "power", role)]
    with pytest.raises(NoReportError, match="lacks utilities/power power, utilities/power energy"):
        check_needs(replace(PLANT, signals=without))
    with pytest.raises(NoReportError, match="lacks a hose"):
        check_needs(replace(PLANT, hoses=()))
