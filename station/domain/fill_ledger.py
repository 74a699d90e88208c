"""The day's fills, read from each hose's state and its totaliser alone (contract section 3).

A fill is done when its hose passes through `end`; its kilograms are the rise of the totaliser from `connect` to `end`.
What the totaliser rose while nobody listened is found when it is heard again, so that kilograms are never lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

IDLE, CONNECT, END = "idle", "connect", "end"
AT_WORK = ("connect", "leak-check", "fill", "hold")
ABORT, FAULT = "abort", "fault"
BROKEN = (ABORT, FAULT)

_RETURNS_WITHIN_MS = 30 * 60_000
"""A truck whose fill broke off and that has not come back by then has left."""
_SAME_TRUCK_KG = 1.5
"""A tank that lacks what another lacked, within this, is the same truck."""

_UNHEARD_KG = 1.0
"""The totaliser between two fills stands still; a rise above this means fills that nobody heard of."""


@dataclass(frozen=True, slots=True)
class Fill:
    """One fill.

    Attributes:
        start_ms, end_ms: From `connect` to `end` (or to the moment it broke off), epoch ms.
        kg: Rise of the totaliser.
        completed: It passed through `end`; a broken fill gave kilograms and filled no truck.
        missing_kg: What the truck lacked at the end to its target, by its own tank data; 0 where unknown.
        came_back: It broke off, and the truck got the rest later: on the same hose, out of the line, or on another.
        trucks: 1, or for fills that nobody heard of as many as the kilograms make.
    """

    hose: str
    start_ms: int
    end_ms: int
    kg: float
    completed: bool
    missing_kg: float = 0.0
    trucks: int = 1
    came_back: bool = False


@dataclass(slots=True)
class _Hose:
    """What is known of one hose; `heard` counts totaliser readings."""

    state: str | None = None
    start_ms: int | None = None
    start_kg: float | None = None
    total_kg: float | None = None
    rest_kg: float | None = None


@dataclass(slots=True)
class FillLedger:
    """Fills of all hoses.

    Attributes:
        mean_fill_kg: For counting trucks of fills that nobody heard of.
        fills: Ended fills, by their end.
    """

    mean_fill_kg: float
    fills: list[Fill] = field(default_factory=list)
    _hoses: dict[str, _Hose] = field(default_factory=dict)

    def total(self, hose: str, kg: float) -> None:
        """Take a reading of a hose's totaliser [kg since commissioning]."""
        known = self._hoses.setdefault(hose, _Hose())
        if known.total_kg is None or kg > known.total_kg:
            known.total_kg = kg

    def state(self, hose: str, t_ms: int, state: str, missing_kg: Callable[[], float] = lambda: 0.0) -> bool:
        """Take a hose's fill state.

        Args:
            hose: Unit name.
            t_ms: Station time, epoch ms.
            state: Its name.
            missing_kg: Asked when a fill ends: what the truck lacks to its target.

        Returns:
            True where a truck has just connected.
        """
        known = self._hoses.setdefault(hose, _Hose())
        before, known.state = known.state, state
        if state == before:
            return False
        if state in AT_WORK and known.start_ms is None:
            if before == ABORT:
                self.came_back(t_ms, hose)
            self._begin(hose, known, t_ms)
            return True
        if state not in AT_WORK and known.start_ms is not None:
            self._close(hose, known, t_ms, state, missing_kg)
        return False

    def _begin(self, hose: str, known: _Hose, t_ms: int) -> None:
        if known.rest_kg is not None and known.total_kg is not None:
            unheard = known.total_kg - known.rest_kg
            if unheard > _UNHEARD_KG:
                trucks = max(1, round(unheard / self.mean_fill_kg))
                self.fills.append(Fill(hose, t_ms, t_ms, unheard, completed=True, trucks=trucks))
        known.start_ms, known.start_kg = t_ms, known.total_kg

    def _close(self, hose: str, known: _Hose, t_ms: int, state: str, missing_kg: Callable[[], float]) -> None:
        assert known.start_ms is not None
        kg = self._given(known)
        completed = state == END
        known.rest_kg = known.total_kg
        short = missing_kg() if completed or state in BROKEN else 0.0
        if completed:
            self._recognise(known.start_ms, kg + short)
        # A hose that went from filling to idle was not heard at its end: the truck has left with what it got.
        if completed or kg > 0.0 or short > 0.0:
            self.fills.append(Fill(hose, known.start_ms, t_ms, kg, completed or state == IDLE, short))
        known.start_ms = known.start_kg = None

    def _recognise(self, start_ms: int, lacked_kg: float) -> None:
        """Find the broken fill of a truck that lacked this much when it connected."""
        for index, fill in enumerate(self.fills):
            near = 0 <= start_ms - fill.end_ms <= _RETURNS_WITHIN_MS
            if near and _is_open(fill) and abs(fill.missing_kg - lacked_kg) <= _SAME_TRUCK_KG:
                self.fills[index] = replace(fill, came_back=True)
                return

    def came_back(self, t_ms: int, hose: str | None = None) -> None:
        """Take that a truck whose fill broke off has come back: to its hose, or to the line (hose None)."""
        for index in range(len(self.fills) - 1, -1, -1):
            fill = self.fills[index]
            if _is_open(fill) and hose in (None, fill.hose) and t_ms - fill.end_ms <= _RETURNS_WITHIN_MS:
                self.fills[index] = replace(fill, came_back=True)
                return

    @staticmethod
    def _given(known: _Hose) -> float:
        if known.total_kg is None or known.start_kg is None:
            return 0.0
        return max(0.0, known.total_kg - known.start_kg)

    def current(self, hose: str) -> tuple[int, float] | None:
        """Return (when it connected, kg given so far) of the truck at a hose, None where none takes gas."""
        known = self._hoses.get(hose)
        if known is None or known.start_ms is None:
            return None
        return known.start_ms, self._given(known)

    def between(self, start_ms: int, end_ms: int) -> list[Fill]:
        """Return the fills that ended in [start, end)."""
        return [f for f in self.fills if start_ms <= f.end_ms < end_ms]

    def short(self, start_ms: int, at_ms: int, tolerance_kg: float) -> list[Fill]:
        """Return the fills since `start_ms` whose trucks have left with more than a tolerance too little [kg]."""
        left_ms = at_ms - _RETURNS_WITHIN_MS
        fills = [f for f in self.between(start_ms, at_ms + 1) if f.missing_kg > tolerance_kg]
        return [f for f in fills if f.completed or (not f.came_back and f.end_ms <= left_ms)]

    def unheard_kg(self) -> list[float]:
        """Return what each totaliser has risen by since its last fill that was heard, where that is more than noise."""
        idle = [h for h in self._hoses.values() if h.start_ms is None and h.rest_kg is not None]
        rises = [h.total_kg - h.rest_kg for h in idle if h.total_kg is not None and h.rest_kg is not None]
        return [kg for kg in rises if kg > _UNHEARD_KG]

    def forget_before(self, t_ms: int) -> None:
        """Drop fills that ended before a moment."""
        self.fills = [f for f in self.fills if f.end_ms >= t_ms]


def _is_open(fill: Fill) -> bool:
    """Return whether a fill broke off and its truck has not been seen since."""
    return not fill.completed and not fill.came_back
