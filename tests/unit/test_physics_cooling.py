"""Chillers on one brine tank: duty and performance by air and brine, defrost, restart, and the heat that adds up."""

from __future__ import annotations

import pytest

from simulators.physics.cooling import DEFROST, RUN, START, STOP, TRIP, Cooling, duty_factor, performance
from tests.support.plants import jinma

GAS_KW = 120.0


def run(
    cooling: Cooling,
    minutes: float,
    *,
    ambient_c: float = 25.0,
    hour: float = 12.0,
    powered: bool = True,
    gas_kw: float = GAS_KW,
) -> None:
    for _ in range(round(minutes * 6)):
        cooling.heat_j += gas_kw * 1e4
        cooling.advance(hour, 10.0, ambient_c, powered)


def test_the_duty_holds_at_35_degrees_and_follows_air_and_brine() -> None:
    assert duty_factor(35.0, 0.0) == 1.0
    assert duty_factor(40.0, 0.0) == pytest.approx(0.95)
    assert duty_factor(35.0, 5.0) == pytest.approx(1.15)
    assert duty_factor(35.0, 50.0) == duty_factor(-10.0, 50.0) == 1.25


def test_the_performance_falls_with_warm_air_and_with_load_and_rises_with_warm_brine() -> None:
    assert 1.7 < performance(-24.0, 20.0, 0.5) < 2.3
    assert performance(-24.0, 40.0, 0.5) < performance(-24.0, 20.0, 0.5)
    assert performance(-24.0, 20.0, 1.0) < performance(-24.0, 20.0, 0.5)
    assert performance(-18.0, 20.0, 0.5) > performance(-24.0, 20.0, 0.5)


def test_what_the_gas_gives_off_the_brine_holds_or_the_chillers_take() -> None:
    cooling = Cooling(jinma().chillers)
    before = cooling.brine_j
    run(cooling, 240.0)
    assert cooling.heat_in_j == pytest.approx(GAS_KW * 1e3 * 240 * 60)
    change = cooling.heat_in_j + cooling.gains_j - cooling.removed_j
    assert cooling.brine_j - before == pytest.approx(change, abs=1.0)
    assert cooling.gains_j > 0.0
    assert -25.0 < cooling.brine_c < -22.5


def test_heat_costs_more_electricity_on_a_hot_day() -> None:
    mild, hot = Cooling(jinma().chillers), Cooling(jinma().chillers)
    run(mild, 60.0, ambient_c=15.0)
    run(hot, 60.0, ambient_c=40.0)
    assert sum(unit.power_kw for unit in hot.units) > 1.3 * sum(unit.power_kw for unit in mild.units)
    assert all(unit.power_kw < 120.0 for unit in hot.units)


def test_a_chiller_of_half_its_duty_sends_out_warmer_brine_than_the_other_once_both_are_called() -> None:
    cooling = Cooling(jinma().chillers)
    cooling.units[0].lost_share = 0.5
    run(cooling, 60.0, gas_kw=230.0)
    weak, sound = cooling.units
    assert weak.duty_kw < 0.65 * sound.duty_kw
    assert weak.supply_c > sound.supply_c + 1.0
    assert weak.power_kw < sound.power_kw - 20.0


def test_a_lost_chillers_circuit_stands_and_warms_towards_the_air_while_the_tank_stays_cold() -> None:
    cooling = Cooling(jinma().chillers)
    cooling.units[0].lost_share = 1.0
    run(cooling, 10.0, ambient_c=20.0, gas_kw=60.0)
    lost, sound = cooling.units
    assert lost.state == TRIP
    assert lost.flow_m3_h < 1.0
    assert -19.0 < lost.supply_c < -15.0
    assert sound.supply_c < -22.0
    cooling.units[0].lost_share = 0.0
    run(cooling, 10.0, ambient_c=20.0, gas_kw=60.0)
    assert lost.state == RUN
    assert lost.supply_c < -23.0


def test_defrost_stops_the_cooling_but_not_the_pump() -> None:
    cooling = Cooling(jinma().chillers)
    run(cooling, 5.0, hour=2.6)
    assert [unit.state for unit in cooling.units] == [DEFROST, RUN]
    assert cooling.units[0].duty_kw == 0.0
    assert cooling.units[0].flow_m3_h > 20.0


def test_after_a_power_cut_the_chillers_start_one_after_the_other() -> None:
    cooling = Cooling(jinma().chillers)
    run(cooling, 2.0, powered=False, gas_kw=0.0)
    assert [unit.state for unit in cooling.units] == [STOP, STOP]
    assert all(unit.power_kw == unit.duty_kw == 0.0 for unit in cooling.units)
    seen = []
    for _ in range(36):
        run(cooling, 1 / 6, gas_kw=0.0)
        seen.append(tuple(unit.state for unit in cooling.units))
    assert (START, START) not in seen
    assert seen[-1] == (RUN, RUN)
    assert next(n for n, pair in enumerate(seen) if pair[1] == START) > next(
        n for n, pair in enumerate(seen) if pair[0] == START
    )
