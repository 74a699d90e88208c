"""A frame of round numbers and lanes drawn at random, for tests of the reduced station alone.

Only sums, products and quotients of drawn numbers are used: recorded results hold on any machine, and they do not
move when the station file or an estimate does.
"""

from __future__ import annotations

import numpy as np

from station.domain.lanes import NEVER, Float, Frame, Lanes, OnCall, Trucks

BAYS, BANKS, HOSES = 4, 3, 8
FLOOR_KG, FULL_KG, BANK_KG = 104.4, 382.4, 514.5

_ISOTHERM = (1.209093530766, 8.577116185774e-3, 1.03447248345e-4, 6.85408726553e-7, 3.27957664146e-9)
"""Hydrogen at 20 degC, p [MPa] = rho (c0 + c1 rho + ..)."""

_TANK = ((5.377, 5.364), (26.644, 28.718), (4.458, 5.407), (0.512, 0.038))
"""Tank pressure over the share of a fill, cooled and uncooled [MPa]."""


def frame_of_round_numbers(
    steps: int, hoses: int = HOSES, connect_min: float = 3.0, patience_min: float = 60.0
) -> Frame:
    """Return a frame much like the shipped station's at 20 degC.

    Args:
        steps: Minutes to run.
        hoses: How many.
        connect_min: From a free hose to the first gas.
        patience_min: How long a driver waits.
    """
    vessels = BAYS + BANKS
    return Frame(
        steps=steps,
        isotherm=np.repeat(np.array(_ISOTHERM)[:, np.newaxis], vessels, axis=1)[:, :, np.newaxis],
        inverse_volume=1.0 / np.array([26.0] * BAYS + [18.0] * BANKS)[:, np.newaxis],
        bays=BAYS,
        banks=BANKS,
        hoses=hoses,
        floor_kg=np.full((BAYS, 1), FLOOR_KG),
        full_kg=FULL_KG,
        rated_suction_density=7.796,
        recharge_start_mpa=(43.0,) * BANKS,
        recharge_stop_kg=(BANK_KG,) * BANKS,
        bank_floor_mpa=(12.0, 22.0, 39.0),
        haste_mpa=(12.0, 8.0, 4.0),
        recharge_order=(2, 1, 0),
        draw_order=(0, 1, 2),
        margin_mpa=2.5,
        direct_fill_min_mpa=8.5,
        flow_cap_kg_min=3.0,
        connect_min=connect_min,
        hold_min=20.0,
        patience_min=patience_min,
        swap_min=60.0,
        on_call=OnCall(below_kg=600.0, empty_kg=FLOOR_KG, usable_kg=278.0, gross_kg=FULL_KG, lead_min=90.0),
    )


def drawn_lanes(draw: np.random.Generator, steps: int, count: int, trucks: int, trailers: int) -> Lanes:
    """Return lanes of every kind of course: thin or rich supply, outages of trains, chillers and hoses, limits relaxed.

    Args:
        draw: Source of all chance.
        steps: Minutes.
        count: Lanes.
        trucks: How many come in each lane; two more stand at hoses.
        trailers: Deliveries of each lane, some of which never come.
    """
    shape = (steps, count)
    minutes = np.arange(steps)[:, np.newaxis]
    bays_open = draw.random((BAYS, count)) < 0.7
    comes = draw.random((BAYS, count)) < 0.2
    delivery = np.sort(draw.random((trailers, count)) * steps * 1.3, axis=0)
    down_from = np.where(draw.random((HOSES, count)) < 0.1, -1.0, draw.random((HOSES, count)) * steps * 4.0)
    down_from[:2] = steps * 0.5
    fails, lasts = draw.random((2, 3, count)) * steps
    trains, chillers = np.full(shape, 7.33), np.full(shape, 25.6)
    trains *= 1.0 - 0.75 * ((minutes >= fails[0]) & (minutes < fails[0] + lasts[0]))
    trains *= 1.0 - draw.random(count) * ((minutes >= fails[1]) & (minutes < fails[1] + lasts[1]))
    chillers *= 1.0 - 0.8 * ((minutes >= fails[2]) & (minutes < fails[2] + lasts[2]))
    ramp = np.repeat([[12.6], [22.8]], count, axis=1)
    return Lanes(
        trucks=_drawn_trucks(draw, steps, count, trucks),
        mass_kg=np.concatenate(
            (
                np.where(bays_open, FLOOR_KG + draw.random((BAYS, count)) * (FULL_KG - FLOOR_KG), 0.0),
                BANK_KG * (0.5 + 0.5 * draw.random((BANKS, count))),
            )
        ),
        bay_open=bays_open,
        opens_at_min=np.where(comes & ~bays_open, draw.random((BAYS, count)) * 90.0, NEVER),
        incoming_kg=np.where(comes & ~bays_open, FULL_KG, 0.0),
        delivery_min=np.where(delivery < steps, delivery, NEVER),
        delivery_kg=FULL_KG - 30.0 * draw.random((trailers, count)),
        delivery_eta_min=delivery,
        on_call=np.zeros(count, dtype=np.bool_),
        train_kg_min=trains,
        cooling_kg_min=chillers,
        leak_share_min=np.zeros((BANKS, count)),
        leak_until_min=np.zeros(count),
        hose_down_from=down_from,
        hose_down_until=down_from + draw.random((HOSES, count)) * steps,
        tank_mpa=np.repeat(np.array(_TANK)[:, :, np.newaxis], count, axis=2),
        ramp_min=np.where(draw.random(count) < 0.1, 4.0, ramp),
        hot_end_share=1.0 - 0.2 * draw.random(count),
        free_supply=draw.random(count) < 0.1,
        free_storage=draw.random(count) < 0.1,
        free_hoses=draw.random(count) < 0.1,
    )


def _drawn_trucks(draw: np.random.Generator, steps: int, count: int, trucks: int) -> Trucks:
    here = np.full((2, count), -12.0)
    arrive = np.sort(draw.random((trucks, count)) * steps, axis=0)
    asked = 15.0 + 40.0 * draw.random((trucks + 2, count))
    asked[2:][draw.random((trucks, count)) < 0.05] = 0.0
    return Trucks(
        arrive_min=np.concatenate((here, arrive)),
        asked_kg=asked,
        after_min=1.0 + 6.0 * draw.random((trucks + 2, count)),
        at_hose=(0, 1),
        given_kg=(8.0, 0.0),
        connect_left_min=(0.0, 2.0),
    )


def queue_lanes(arrive_min: Float, service_min: Float, steps: int, hoses: int) -> Lanes:
    """Return lanes in which nothing limits but the hoses: any fill is done in its first minute.

    Args:
        arrive_min: Sorted arrivals, [trucks, lanes].
        service_min: How long each truck holds its hose, at least one minute, same shape.
        steps: Minutes.
        hoses: How many.
    """
    count = arrive_min.shape[1]
    plenty = np.broadcast_to(np.full(count, 1e5), (steps, count))
    never, on, off = np.full((BAYS, count), NEVER), np.ones(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    return Lanes(
        trucks=Trucks(arrive_min, np.full_like(arrive_min, 0.01), service_min - 1.0, (), (), ()),
        mass_kg=np.concatenate((np.full((BAYS, count), FULL_KG), np.full((BANKS, count), BANK_KG))),
        bay_open=np.ones((BAYS, count), dtype=np.bool_),
        opens_at_min=never,
        incoming_kg=np.zeros((BAYS, count)),
        delivery_min=np.full((1, count), NEVER),
        delivery_kg=np.zeros((1, count)),
        delivery_eta_min=np.full((1, count), NEVER),
        on_call=off,
        train_kg_min=plenty,
        cooling_kg_min=plenty,
        leak_share_min=np.zeros((BANKS, count)),
        leak_until_min=np.zeros(count),
        hose_down_from=np.full((hoses, count), NEVER),
        hose_down_until=np.full((hoses, count), NEVER),
        tank_mpa=np.repeat(np.array(_TANK)[:, :, np.newaxis], count, axis=2),
        ramp_min=np.full((2, count), 1.0),
        hot_end_share=on.astype(np.float64),
        free_supply=on,
        free_storage=on,
        free_hoses=off,
    )
