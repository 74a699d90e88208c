"""An unloading bay: the swap of an empty trailer for a full one, and what its hose goes through meanwhile.

empty (let the hose down, uncouple) -> absent (shunt) -> docked (chock) -> earthed (couple the hose) -> purging
(nitrogen, leak test at the trailer's pressure, hydrogen purge, sample) -> open.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulators.estimates import estimates
from simulators.physics.yard import Trailer
from station.domain import hydrogen

ABSENT, DOCKED, EARTHED, PURGING, OPEN, EMPTY = range(6)
"""Bay states in the order of the signal list."""
NEXT = {EMPTY: ABSENT, ABSENT: DOCKED, DOCKED: EARTHED, EARTHED: PURGING, PURGING: OPEN}


@dataclass(frozen=True, slots=True)
class HosePhase:
    """What an unloading hose does until `until`, a share of the time its state lasts.

    It goes to `share` of the trailer's pressure plus `mpa`; what it loses in `venting` goes through the vent stack.
    """

    until: float
    share: float
    mpa: float
    venting: bool


@dataclass(frozen=True, slots=True)
class SwapEstimates:
    """Shares of the swap's time by state, and the hose; see the file for units and reasons."""

    empty_share: float
    absent_share: float
    docked_share: float
    earthed_share: float
    purging_share: float
    hose_m3: float
    hose_s: float
    open_mpa: float
    empty: tuple[HosePhase, ...]
    purging: tuple[HosePhase, ...]


_E = estimates("simulators.physics", "swap", SwapEstimates)
SWAP_SHARES = {
    EMPTY: _E.empty_share,
    ABSENT: _E.absent_share,
    DOCKED: _E.docked_share,
    EARTHED: _E.earthed_share,
    PURGING: _E.purging_share,
}
"""Of the swap time."""
_PHASES = {EMPTY: _E.empty, PURGING: _E.purging}
_TO_TRAILER = HosePhase(1.0, 1.0, 0.0, venting=False)
_OPEN_TO_AIR = HosePhase(1.0, 0.0, _E.open_mpa, venting=False)
OPEN_TO_AIR_MPA = _E.open_mpa


@dataclass(slots=True)
class Bay:
    """One unloading bay.

    Attributes:
        unit: Its name.
        state: One of the six.
        trailer: None only while absent.
        timer_s: What is left of the present state.
        taken_kg: Drawn in the present step, by trains and direct fills.
        flow_kg_h: Drawn in the last step.
        feeds: Whether anything was.
        hose_mpa: In the unloading hose.
        vented_kg: Through the vent stack in the last step.
    """

    unit: str
    state: int
    trailer: Trailer | None
    timer_s: float = 0.0
    taken_kg: float = 0.0
    flow_kg_h: float = 0.0
    feeds: bool = False
    hose_mpa: float = _E.open_mpa
    vented_kg: float = 0.0

    STATE = ("state", "timer_s", "flow_kg_h", "feeds", "hose_mpa", "vented_kg")
    """What a snapshot keeps beside the trailer."""

    def draw(self, dt_s: float) -> None:
        """Book what was drawn from the trailer in this step."""
        kg = self.taken_kg
        self.feeds = kg > 0.0
        self.flow_kg_h = kg * 3600.0 / dt_s
        if kg and self.trailer is not None:
            self.trailer.vessel.take(kg)
            self.taken_kg = 0.0

    def settle_hose(self, lasts_s: float, dt_s: float) -> None:
        """Let the hose's pressure follow its phase; `lasts_s` is how long the state lasts in all.

        The hose's ten litres count as part of the trailer's 26 m3: filling it costs nothing, what it vents is taken.
        """
        self.vented_kg = 0.0
        trailer = self.trailer
        if trailer is None:
            self.hose_mpa = _E.open_mpa
            return
        phase = self._phase(1.0 - self.timer_s / lasts_s)
        before, vessel = self.hose_mpa, trailer.vessel
        goal = phase.share * vessel.pressure + phase.mpa
        self.hose_mpa = before + (goal - before) * -math.expm1(-dt_s / _E.hose_s)
        if phase.venting and self.hose_mpa < before:
            lost = hydrogen.density(before, vessel.kelvin) - hydrogen.density(self.hose_mpa, vessel.kelvin)
            self.vented_kg = _E.hose_m3 * lost
            vessel.take(self.vented_kg)

    def _phase(self, share: float) -> HosePhase:
        """Return what the hose does after a share of the state's time."""
        if self.state == EMPTY and self.timer_s <= 0.0:
            return _TO_TRAILER  # it waits, still coupled, for a full one to come
        phases = _PHASES.get(self.state)
        if phases is None:
            return _OPEN_TO_AIR
        return next((phase for phase in phases if share < phase.until), phases[-1])
