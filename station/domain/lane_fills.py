"""The trucks of all lanes at once: who waits in line, who stands at a hose, what each takes in a minute.

Hoses are empty most of the time. So fills under way are kept packed, one column a fill, whatever its lane and hose;
a minute costs as much as there are fills.
"""

from __future__ import annotations

import numpy as np

from station.domain.lanes import NEVER, Bool, Float, Frame, Int, Lanes, counts_by_minute

_STALLED_SHARE = 0.1
"""A fill that gets under this share of the flow it could take counts as stalled."""

_ROUND_MIN = 0.5
"""Admission and end of a fill fall on full minutes, each half a minute late on average; handling gives one back."""

_FULL_KG = 1e-3
"""What is left after a fill is full is a rounding error; nothing real asks for less than a gram."""


class LaneFills:
    """The line of trucks of each lane and the fills under way."""

    def __init__(self, frame: Frame, lanes: Lanes) -> None:
        """Put the trucks that are at hoses there; the others come in their order.

        Args:
            frame: What all lanes share.
            lanes: What differs; not changed.
        """
        self._f, self._lanes, self._count = frame, lanes, lanes.count
        trucks, here = lanes.trucks, len(lanes.trucks.at_hose)
        self._head: Int = np.full(self._count, here, dtype=np.int64)
        self._arrived_by = counts_by_minute(trucks.arrive_min, frame.steps)
        self._busy_until = np.zeros((frame.hoses, self._count))
        self.start_min: Float = np.full_like(trucks.asked_kg, NEVER)
        """When each truck came to a hose, [trucks, lanes]."""
        self.end_min: Float = np.full_like(trucks.asked_kg, NEVER)
        """When its gas stopped or it left, [trucks, lanes]."""
        self._delivered = np.zeros_like(trucks.asked_kg)
        self._set_up_fills(here)
        self._set_up_shape()

    def _set_up_fills(self, here: int) -> None:
        """Lay out the fills under way: hose, lane and truck of each, and what has become of it."""
        trucks, lane = self._lanes.trucks, np.arange(self._count)
        self._delivered[:here] = np.array(trucks.given_kg, dtype=np.float64)[:, np.newaxis]
        self.given_before_kg: Float = self._delivered.sum(axis=0)
        """Kilograms given before the run, [lanes]."""
        self.start_min[:here] = trucks.arrive_min[:here]
        self._busy_until[list(trucks.at_hose)] = NEVER
        hose = np.repeat(np.array(trucks.at_hose, dtype=np.int64), self._count)
        # Rows: hose, lane, truck.
        self._who: Int = np.array([hose, np.tile(lane, here), np.repeat(np.arange(here), self._count)])
        connect = np.repeat(np.array(trucks.connect_left_min, dtype=np.float64), self._count)
        # Rows: given kg, asked kg, minutes until gas flows, minutes stalled.
        asked = trucks.asked_kg[:here].ravel()
        self._fill = np.array([self._delivered[:here].ravel(), asked, connect, np.zeros(len(asked))])

    def _set_up_shape(self) -> None:
        """Lay out how a fill of each lane goes without cooling, what cooling adds, and the sum of the two."""
        lanes = self._lanes
        # A relaxed storage gives whatever the truck's pressure is.
        back_pressure = np.where(lanes.free_storage, 0.0, 1.0)
        cap = np.where(lanes.free_hoses, NEVER, self._f.flow_cap_kg_min)
        still = np.ones(self._count)
        cooled = np.vstack((lanes.tank_mpa[:, 0] * back_pressure, lanes.ramp_min[0], still, cap))
        self._hot = np.vstack((lanes.tank_mpa[:, 1] * back_pressure, lanes.ramp_min[1], lanes.hot_end_share, cap))
        self._gain = cooled - self._hot
        self._cold = self._hot + self._gain
        self._cold[5] = 1.0
        self._cooled = still
        self._all_cooled = True

    @property
    def busy(self) -> bool:
        """Whether any truck stands at a hose."""
        return self._who.size > 0

    @property
    def lane(self) -> Int:
        """Lane of each fill under way."""
        return np.asarray(self._who[1])

    def delivered_kg(self) -> Float:
        """Return the kilograms given to each truck, fills under way included, [trucks, lanes]."""
        now = self._delivered.copy()
        now[self._who[2], self._who[1]] = self._fill[0]
        return now

    # --- the line ---

    def admit(self, minute: int, able: Bool) -> None:
        """Send waiting trucks to free hoses, first come first served.

        The one that waits longest leaves once its patience ends: one a minute, for they came one after another.

        Args:
            minute: Now.
            able: Lanes whose last bank can end a fill.
        """
        waiting = self._arrived_by[minute] - self._head
        lane = (waiting > 0).nonzero()[0]
        if not lane.size:
            return
        waiting = waiting[lane]
        head = self._head[lane]
        gone = self._lanes.trucks.arrive_min[head, lane] + self._f.patience_min <= minute
        if gone.any():
            left = lane[gone]
            self.end_min[head[gone], left] = minute
            self._head[left] += 1
            waiting -= gone
        ready = able[lane]
        if ready.all():
            self._send(minute, lane, waiting)
        else:
            self._send(minute, lane[ready], waiting[ready])

    def _send(self, minute: int, lane: Int, waiting: Int) -> None:
        lanes = self._lanes
        free = self._busy_until.take(lane, axis=1) <= minute
        down = lanes.hose_down_from.take(lane, axis=1) <= minute
        down &= lanes.hose_down_until.take(lane, axis=1) > minute
        free &= ~down
        rank = free.cumsum(axis=0)
        free &= rank <= waiting
        hose, place = free.nonzero()
        if not hose.size:
            return
        sent = lane[place]
        truck = self._head[sent] + rank[hose, place] - 1
        self._head[lane] += np.add.reduce(free, axis=0)
        self.start_min[truck, sent] = minute
        self._busy_until[hose, sent] = NEVER
        new = np.zeros((4, sent.size))
        new[1] = np.maximum(lanes.trucks.asked_kg[truck, sent], 1e-6)
        new[2] = np.where(lanes.free_hoses[sent], 0.0, self._f.connect_min)
        self._fill = np.concatenate((self._fill, new), axis=1)
        self._who = np.concatenate((self._who, (hose, sent, truck)), axis=1)

    # --- the fills ---

    def wanted(self, minute: int) -> tuple[Float, Float]:
        """Return (kilograms that each fill could take in this minute, pressure of its tank [MPa])."""
        shape = (self._cold if self._all_cooled else self._shape()).take(self.lane, axis=1)
        c0, c1, c2, c3, ramp, end_share, cap = shape
        given, asked, connect, _ = self._fill
        share = given / asked
        tank = c0 + share * (c1 + share * (c2 + share * c3))
        flow = np.minimum(asked / ramp, cap)
        flow *= np.minimum(np.maximum(1.0 - connect, 0.0), 1.0)
        connect -= 1.0
        self._end_kg = asked * end_share
        np.minimum(flow, np.maximum(self._end_kg - given, 0.0), out=flow)
        self._cool(minute, np.bincount(self.lane, flow, self._count).astype(np.float64, copy=False))
        return flow, tank

    def _shape(self) -> Float:
        return np.asarray(self._hot + self._cooled * self._gain)

    def idle(self, minute: int) -> None:
        """Pass a minute without any truck at a hose: the chillers may come back or fail."""
        if not self._all_cooled or not self._lanes.cooling_kg_min[minute].all():
            self._cool(minute, np.zeros(self._count))

    def _cool(self, minute: int, flow: Float) -> None:
        """Note for the next minute how far the chillers carry this one's flow of each lane."""
        cooling = self._lanes.cooling_kg_min[minute]
        self._all_cooled = bool((cooling >= np.maximum(flow, 1e-9)).all())
        if not self._all_cooled:
            self._cooled = np.minimum(1.0, cooling / np.maximum(flow, 1e-9))

    def give(self, minute: int, flow: Float, got: Float) -> None:
        """Add what each fill got of the flow it could take, and end those that are done."""
        given, _, _, stalled = self._fill
        given += got
        stalled += 1.0
        stalled *= got < _STALLED_SHARE * flow
        done = (given >= self._end_kg - _FULL_KG) | (stalled > self._f.hold_min)
        if done.any():
            self._end(minute, done)

    def _end(self, minute: int, done: Bool) -> None:
        ended = done.nonzero()[0]
        hose, lane, truck = self._who.take(ended, axis=1)
        self._delivered[truck, lane] = self._fill[0].take(ended)
        self.end_min[truck, lane] = minute + 1
        after = self._lanes.trucks.after_min[truck, lane] - _ROUND_MIN
        self._busy_until[hose, lane] = minute + 1 + np.where(self._lanes.free_hoses[lane], -1.0, after)
        more = (~done).nonzero()[0]
        self._fill, self._who = self._fill.take(more, axis=1), self._who.take(more, axis=1)
