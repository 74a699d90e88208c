"""The forecast's own small model of the station: mass balances at one-minute steps, all lanes at once.

It shares only `hydrogen` with the detailed simulator. Vessels are isothermal at the temperatures measured; trains
follow suction density; a fill follows its pressure ramp, its flow limit and the pressure of its source; trailers swap;
trucks wait in one line for the next free hose (DOMAIN 1.3). Every kilogram that leaves one vessel enters another.
"""

from __future__ import annotations

import numpy as np

from station.domain.isotherms import pressure_mpa
from station.domain.lanes import NEVER, Bool, Course, Float, Frame, Int, Lanes

_EMPTY_SHARE = 1.003
"""A trailer within 0.3 % of its floor mass is empty: flow dies away towards the floor."""

_STALLED_SHARE = 0.1
"""A fill that gets under this share of the flow it could take counts as stalled."""

_ROUND_MIN = 0.5
"""Admission and end of a fill fall on full minutes, each half a minute late on average; handling gives one back."""


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
        self._set_up_vessels()
        self._set_up_hoses()
        self._set_up_demand()

    def _set_up_vessels(self) -> None:
        f, lanes = self._f, self._lanes
        self._mass = lanes.mass_kg.copy()
        self._open: Bool = lanes.bay_open.copy()
        self._opens_at = lanes.opens_at_min.copy()
        self._incoming = lanes.incoming_kg.copy()
        self._taken: Int = np.zeros(lanes.count, dtype=np.int64)
        self._delivered_by = _counts_by_minute(lanes.delivery_min, f.steps)
        self._received = np.zeros(lanes.count)
        self._returned = np.zeros(lanes.count)
        self._stock_start = self._mass.sum(axis=0)
        # Whether a bank was charging when the snapshot was taken is not measured: above its start pressure it rests.
        self._charging: Bool = np.zeros((f.banks, lanes.count), dtype=np.bool_)
        self._start_mpa = np.array(f.recharge_start_mpa)[:, np.newaxis]
        self._stop_kg = np.array(f.recharge_stop_kg)[:, np.newaxis]
        self._hurry = self._start_mpa - np.array(f.haste_mpa)[:, np.newaxis]
        self._order = np.array(f.recharge_order)
        self._endless = np.flatnonzero(lanes.free_supply)
        self._pressure = self._pressures()

    def _set_up_hoses(self) -> None:
        f, lanes, count = self._f, self._lanes, self._lanes.count
        shape = (f.hoses, count)
        self._truck: Int = np.full(shape, -1, dtype=np.int64)
        self._given = np.zeros(shape)
        self._asked = np.ones(shape)
        self._connect = np.zeros(shape)
        self._stalled = np.zeros(shape)
        self._busy_until = np.zeros(shape)
        for index, hose in enumerate(lanes.trucks.at_hose):
            self._truck[hose] = index
            self._given[hose] = lanes.trucks.given_kg[index]
            self._asked[hose] = lanes.trucks.asked_kg[index]
            self._connect[hose] = lanes.trucks.connect_left_min[index]
        self._draw = np.zeros((f.banks + 1, f.hoses, count))
        self._cap = np.where(lanes.free_hoses, NEVER, f.flow_cap_kg_min)
        self._cooled = np.ones(count)
        # A relaxed storage gives whatever the truck's pressure is.
        self._back_pressure = np.where(lanes.free_storage, 0.0, 1.0)
        self._floor = np.array(f.bank_floor_mpa)[:, np.newaxis] * self._back_pressure

    def _set_up_demand(self) -> None:
        trucks, f = self._lanes.trucks, self._f
        self._head: Int = np.full(self._lanes.count, len(trucks.at_hose), dtype=np.int64)
        self._arrived_by = _counts_by_minute(trucks.arrive_min, f.steps)
        self._delivered = np.zeros_like(trucks.asked_kg)
        self._given_before = np.zeros(self._lanes.count)
        for index, given in enumerate(trucks.given_kg):
            self._delivered[index] = given
            self._given_before += given
        self._start = np.full_like(trucks.asked_kg, NEVER)
        self._start[: len(trucks.at_hose)] = trucks.arrive_min[: len(trucks.at_hose)]
        self._end = np.full_like(trucks.asked_kg, NEVER)

    def run(self) -> Course:
        """Step every lane to the end and return how it went."""
        noted = []
        for minute in range(self._f.steps):
            if minute in self._marks:
                noted.append(self._delivered_now())
            self._supply(minute)
            self._turn_away(minute)
            self._admit(minute)
            self._fill(minute)
            self._recharge(minute)
        final = self._delivered_now()
        noted.extend(final for _ in range(len(self._marks) - len(noted)))
        return Course(
            delivered_kg=final,
            start_min=self._start,
            end_min=self._end,
            mark_delivered_kg=np.array(noted),
            received_kg=self._received,
            returned_kg=self._returned,
            dispensed_kg=final.sum(axis=0) - self._given_before,
            stock_start_kg=self._stock_start,
            stock_end_kg=self._mass.sum(axis=0),
        )

    def _delivered_now(self) -> Float:
        """Return the kilograms given to each truck, fills under way included."""
        now = self._delivered.copy()
        hose, lane = np.nonzero(self._truck >= 0)
        now[self._truck[hose, lane], lane] = self._given[hose, lane]
        return now

    def _pressures(self) -> Float:
        return pressure_mpa(self._mass * self._f.inverse_volume, self._f.isotherm)

    # --- trailers ---

    def _supply(self, minute: int) -> None:
        """Swap empty trailers for those in the yard, open those that are ready."""
        f = self._f
        if self._endless.size:
            self._top_up()
        bays = self._mass[: f.bays]
        empty = self._open & (bays <= f.floor_kg * _EMPTY_SHARE)
        if empty.any():
            self._returned += np.where(empty, bays, 0.0).sum(axis=0)
            bays[empty] = 0.0
            self._open &= ~empty
        if (self._delivered_by[minute] > self._taken).any():
            self._dock(minute)
        opening = self._opens_at <= minute
        if opening.any():
            bays[opening] = self._incoming[opening]
            self._received += np.where(opening, self._incoming, 0.0).sum(axis=0)
            self._open |= opening
            self._opens_at[opening] = NEVER

    def _top_up(self) -> None:
        """Keep the first bay of lanes without a supply limit full, and book what that takes as received."""
        lanes = self._endless
        self._received[lanes] += self._f.full_kg - self._mass[0, lanes]
        self._mass[0, lanes] = self._f.full_kg
        self._open[0, lanes] = True
        self._opens_at[0, lanes] = NEVER

    def _dock(self, minute: int) -> None:
        """Begin the swap of each free bay for which a trailer stands in the yard."""
        f, lanes = self._f, self._lanes
        for _ in range(f.bays):
            free = ~self._open & (self._opens_at >= NEVER)
            bay = free.argmax(axis=0)
            lane = np.flatnonzero((self._delivered_by[minute] > self._taken) & free[bay, self._row])
            if not lane.size:
                return
            self._opens_at[bay[lane], lane] = minute + f.swap_min
            self._incoming[bay[lane], lane] = lanes.delivery_kg[self._taken[lane], lane]
            self._taken[lane] += 1

    # --- trucks ---

    def _turn_away(self, minute: int) -> None:
        """Let the truck that waits longest leave once its patience ends (one a minute: they came one after another)."""
        arrive = self._lanes.trucks.arrive_min
        head = np.minimum(self._head, len(arrive) - 1)
        gone = (self._head < self._arrived_by[minute]) & (arrive[head, self._row] + self._f.patience_min <= minute)
        if gone.any():
            lane = np.flatnonzero(gone)
            self._end[head[lane], lane] = minute
            self._head[lane] += 1

    def _admit(self, minute: int) -> None:
        """Send waiting trucks to free hoses, first come first served, while the last bank can end a fill."""
        last = self._f.draw_order[-1]
        able = self._pressure[self._f.bays + last] >= self._floor[last]
        waiting = np.where(able, self._arrived_by[minute] - self._head, 0)
        if not (waiting > 0).any():
            return
        lanes = self._lanes
        free = (self._truck < 0) & (self._busy_until <= minute)
        free &= ~((lanes.hose_down_from <= minute) & (minute < lanes.hose_down_until))
        rank = free.cumsum(axis=0)
        go = free & (rank <= waiting)
        hose, lane = np.nonzero(go)
        truck = self._head[lane] + rank[hose, lane] - 1
        self._truck[hose, lane] = truck
        self._given[hose, lane] = 0.0
        self._asked[hose, lane] = np.maximum(lanes.trucks.asked_kg[truck, lane], 1e-6)
        self._connect[hose, lane] = np.where(lanes.free_hoses[lane], 0.0, self._f.connect_min)
        self._stalled[hose, lane] = 0.0
        self._start[truck, lane] = minute
        self._head += go.sum(axis=0)

    def _fill(self, minute: int) -> None:
        """Give each truck its minute of gas from the sources that can, and end the fills that are done."""
        lanes, at_work = self._lanes, self._truck >= 0
        share = self._given / self._asked
        c = lanes.tank_mpa[:, 1] + self._cooled * (lanes.tank_mpa[:, 0] - lanes.tank_mpa[:, 1])
        tank = (c[0] + share * (c[1] + share * (c[2] + share * c[3]))) * self._back_pressure
        ramp = lanes.ramp_min[1] + self._cooled * (lanes.ramp_min[0] - lanes.ramp_min[1])
        flow = np.minimum(self._asked / ramp, self._cap)
        flow *= np.minimum(np.maximum(1.0 - self._connect, 0.0), 1.0)
        flow *= at_work
        self._connect -= 1.0
        end_share = 1.0 - (1.0 - self._cooled) * (1.0 - lanes.hot_end_share)
        np.minimum(flow, np.maximum(self._asked * end_share - self._given, 0.0), out=flow)
        got = self._draw_gas(flow, tank)
        self._given += got
        total = flow.sum(axis=0)
        self._cooled = np.minimum(1.0, lanes.cooling_kg_min[minute] / np.maximum(total, 1e-9))
        # What is left after it is full is a rounding error; nothing real asks for less than a gram.
        done = at_work & (self._given >= self._asked * end_share - 1e-3)
        stalled = at_work & (flow > 0.0) & (got < _STALLED_SHARE * flow)
        self._stalled = np.where(stalled, self._stalled + 1.0, 0.0)
        done |= self._stalled > self._f.hold_min
        if done.any():
            self._end_fills(done, minute)

    def _draw_gas(self, flow: Float, tank: Float) -> Float:
        """Take the wanted flow [kg in this minute] out of trailer and banks and return what each hose got."""
        f, left = self._f, flow.copy()
        bay, direct = self._direct_source()
        need = tank + f.margin_mpa
        self._pass_on(0, left, direct > need)
        for place, bank in enumerate(f.draw_order[:-1], start=1):
            pressure = self._pressure[f.bays + bank]
            self._pass_on(place, left, (pressure > need) & (pressure > self._floor[bank]))
        # The last bank gives less and less as the truck comes up to it, instead of nothing from one moment on.
        last = f.draw_order[-1]
        pressure = self._pressure[f.bays + last]
        share = np.minimum(np.maximum((pressure - tank) / f.margin_mpa, 0.0), 1.0)
        np.multiply(left * share, pressure > self._floor[last], out=self._draw[-1])
        taken = self._draw.sum(axis=1)
        stock = np.empty_like(taken)
        stock[0] = np.maximum(self._mass[bay, self._row] - f.floor_kg[bay, 0], 0.0)
        for place, bank in enumerate(f.draw_order, start=1):
            stock[place] = self._mass[f.bays + bank]
        part = np.minimum(1.0, stock / np.maximum(taken, 1e-12))
        taken *= part
        self._mass[bay, self._row] -= taken[0]
        for place, bank in enumerate(f.draw_order, start=1):
            self._mass[f.bays + bank] -= taken[place]
        self._draw *= part[:, np.newaxis]
        return np.asarray(self._draw.sum(axis=0))

    def _pass_on(self, place: int, left: Float, able: Bool) -> None:
        """Let one source give what it is able to; `left` keeps what the next ones must give."""
        np.multiply(left, able, out=self._draw[place])
        left -= self._draw[place]

    def _direct_source(self) -> tuple[Int, Float]:
        """Return the bay of the poorest trailer that can still begin a fill, and its pressure (-1 where none)."""
        f = self._f
        bays = self._pressure[: f.bays]
        usable = np.where(self._open & (bays >= f.direct_fill_min_mpa), bays, NEVER)
        bay = usable.argmin(axis=0)
        lowest = usable[bay, self._row]
        return bay, np.where(lowest < NEVER, lowest, -1.0)

    def _end_fills(self, done: Bool, minute: int) -> None:
        hose, lane = np.nonzero(done)
        truck = self._truck[hose, lane]
        self._delivered[truck, lane] = self._given[hose, lane]
        self._end[truck, lane] = minute + 1
        after = self._lanes.trucks.after_min[truck, lane] - _ROUND_MIN
        self._busy_until[hose, lane] = minute + 1 + np.where(self._lanes.free_hoses[lane], -1.0, after)
        self._truck[hose, lane] = -1
        self._given[hose, lane] = 0.0
        self._asked[hose, lane] = 1.0

    # --- compression ---

    def _recharge(self, minute: int) -> None:
        """Let the trains move gas from a trailer into the banks that charge, in their order.

        They draw from the poorest trailer, so that one after the other is emptied and swapped; while a bank has fallen
        far they draw from the richest, since flow falls with suction pressure.
        """
        f, row = self._f, self._row
        pressure = self._pressure[: f.bays]
        haste = (self._pressure[f.bays :] < self._hurry).any(axis=0)
        # One search for both: the lowest of the pressures as they are, or turned round.
        ranked = np.where(self._open, np.where(haste, -pressure, pressure), NEVER)
        bay = ranked.argmin(axis=0)
        mass = self._mass[bay, row]
        suction = mass * f.inverse_volume[bay, 0] / f.rated_suction_density
        flow = self._lanes.train_kg_min[minute] * np.minimum(1.0, suction)
        flow = np.minimum(flow, np.maximum(mass - f.floor_kg[bay, 0], 0.0))
        flow = np.where(ranked[bay, row] < NEVER, flow, 0.0)
        banks = self._mass[f.bays :]
        room = self._stop_kg - banks
        self._charging |= self._pressure[f.bays :] < self._start_mpa
        self._charging &= room > 0.0
        # What the first banks of the order take, the later ones do not get: the rise of a sum that the flow caps.
        taken = np.minimum(np.add.accumulate((room * self._charging)[self._order]), flow)
        self._mass[bay, row] -= taken[-1]
        taken[1:] -= taken[:-1].copy()
        banks[self._order] += taken
        self._pressure = self._pressures()


def _counts_by_minute(times: Float, steps: int) -> Int:
    """Return how many of each lane's sorted `times` [.., lanes] have come by each minute, [steps, lanes]."""
    minutes = np.arange(steps, dtype=np.float64)
    counts = [np.searchsorted(times[:, lane], minutes, side="right") for lane in range(times.shape[1])]
    return np.ascontiguousarray(np.array(counts, dtype=np.int64).T.reshape(steps, times.shape[1]))
