"""The block that a shortage is laid to: each single cause is named, short in the base case or in replicas alone."""

from __future__ import annotations

import dataclasses

import pytest

from station.domain.capacity import forecast
from station.domain.capacity_snapshot import StationSnapshot
from station.domain.plant import Plant
from tests.support.capacity_snapshots import snapshot
from tests.support.plants import jinma

FULL = (20.0, 20.0, 20.0, 18.0)
SHORT_KG = 40.0


def slow_to_mend_hoses() -> Plant:
    """The shipped station, whose hoses take half a day to mend: an hour without one is made up for."""
    plant = jinma()
    return dataclasses.replace(plant, hoses=tuple(dataclasses.replace(h, mttr_median_h=12.0) for h in plant.hoses))


def banks_away(now: StationSnapshot) -> StationSnapshot:
    """Medium and high bank have leaked empty."""
    low, *others = now.banks
    return dataclasses.replace(now, banks=(low, *(dataclasses.replace(b, pressure_mpa=1.0) for b in others)))


CERTAIN = [
    ("trailers", snapshot(13.0, trailer_hours=[19.0, 22.0])),
    ("trailers", snapshot(15.0, trailer_hours=[12.0, 13.5, 18.0, 20.0], overdue=True, bay_mpa=(12.0, 8.0, None, None))),
    ("compression", snapshot(14.0, trains_down=3, yard=3, bay_mpa=FULL, trucks=130)),
    ("storage", banks_away(snapshot(16.0, yard=3, bay_mpa=FULL, trucks=120))),
    ("cooling", snapshot(16.0, chillers_down=2, warm_c=42.0, yard=2, bay_mpa=FULL)),
]

POSSIBLE = [
    ("trailers", snapshot(12.0, trucks=136)),
    ("compression", snapshot(7.0, trains_down=3, yard=3, bay_mpa=FULL, trucks=84)),
    ("storage", banks_away(snapshot(16.0, yard=3, bay_mpa=FULL, trucks=92))),
    ("cooling", snapshot(16.0, chillers_down=2, warm_c=41.25, yard=2, bay_mpa=FULL, trucks=98)),
]


@pytest.mark.parametrize(("block", "now"), CERTAIN)
def test_a_single_cause_is_named_where_the_base_case_is_short(block: str, now: StationSnapshot) -> None:
    f = forecast(jinma(), now, 0)
    assert f.detail.base_shortfall_kg >= SHORT_KG
    assert f.bottleneck == block


@pytest.mark.parametrize(("block", "now"), POSSIBLE)
def test_a_single_cause_is_named_where_only_replicas_are_short(block: str, now: StationSnapshot) -> None:
    f = forecast(jinma(), now, 30)
    assert f.detail.base_shortfall_kg < SHORT_KG
    assert f.shortfall_probability > 0.0
    assert f.detail.short_kg >= SHORT_KG
    assert f.bottleneck == block


@pytest.mark.parametrize(("hoses", "trucks", "replicas"), [(1, 100, 0), (2, 95, 30)])
def test_hoses_that_are_away_for_long_are_named(hoses: int, trucks: int, replicas: int) -> None:
    plant = slow_to_mend_hoses()
    f = forecast(plant, snapshot(15.0, plant=plant, hoses=hoses, yard=3, bay_mpa=FULL, trucks=trucks), replicas)
    # With replicas the base case is fine, without them it is what is short.
    assert (f.detail.base_shortfall_kg < SHORT_KG) is (replicas > 0)
    assert f.detail.short_kg >= SHORT_KG
    assert f.bottleneck == "dispensing"
