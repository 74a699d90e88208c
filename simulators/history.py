"""History: a stretch of the past made quickly, straight into a store, so that a first page has a day to show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

from simulators.station import SimulatedStation
from station.domain.signals import UnitMessage

BATCH_S: Final = 3600.0
"""Made and handed over at once: some 3500 messages at a minute's spacing."""

Write = Callable[[list[UnitMessage]], None]
OnTime = Callable[[int], None]
"""Told the station time reached, epoch ms."""


def fill_history(
    station: SimulatedStation,
    store_write: Write,
    start: dt.datetime,
    end: dt.datetime,
    step_s: float = 10.0,
    every: dt.timedelta = dt.timedelta(seconds=60),
    on_time: OnTime | None = None,
) -> int:
    """Advance a station to `end` and store what it says from `start` on.

    The last part of a step before `end` passes at 1 s, so that the station stands within a second of `end`. Its devices
    have then booted anew.

    Args:
        station: Where it stands; not after `start`.
        store_write: The store's port.
        start: From here on messages are stored.
        end: Where to stop.
        step_s: Step of the physics [s].
        every: One message a unit in this time, besides what changes.
        on_time: Told how far it is, after each batch.

    Returns:
        How many messages were stored.
    """
    start_ms, end_ms = _epoch_ms(start), _epoch_ms(end)
    stored = 0
    while (left_s := (end_ms - station.t_ms) / 1000.0) >= 1.0:
        grain_s = step_s if left_s >= step_s else 1.0
        seconds = min(BATCH_S, left_s) // grain_s * grain_s
        messages = [m for m in station.advance(seconds, step_s=grain_s, every=every) if m.t_ms >= start_ms]
        if messages:
            store_write(messages)
        stored += len(messages)
        if on_time is not None:
            on_time(station.t_ms)
    if stored:
        station.reboot()  # those who count messages must not miss the numbers that went past them
    return stored


def _epoch_ms(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1000)
