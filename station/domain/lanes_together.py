"""Lanes put side by side, and taken out again."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from station.domain.lanes import NEVER, Float, Lanes, Trucks


def repeated(lane: Lanes, count: int) -> Lanes:
    """Return a lane so many times."""
    return joined([lane] * count)


def joined(lanes: list[Lanes]) -> Lanes:
    """Return all lanes side by side; shorter lists of trailers are padded with trailers that never come."""
    rows = max(len(lane.delivery_min) for lane in lanes)
    padded = {
        name: np.concatenate([_padded(getattr(lane, name), rows, by) for lane in lanes], axis=1)
        for name, by in (("delivery_min", NEVER), ("delivery_kg", 0.0), ("delivery_eta_min", NEVER))
    }
    arrays = {
        f.name: np.concatenate([getattr(lane, f.name) for lane in lanes], axis=-1)
        for f in fields(Lanes)
        if f.name not in ("trucks", *padded)
    }
    return Lanes(trucks=_joined_trucks([lane.trucks for lane in lanes]), **padded, **arrays)


def _joined_trucks(trucks: list[Trucks]) -> Trucks:
    return replace(
        trucks[0],
        arrive_min=np.concatenate([t.arrive_min for t in trucks], axis=1),
        asked_kg=np.concatenate([t.asked_kg for t in trucks], axis=1),
        after_min=np.concatenate([t.after_min for t in trucks], axis=1),
    )


def _padded(values: Float, rows: int, by: float) -> Float:
    missing = rows - len(values)
    if missing == 0:
        return values
    return np.concatenate((values, np.full((missing, values.shape[1]), by)))


def one_lane(lanes: Lanes, index: int) -> Lanes:
    """Return one lane of many."""
    cut = slice(index, index + 1)
    trucks = replace(
        lanes.trucks,
        arrive_min=lanes.trucks.arrive_min[:, cut],
        asked_kg=lanes.trucks.asked_kg[:, cut],
        after_min=lanes.trucks.after_min[:, cut],
    )
    arrays = {f.name: getattr(lanes, f.name)[..., cut] for f in fields(Lanes) if f.name != "trucks"}
    return Lanes(trucks=trucks, **arrays)
