"""The trailers that come into each lane: those announced, and those that the supplier sends by himself.

The supplier sends one more when the stock on the site falls below a mark and none is announced for soon (DOMAIN 1.1).
A call follows from the course of its own lane, so it cannot be drawn before.
"""

from __future__ import annotations

import numpy as np

from station.domain.lanes import NEVER, Bool, Float, Frame, Int, Lanes, counts_by_minute

_MOST_CALLS = 6
"""Trailers that the supplier can have on the road for one lane: one each `lead_min`, longer than any horizon lasts."""


class LaneDeliveries:
    """Trailers of all lanes, by arrival."""

    def __init__(self, frame: Frame, lanes: Lanes) -> None:
        """Lay the announced ones out.

        Args:
            frame: What all lanes share.
            lanes: What differs; not changed.
        """
        self._rules, self._steps = frame.on_call, frame.steps
        self._calling: Bool = lanes.on_call.copy()
        self._calls: Int = np.zeros(lanes.count, dtype=np.int64)
        rows = _MOST_CALLS if self._calling.any() else 0
        padding = np.full((rows, lanes.count), NEVER)
        self._kg = np.concatenate((lanes.delivery_kg, np.zeros_like(padding)))
        self._eta = np.concatenate((lanes.delivery_eta_min, padding, np.full((1, lanes.count), NEVER)))
        self._by = counts_by_minute(lanes.delivery_min, frame.steps)
        self._taken: Int = np.zeros(lanes.count, dtype=np.int64)
        more = np.diff(self._by, axis=0, prepend=0)
        # By minute: whether a trailer comes in any lane.
        self._coming: Bool = np.logical_or.reduce(more > 0, axis=1)
        self._look_for_next(0)

    def come(self, minute: int) -> bool:
        """Return whether a trailer comes in any lane in this minute."""
        return bool(self._coming[minute])

    def lanes_with_some(self, minute: int) -> Int:
        """Return the lanes in whose yard a trailer stands."""
        return np.asarray((self._by[minute] > self._taken).nonzero()[0])

    def take(self, lane: Int) -> Float:
        """Take one trailer out of the yard of each of these lanes and return their mass [kg]."""
        kg = self._kg[self._taken[lane], lane]
        self._taken[lane] += 1
        return np.asarray(kg)

    # --- the supplier's own ---

    def may_call(self, minute: int) -> bool:
        """Return whether any lane has nothing announced for soon."""
        if self._coming[minute]:
            self._look_for_next(minute)
        return minute + self._rules.lead_min < self._furthest

    def call(self, minute: int, docked_kg: Float) -> None:
        """Send one more trailer into the lanes that have too little and await nothing soon.

        Args:
            minute: Now.
            docked_kg: Usable in the bays of each lane [kg].
        """
        rules = self._rules
        stock = docked_kg + (self._by[minute] - self._taken) * rules.usable_kg
        wanting = self._calling & (stock < rules.below_kg) & (self._next_eta > minute + rules.lead_min)
        lane = wanting.nonzero()[0]
        if lane.size:
            self._send(lane, minute + round(rules.lead_min))
            self._look_for_next(minute)

    def _send(self, lane: Int, at: int) -> None:
        if at < self._steps:
            for one in lane:
                place = self._by[at, one]
                self._kg[place + 1 :, one] = self._kg[place:-1, one].copy()
                self._kg[place, one] = self._rules.gross_kg
                self._eta[place + 1 :, one] = self._eta[place:-1, one].copy()
                self._eta[place, one] = at
            self._by[at:, lane] += 1
            self._coming[at] = True
        self._calls[lane] += 1
        # One that comes after the end is never looked for again either.
        self._calling[lane] = (self._calls[lane] < _MOST_CALLS) & (at < self._steps)

    def _look_for_next(self, minute: int) -> None:
        """Note the soonest announced arrival of those that each lane still awaits."""
        awaited = np.arange(len(self._eta))[:, np.newaxis] >= self._by[minute]
        self._next_eta = np.where(awaited, self._eta, NEVER).min(axis=0)
        self._furthest = float(self._next_eta[self._calling].max(initial=-NEVER))
