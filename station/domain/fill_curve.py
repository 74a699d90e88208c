"""The corridor that a fill's pressure runs in, by the station file's ramp (DOMAIN 3.3).

The ramp's target starts at the vehicle's pressure when gas first flows and rises only while gas flows: a pause for a
leak check or a change of the source holds it. Its rate is the cooled one at cold delivery, the uncooled one at warm
delivery, and half of it above 75 degC of gas. What the dispenser itself reckons beyond that (air temperature, a
vehicle without a link) is not known here, so the target is the usual one, not the dispenser's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from station.domain.fill_ledger import AT_WORK
from station.domain.plant import FillRules

ABOVE_MPA: Final = 7.0
"""One vendor's rule for H35 [S:11]: a fill is aborted above the ramp's target by more than this for 5 s."""
MOST_MPA: Final = 43.75
"""125 % of the nominal pressure: no corridor goes beyond."""
_COLD_C, _WARM_C = -8.0, 5.0
"""[E] Delivery counts as cooled below the first, as uncooled above the second; in between in proportion."""
_HOT_C, _HOT_SHARE = 75.0, 0.5
"""[E] Above this gas temperature of the vehicle the ramp is cut to this share."""
_FLOWS: Final = "fill"


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One moment of a fill; None is not known.

    Attributes:
        state: Of the hose, by its English name.
        vehicle_mpa, gas_c: By the vehicle's own word [MPa, degC].
        delivery_c: At the nozzle [degC].
    """

    t_ms: int
    state: str | None
    vehicle_mpa: float | None
    gas_c: float | None
    delivery_c: float | None


@dataclass(frozen=True, slots=True)
class Corridor:
    """Where the pressure should be, and the most that it may be [MPa]."""

    target_mpa: float
    most_mpa: float


def corridor_of(rules: FillRules, points: Sequence[CurvePoint]) -> list[Corridor | None]:
    """Return the corridor at each point, None before the first flow, or where no vehicle told its pressure then.

    Args:
        rules: The station's ramp.
        points: The fill, oldest first; the ramp rises over the time to the next one.
    """
    found: list[Corridor | None] = []
    target: float | None = None
    before: CurvePoint | None = None
    for point in points:
        if target is None and point.state == _FLOWS:
            target = point.vehicle_mpa
        elif target is not None and before is not None and before.state == _FLOWS:
            target += ramp_mpa_min(rules, before) * (point.t_ms - before.t_ms) / 60_000.0
        before = point
        found.append(None if target is None else Corridor(min(target, MOST_MPA), min(target + ABOVE_MPA, MOST_MPA)))
    return found


def ramp_mpa_min(rules: FillRules, point: CurvePoint) -> float:
    """Return the ramp's rate at a point of a fill [MPa/min]; where a temperature is not known it counts as cold."""
    delivery = rules.cooled_gas_c if point.delivery_c is None else point.delivery_c
    warm = min(1.0, max(0.0, (delivery - _COLD_C) / (_WARM_C - _COLD_C)))
    ramp = rules.ramp_cooled_mpa_min + (rules.ramp_uncooled_mpa_min - rules.ramp_cooled_mpa_min) * warm
    return ramp * _HOT_SHARE if point.gas_c is not None and point.gas_c > _HOT_C else ramp


def end_of_fill(steps: Sequence[tuple[int, str | None]], start_ms: int) -> tuple[int, str] | None:
    """Return when, and in which state, the fill that began at `start_ms` was over; None while it goes on.

    Args:
        steps: (epoch ms, state by its English name, None where not known) of one hose, oldest first.
        start_ms: When its truck connected, epoch ms.

    Raises:
        KeyError: No fill began at that moment.
    """
    begun, before = False, "idle"
    for t_ms, state in steps:
        if state is None:
            continue
        if t_ms == start_ms and state in AT_WORK and before not in AT_WORK:
            begun = True
        elif begun and state not in AT_WORK:
            return t_ms, state
        before = state
    if not begun:
        raise KeyError(start_ms)
    return None
