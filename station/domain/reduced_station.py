"""The forecast's own small model of the station: mass balances at one-minute steps, all lanes at once.

It shares only `hydrogen` with the detailed simulator. Vessels are isothermal at the temperatures measured; trains
follow suction density; a fill follows its pressure ramp, its flow limit and the pressure of its source; trailers swap;
trucks wait in one line for the next free hose (DOMAIN 1.3). Every kilogram that leaves one vessel enters another.

A step costs what happens in it: trailers that stand still and banks at rest are not looked at.
"""

from __future__ import annotations

import numpy as np

from station.domain.isotherms import pressure_mpa
from station.domain.lane_deliveries import LaneDeliveries
from station.domain.lane_fills import LaneFills
from station.domain.lanes import NEVER, Bool, Course, Float, Frame, Int, Lanes

_EMPTY_SHARE = 1.003
"""A trailer within 0.3 % of its floor mass is empty: flow dies away towards the floor."""


class ReducedStation:
    """All lanes of one run; `run` may be called once."""

    def __init__(self, frame: Frame, lanes: Lanes, marks_min: tuple[int, ...]) -> None:
        """Lay the lanes out.

        Args:
            frame: What all lanes share.
            lanes: What differs; not changed.
            marks_min: Minutes at which the state of every fill is noted.
        """
        self._f = frame
        self._lanes = lanes
        self._marks = marks_min
        self._row: Int = np.arange(lanes.count)
        self._fills = LaneFills(frame, lanes)
        self._set_up_trailers()
        self._set_up_banks()
        self._pressure = self._pressures()

    def _set_up_trailers(self) -> None:
        f, lanes = self._f, self._lanes
        self._mass = np.ascontiguousarray(lanes.mass_kg, dtype=np.float64).copy()
        # The same numbers in one row, for one source of each lane.
        self._flat = self._mass.reshape(-1)
        self._open: Bool = lanes.bay_open.copy()
        self._opens_at = lanes.opens_at_min.copy()
        self._incoming = lanes.incoming_kg.copy()
        self._deliveries = LaneDeliveries(f, lanes)
        self._received = np.zeros(lanes.count)
        self._leaked = np.zeros(lanes.count)
        self._returned = np.zeros(lanes.count)
        self._stock_start = self._mass.sum(axis=0)
        self._endless = np.flatnonzero(lanes.free_supply)
        self._open[0, self._endless] = True
        self._opens_at[0, self._endless] = NEVER
        self._next_open = float(self._opens_at.min())
        self._empty_kg = f.floor_kg * _EMPTY_SHARE
        # By flat place of a bay: the mass that stays, and the share of a train's rated flow that a kilogram makes.
        self._floor_kg = np.repeat(f.floor_kg[:, 0], lanes.count)
        self._share_of_kg = np.repeat(f.inverse_volume[: f.bays, 0] / f.rated_suction_density, lanes.count)
        # Whether masses have changed since pressures were worked out, and since empty trailers were looked for.
        self._stale = self._moved = True

    def _set_up_banks(self) -> None:
        f, lanes = self._f, self._lanes
        # Whether a bank was charging when the snapshot was taken is not measured: above its start pressure it rests.
        self._charging: Bool = np.zeros((f.banks, lanes.count), dtype=np.bool_)
        self._resting = False
        self._start_mpa = np.array(f.recharge_start_mpa)[:, np.newaxis]
        self._stop_kg = np.array(f.recharge_stop_kg)[:, np.newaxis]
        self._hurry = self._start_mpa - np.array(f.haste_mpa)[:, np.newaxis]
        self._order = np.array(f.recharge_order)
        # Banks that are drawn in the order they stand in need no picking.
        in_order = f.draw_order == tuple(range(f.banks))
        self._draw_from: slice | Int = slice(None) if in_order else np.array(f.draw_order)
        # A relaxed storage gives whatever the truck's pressure is.
        self._floor = np.array(f.bank_floor_mpa)[:, np.newaxis] * np.where(lanes.free_storage, 0.0, 1.0)
        self._draw_floor = self._floor[self._draw_from]
        leaking = lanes.leak_share_min.any(axis=0)
        self._leaks_until = float(lanes.leak_until_min[leaking].max(initial=-1.0))
        self._source = np.empty((f.banks + 1, lanes.count))
        self._stock = np.empty((f.banks + 1, lanes.count))

    def run(self) -> Course:
        """Step every lane to the end and return how it went."""
        noted, fills, gate = [], self._fills, self._f.bays + self._f.draw_order[-1]
        for minute in range(self._f.steps):
            if minute in self._marks:
                noted.append(fills.delivered_kg())
            if minute < self._leaks_until:
                self._leak(minute)
            self._supply(minute)
            fills.admit(minute, self._pressure[gate] >= self._draw_floor[-1])
            if fills.busy:
                flow, tank = fills.wanted(minute)
                fills.give(minute, flow, self._draw_gas(fills.lane, flow, tank))
                self._recharge(minute)
            else:
                fills.idle(minute)
                self._recharge_at_rest(minute)
        final = fills.delivered_kg()
        noted.extend(final for _ in range(len(self._marks) - len(noted)))
        return Course(
            delivered_kg=final,
            start_min=fills.start_min,
            end_min=fills.end_min,
            mark_delivered_kg=np.array(noted),
            leaked_kg=self._leaked,
            received_kg=self._received,
            returned_kg=self._returned,
            dispensed_kg=final.sum(axis=0) - fills.given_before_kg,
            stock_start_kg=self._stock_start,
            stock_end_kg=self._mass.sum(axis=0),
        )

    def _pressures(self) -> Float:
        self._stale = False
        return pressure_mpa(self._mass * self._f.inverse_volume, self._f.isotherm)

    def _leak(self, minute: int) -> None:
        """Let banks lose a minute's gas through what leaks; trains fill up again what a bank has lost."""
        banks = self._mass[self._f.bays :]
        lost = banks * self._lanes.leak_share_min * (minute < self._lanes.leak_until_min)
        banks -= lost
        self._leaked += lost.sum(axis=0)
        self._stale, self._resting = True, False

    # --- trailers ---

    def _supply(self, minute: int) -> None:
        """Swap empty trailers for those in the yard, open those that are ready, let the supplier look."""
        freed = False
        if self._moved:
            self._moved = False
            if self._endless.size:
                self._top_up()
            freed = self._send_away()
        if freed or self._deliveries.come(minute):
            self._dock(minute)
        if self._next_open <= minute:
            self._open_those_ready(minute)
        if self._deliveries.may_call(minute):
            self._deliveries.call(minute, self._docked_kg())

    def _docked_kg(self) -> Float:
        """Return what the supplier reckons as usable in the bays, [lanes]."""
        kg = np.where(self._opens_at < NEVER, self._incoming, self._mass[: self._f.bays])
        return np.asarray(np.maximum(kg - self._f.on_call.empty_kg, 0.0).sum(axis=0))

    def _top_up(self) -> None:
        """Keep the first bay of lanes without a supply limit full, and book what that takes as received."""
        lanes = self._endless
        self._received[lanes] += self._f.full_kg - self._mass[0, lanes]
        self._mass[0, lanes] = self._f.full_kg
        self._stale = True

    def _send_away(self) -> bool:
        """Send the empty trailers away and return whether there were any."""
        bays = self._mass[: self._f.bays]
        empty = self._open & (bays <= self._empty_kg)
        if not empty.any():
            return False
        self._returned += np.where(empty, bays, 0.0).sum(axis=0)
        bays[empty] = 0.0
        self._open &= ~empty
        self._stale = True
        return True

    def _dock(self, minute: int) -> None:
        """Begin the swap of each free bay for which a trailer stands in the yard."""
        f = self._f
        for _ in range(f.bays):
            lane = self._deliveries.lanes_with_some(minute)
            free = ~self._open.take(lane, axis=1) & (self._opens_at.take(lane, axis=1) >= NEVER)
            some = np.logical_or.reduce(free, axis=0)
            lane, bay = lane[some], free.argmax(axis=0)[some]
            if not lane.size:
                return
            self._opens_at[bay, lane] = minute + f.swap_min
            self._next_open = min(self._next_open, minute + f.swap_min)
            self._incoming[bay, lane] = self._deliveries.take(lane)

    def _open_those_ready(self, minute: int) -> None:
        opening = self._opens_at <= minute
        self._mass[: self._f.bays][opening] = self._incoming[opening]
        self._received += np.where(opening, self._incoming, 0.0).sum(axis=0)
        self._open |= opening
        self._opens_at[opening] = NEVER
        self._next_open = float(self._opens_at.min())
        self._stale = self._moved = True

    # --- gas for the trucks ---

    def _draw_gas(self, lane: Int, flow: Float, tank: Float) -> Float:
        """Take what fills want out of trailer and banks and return what each got.

        A fill draws from the first source whose pressure is enough. The last bank gives less and less as the truck
        comes up to it, instead of nothing from one moment on.

        Args:
            lane: Lane of each fill.
            flow: What each could take [kg in this minute].
            tank: Pressure of its tank [MPa].
        """
        f, count, source = self._f, self._lanes.count, self._source
        bay, source[0] = self._direct_source()
        banks = self._pressure[f.bays :][self._draw_from]
        # No pressure at all stands for a source that gives nothing.
        source[1:] = np.where(banks > self._draw_floor, banks, -1.0)
        over = source.take(lane, axis=1)
        over -= tank
        able = over > f.margin_mpa
        able[-1] = True
        place = able.argmax(axis=0)
        share = np.minimum(np.maximum(over[-1] / f.margin_mpa, 0.0), 1.0)
        draw = flow * np.where(place == f.banks, share, 1.0)
        place *= count
        place += lane
        taken = np.bincount(place, draw, source.size).astype(np.float64, copy=False).reshape(source.shape)
        part = self._booked(bay, taken)
        return np.asarray(draw * part.take(place))

    def _booked(self, bay: Int, taken: Float) -> Float:
        """Take kilograms out of the sources, and return the part of them that was there; `bay` is a flat place."""
        stock, banks = self._stock, self._mass[self._f.bays :]
        np.maximum(self._flat.take(bay) - self._floor_kg.take(bay), 0.0, out=stock[0])
        stock[1:] = banks[self._draw_from]
        part = np.minimum(1.0, stock / np.maximum(taken, 1e-12))
        taken *= part
        self._flat[bay] -= taken[0]
        banks[self._draw_from] -= taken[1:]
        self._stale = self._moved = True
        return part

    def _direct_source(self) -> tuple[Int, Float]:
        """Return the flat place of the poorest trailer that can still begin a fill, and its pressure (-1 if none)."""
        bays = self._pressure[: self._f.bays]
        usable = np.where(self._open & (bays >= self._f.direct_fill_min_mpa), bays, NEVER)
        place = usable.argmin(axis=0)
        place *= self._lanes.count
        place += self._row
        lowest = usable.take(place)
        return place, np.where(lowest < NEVER, lowest, -1.0)

    # --- compression ---

    def _recharge_at_rest(self, minute: int) -> None:
        """Recharge in a minute in which no truck draws: banks that no train has to fill stay as they are."""
        if not self._resting:
            self._recharge(minute)
            self._resting = not self._charging.any()
        elif self._stale:
            self._pressure = self._pressures()

    def _recharge(self, minute: int) -> None:
        """Let the trains move gas from a trailer into the banks that charge, in their order."""
        banks, pressure = self._mass[self._f.bays :], self._pressure[self._f.bays :]
        self._resting = False
        room = self._stop_kg - banks
        self._charging |= pressure < self._start_mpa
        self._charging &= room > 0.0
        if self._charging.any():
            room *= self._charging
            place, flow = self._compressed(minute)
            # What the first banks of the order take, the later ones do not get: the rise of a sum the flow caps.
            taken = np.minimum(np.add.accumulate(room[self._order]), flow)
            self._flat[place] -= taken[-1]
            taken[1:] -= taken[:-1].copy()
            banks[self._order] += taken
            self._stale = self._moved = True
        if self._stale:
            self._pressure = self._pressures()

    def _compressed(self, minute: int) -> tuple[Int, Float]:
        """Return the flat place of the trailer that the trains draw from, and what they can move [kg].

        They draw from the poorest trailer, so that one after the other is emptied and swapped; while a bank has fallen
        far they draw from the richest, since flow falls with suction pressure.
        """
        pressure = self._pressure[: self._f.bays]
        haste = np.logical_or.reduce(self._pressure[self._f.bays :] < self._hurry, axis=0)
        if haste.any():
            # One search for both: the lowest of the pressures as they are, or turned round.
            pressure = np.where(haste, -pressure, pressure)
        ranked = np.where(self._open, pressure, NEVER)
        place = ranked.argmin(axis=0)
        place *= self._lanes.count
        place += self._row
        mass = self._flat.take(place)
        flow = self._lanes.train_kg_min[minute] * np.minimum(1.0, mass * self._share_of_kg.take(place))
        flow = np.minimum(flow, np.maximum(mass - self._floor_kg.take(place), 0.0))
        flow *= ranked.take(place) < NEVER
        return place, flow
