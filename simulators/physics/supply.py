"""Tube trailers: four cross-connected bays, the swap of an empty trailer for a full one, the header to the compressors.

Which trailer the compressors draw from: the richest while the banks run low, since flow falls with suction pressure.
While they do not, the poorest, so that one trailer after the other is emptied and swapped, instead of all at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulators.estimates import estimates
from simulators.physics.gas import Gas
from simulators.physics.roles import Role, of_unit
from simulators.physics.swap import ABSENT, DOCKED, EARTHED, EMPTY, NEXT, OPEN, PURGING, SWAP_SHARES, Bay
from simulators.physics.yard import Delivery, Trailer, Yard
from station.domain.hydrogen import KELVIN
from station.domain.plant import Supply

__all__ = ["ABSENT", "DOCKED", "EARTHED", "EMPTY", "OPEN", "PURGING", "Bay", "Delivery", "SupplyYard", "Trailer"]


@dataclass(frozen=True, slots=True)
class SupplyEstimates:
    """Header and inlet filter; see the file for units and reasons."""

    filter_kpa: float
    filter_kg_h: float
    filter_kg_m3: float
    header_s: float
    header_warm_s: float
    header_rest_s: float
    throttling_k_mpa: float
    direct_mpa: float


_E = estimates("simulators.physics", "supply", SupplyEstimates)
_FILTER = _E.filter_kpa * _E.filter_kg_m3 / _E.filter_kg_h**2
"""Loss [kPa] per squared flow [kg/h] over density [kg/m3]."""
_HEADER_S, _WARM_S, _REST_S, _JT = _E.header_s, _E.header_warm_s, _E.header_rest_s, _E.throttling_k_mpa
_OPENING_K, _DIRECT_MPA = 293.15, _E.direct_mpa

_BAY_ROLES = ("pressure", "temperature", "hose_pressure", "flow", "valve_open", "state")


class SupplyYard(Yard):
    """All trailers of the station, and the way of their gas to the trains.

    Attributes:
        source: The bay that feeds the trains; None while none does.
        filter_factor: The inlet filter's loss against a clean one's.
        filter_kpa: That loss now.
        fed_kg: Drawn by the trains in the present step.
        vented_kg, vented_j: Through the vent stack, and its enthalpy.
        header_mpa, header_k: Behind the filter, where the trains draw.
    """

    STATE = (
        *Yard.YARD_STATE,
        "vented_kg",
        "vented_j",
        "header_mpa",
        "header_k",
        "filter_factor",
        "filter_kpa",
    )
    """What a snapshot keeps beside bays, yard and deliveries."""

    def __init__(self, supply: Supply, gas: Gas, on_call: bool) -> None:
        super().__init__(supply, gas, on_call)
        self.bays = [Bay(unit, ABSENT, None) for unit in supply.bays]
        self.source: Bay | None = None
        self.vented_kg = self.vented_j = 0.0
        self.header_mpa, self.header_k = supply.floor_mpa, _OPENING_K
        self.filter_factor, self.filter_kpa, self.fed_kg = 1.0, 0.0, 0.0
        swap_s = supply.swap.total_seconds()
        self._lasts_s = {state: share * swap_s for state, share in SWAP_SHARES.items()}

    # ---- recording

    def roles(self) -> list[Role]:
        """Return what `record` adds."""
        return [
            *(role for bay in self.bays for role in of_unit("trailer", bay.unit, _BAY_ROLES)),
            ("trailer", "weighbridge", "mass"),
            *of_unit("trailer", "header-lp", ("pressure", "temperature", "filter_differential")),
        ]

    def record(self, row: list[float]) -> None:
        """Add the supply's part of a row."""
        for bay in self.bays:
            trailer = bay.trailer
            if trailer is None:
                row += (math.nan, math.nan, math.nan, math.nan, 0.0, bay.state)
                continue
            vessel = trailer.vessel
            valve = bay.feeds or (bay is self.source and bay.state == OPEN)
            row += (vessel.pressure, vessel.kelvin - KELVIN, bay.hose_mpa, bay.flow_kg_h, valve, bay.state)
        row += (self.weighbridge_kg, self.header_mpa, self.header_k - KELVIN, self.filter_kpa)

    # ---- what others ask

    def stock_kg(self) -> float:
        """Return the gas in all trailers on the site [kg]."""
        return sum(trailer.vessel.mass for trailer in self._on_site())

    def stored_j(self) -> float:
        """Return the energy of gas and tubes of all trailers on the site [J]."""
        return sum(trailer.vessel.stored_j() for trailer in self._on_site())

    def ambient_j(self) -> float:
        """Return the heat that trailers have taken up from their surroundings while on the site [J]."""
        return self.gone_ambient_j + sum(trailer.vessel.ambient_j for trailer in self._on_site())

    def usable_kg(self) -> float:
        """Return what the trailers on the site still give: down to an empty one's mass at 20 degC [kg]."""
        docked = [bay.trailer for bay in self.bays if bay.trailer is not None and bay.state != EMPTY]
        return sum(self.usable(trailer) for trailer in [*docked, *self.yard])

    def _on_site(self) -> list[Trailer]:
        return [*(bay.trailer for bay in self.bays if bay.trailer is not None), *self.yard]

    # ---- what is drawn

    def choose(self, banks_low: bool, shut: bool) -> None:
        """Choose the trailer that feeds the trains: once a minute, and at once when the present one gives no more."""
        floor = self.supply.floor_mpa
        usable = [bay for bay in self.bays if bay.state == OPEN and self._pressure(bay) > floor]
        if shut or not usable:
            self.source = None
        elif banks_low:
            self.source = max(usable, key=self._pressure)
        else:
            self.source = min(usable, key=self._pressure)

    @staticmethod
    def _pressure(bay: Bay) -> float:
        return bay.trailer.vessel.pressure if bay.trailer is not None else 0.0

    def source_gives(self) -> bool:
        """Return True while the chosen trailer can feed the trains."""
        source = self.source
        return source is not None and source.state == OPEN and self._pressure(source) > self.supply.floor_mpa

    def feed(self, kg: float) -> None:
        """Let the trains draw from the chosen trailer in this step, through the filter."""
        if self.source is not None:
            self.source.taken_kg += kg
            self.fed_kg += kg

    def direct_source(self, above_mpa: float) -> int:
        """Return the number of the bay for a direct fill that needs more than a pressure [MPa], -1 if there is none.

        It is the poorest that can begin one at all, whatever the vehicle: the richer ones are kept for the trains.
        """
        best, lowest = -1, 1e9
        for number, bay in enumerate(self.bays):
            if bay.state == OPEN and bay.trailer is not None:
                pressure = bay.trailer.vessel.pressure
                if _DIRECT_MPA <= pressure < lowest:
                    best, lowest = number, pressure
        return best if lowest > above_mpa else -1

    # ---- time

    def due(self, t_ms: int, ambient_k: float) -> None:
        """Deal with everything that is due at a whole minute: arrivals, phone calls, orders."""
        super().due(t_ms, ambient_k)
        self.order(t_ms, self.usable_kg())

    def advance(self, t_ms: int, dt_s: float, ambient_k: float) -> None:
        """Go one step on: book what was drawn, run the swaps."""
        self.weigh_on(dt_s)
        for bay in self.bays:
            trailer = bay.trailer
            if bay.state == OPEN and trailer is not None:
                bay.draw(dt_s)
                trailer.vessel.advance(dt_s, ambient_k)
                bay.hose_mpa = trailer.vessel.pressure
                if bay.hose_mpa <= self.supply.floor_mpa:
                    bay.state, bay.timer_s, bay.flow_kg_h, bay.feeds = EMPTY, 0.0, 0.0, False
            else:
                self._swap(bay, t_ms, dt_s, ambient_k)
        self._header(dt_s, ambient_k)

    def _swap(self, bay: Bay, t_ms: int, dt_s: float, ambient_k: float) -> None:
        lasts_s = self._lasts_s[bay.state]
        bay.settle_hose(lasts_s, dt_s)
        if bay.trailer is not None:
            if bay.vented_kg:
                self.vented_kg += bay.vented_kg
                self.vented_j += bay.vented_kg * bay.trailer.vessel.enthalpy
            bay.trailer.vessel.advance(dt_s, ambient_k)
        if bay.timer_s <= 0.0:
            # An empty trailer, or an empty bay, waits until the yard has a full one.
            if bay.state in (EMPTY, ABSENT) and not self._reserve():
                return
            bay.timer_s = lasts_s
        bay.timer_s -= dt_s
        if bay.timer_s <= 0.0:
            self._enter_next(bay, t_ms)

    def _enter_next(self, bay: Bay, t_ms: int) -> None:
        if bay.state == EMPTY:
            assert bay.trailer is not None
            self.send_back(bay.trailer, t_ms)
            bay.trailer = None
        bay.state = NEXT[bay.state]
        if bay.state == DOCKED:
            bay.trailer = self.yard.pop(0)
            self.delivery(bay.trailer.id).bay = bay.unit
        if bay.state == OPEN:
            assert bay.trailer is not None
            self.delivery(bay.trailer.id).open_ms = t_ms
        else:
            bay.timer_s = self._lasts_s[bay.state]

    def _reserve(self) -> bool:
        """Return True while the yard has a trailer that no bay in its swap waits for."""
        swapping = sum(1 for bay in self.bays if bay.state in (EMPTY, ABSENT) and bay.timer_s > 0.0)
        return len(self.yard) > swapping

    def _header(self, dt_s: float, ambient_k: float) -> None:
        """Let the header follow its source through the filter, whose loss goes with flow squared over density."""
        fed_kg_h, self.fed_kg = self.fed_kg * 3600.0 / dt_s, 0.0
        self.filter_kpa = 0.0
        source = self.source
        if source is None or source.trailer is None or source.state != OPEN:
            self.header_k += (ambient_k - self.header_k) * min(1.0, dt_s / _REST_S)
            return
        vessel = source.trailer.vessel
        self.filter_kpa = loss = _FILTER * self.filter_factor * fed_kg_h * fed_kg_h / vessel.density
        # Implicit: with less pressure behind the filter the trains draw less, else a plugged one would make it swing.
        goal_mpa = vessel.pressure / (1.0 + loss / 1000.0 / self.header_mpa)
        self.header_mpa += (goal_mpa - self.header_mpa) * min(1.0, dt_s / _HEADER_S)
        if fed_kg_h:
            goal_k = vessel.kelvin + _JT * (vessel.pressure - self.header_mpa)
            self.header_k += (goal_k - self.header_k) * min(1.0, dt_s / _WARM_S)
        else:
            self.header_k += (ambient_k - self.header_k) * min(1.0, dt_s / _REST_S)
