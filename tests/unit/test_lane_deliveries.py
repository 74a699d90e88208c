"""Trailers that the supplier sends by himself in the course of a lane, and whether he is believed to."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from station.domain.capacity_parameters import CapacityParameters
from station.domain.lanes import NEVER, Lanes
from station.domain.reduced_station import ReducedStation
from station.domain.supply_outlook import outlook_of
from tests.support.capacity_snapshots import snapshot
from tests.support.drawn_lanes import FULL_KG, drawn_lanes, frame_of_round_numbers, queue_lanes
from tests.support.plants import jinma

STEPS = 600
RULES = CapacityParameters()
LOW, ENOUGH = FULL_KG - 150.0, FULL_KG
"""One trailer of 128 kg usable alone is little; two full ones of 278 are under the mark of 600, three over it."""


def lane(docked: tuple[float, ...], *, eta: float = NEVER, comes: float = NEVER, on_call: bool = True) -> Lanes:
    """Return one lane without trucks, trailers of these masses docked, perhaps one announced."""
    quiet = queue_lanes(np.full((1, 1), NEVER), np.ones((1, 1)), STEPS, 8)
    kg = np.zeros((4, 1))
    kg[: len(docked), 0] = docked
    return dataclasses.replace(
        quiet,
        mass_kg=np.concatenate((kg, quiet.mass_kg[4:])),
        bay_open=kg > 0.0,
        delivery_min=np.array([[comes]]),
        delivery_kg=np.array([[FULL_KG]]),
        delivery_eta_min=np.array([[eta]]),
        on_call=np.array([on_call]),
        free_supply=np.array([False]),
    )


def received(one: Lanes) -> float:
    """Return how many trailers have come and opened."""
    return float(ReducedStation(frame_of_round_numbers(STEPS), one, ()).run().received_kg[0]) / FULL_KG


def test_one_is_sent_when_the_stock_is_low_and_then_it_is_not() -> None:
    # 90 min on the road and 60 min to open: with 128 kg two are sent until the stock is over 600 kg.
    assert received(lane((LOW,))) == pytest.approx(2.0)
    assert received(lane((LOW, ENOUGH))) == pytest.approx(1.0)
    assert received(lane((ENOUGH, ENOUGH, ENOUGH))) == 0.0


def test_none_is_sent_where_the_supplier_cannot() -> None:
    assert received(lane((LOW,), on_call=False)) == 0.0


def test_none_is_sent_while_one_is_announced_for_soon_be_it_late_or_not() -> None:
    assert received(lane((LOW, ENOUGH), eta=50.0, comes=60.0)) == pytest.approx(1.0)
    # Announced and missing for the whole run: the supplier thinks that it comes.
    assert received(lane((LOW, ENOUGH), eta=-30.0)) == 0.0
    # Announced for later than an on-call trailer takes: one is sent, and both come.
    assert received(lane((LOW, ENOUGH), eta=300.0, comes=310.0)) == pytest.approx(2.0)


def test_one_sent_late_in_the_run_does_not_come_any_more() -> None:
    one = lane((ENOUGH, ENOUGH, ENOUGH))
    # A truck empties the stock towards the end.
    late = dataclasses.replace(
        one.trucks, arrive_min=np.array([[540.0]]), asked_kg=np.array([[400.0]]), after_min=np.array([[3.0]])
    )
    assert received(dataclasses.replace(one, trucks=late)) == 0.0


@pytest.mark.parametrize("seed", range(6))
def test_a_supplier_who_sends_more_conserves_mass_and_serves_no_less(seed: int) -> None:
    lanes = drawn_lanes(np.random.default_rng(seed), STEPS, 24, 40, 3)
    frame = frame_of_round_numbers(STEPS)
    alone = ReducedStation(frame, lanes, ()).run()
    helped = ReducedStation(frame, dataclasses.replace(lanes, on_call=~lanes.free_supply), ()).run()
    assert np.abs(helped.closure_kg()).max() < 1e-6
    assert (helped.received_kg >= alone.received_kg - 1e-6).all()
    assert (helped.received_kg > alone.received_kg + 100.0).any()
    assert (helped.dispensed_kg >= alone.dispensed_kg - 3.0).all()


def belief(hours: tuple[float, ...], bay_mpa: tuple[float | None, ...] = (20.0, 15.0, 10.0, None)) -> float:
    return outlook_of(jinma(), snapshot(8.0, trailer_hours=hours, bay_mpa=bay_mpa, overdue=True), RULES).on_call


def test_a_supplier_is_believed_until_he_does_not_do_it() -> None:
    usual = (9.0, 10.6, 12.2, 13.8)
    assert belief(usual) == RULES.on_call_share
    dry = (8.0, None, None, None)
    # One is due within 90 min: nothing follows from his sending none.
    assert belief(usual, dry) == RULES.on_call_share
    assert belief((9.6, 11.2, 12.8), dry) == 0.0


def test_who_announces_none_for_hours_has_none_to_send() -> None:
    assert belief((9.0, 10.6, 20.0, 20.4)) == 0.0
    assert belief((15.0, 16.6, 18.2)) == 0.0


def test_a_supply_that_has_gone_quiet_sends_none_either() -> None:
    assert belief((5.0, 6.5, 9.0, 10.6)) < 0.1
