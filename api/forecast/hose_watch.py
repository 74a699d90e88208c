"""What is known of a truck at a hose when part of its sensors are silent: its totaliser's rise, what it asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

from api.forecast.measured import Measured
from api.forecast.priming import missing_kg
from api.forecast.tags import CapacityTags, HoseTags
from station.domain.fill_ledger import FillLedger
from station.domain.plant import Plant

_RISES_KG = 0.2
"""A totaliser that rose by more in a minute is giving; the pulse of a leak check is less."""


@dataclass(slots=True)
class HoseWatch:
    """Watches each hose, once a minute."""

    plant: Plant
    tags: CapacityTags
    _asked: dict[str, tuple[int, float, str]] = field(default_factory=dict)
    _totals: dict[str, float] = field(default_factory=dict)
    _rising: dict[str, tuple[int, float]] = field(default_factory=dict)

    def connected(self, unit: str, since_ms: int, kg: float | None) -> None:
        """Take what the truck that has just come to a hose told the gate it wants [kg]."""
        if kg is not None:
            self._asked[unit] = (since_ms, kg, "booking")

    def tick(self, measured: Measured, fills: FillLedger, at_ms: int) -> None:
        """Look at each totaliser and each truck's tank."""
        for hose in self.tags.hoses:
            self._look_at_total(measured, hose, at_ms)
            current = fills.current(hose.unit)
            by_tank = None if current is None else self._by_tank(measured, hose, current, at_ms)
            if current is not None and by_tank is not None:
                self._asked[hose.unit] = (current[0], by_tank, hose.total)

    def _look_at_total(self, measured: Measured, hose: HoseTags, at_ms: int) -> None:
        total = measured.value(hose.total)
        if total is None or not measured.is_fresh(hose.total, at_ms):
            return
        before = self._totals.get(hose.unit, total)
        self._totals[hose.unit] = total
        if total - before > _RISES_KG:
            self._rising.setdefault(hose.unit, (at_ms - 60_000, before))
        else:
            self._rising.pop(hose.unit, None)

    def rising(self, measured: Measured, hose: HoseTags) -> tuple[int, float] | None:
        """Return (since when, kilograms since then) of a totaliser that is rising, None where it stands still."""
        began, total = self._rising.get(hose.unit), measured.value(hose.total)
        return None if began is None or total is None else (began[0], total - began[1])

    def asked(
        self, measured: Measured, hose: HoseTags, current: tuple[int, float], at_ms: int
    ) -> tuple[float, str] | None:
        """Return (what the truck at a hose takes in all [kg], by which word), None where nobody said.

        What a tank lacked at its last word, with what it had been given then, still holds when its link has failed.

        Args:
            measured: Newest readings.
            hose: The hose.
            current: (When the truck connected, what it was given so far [kg]).
            at_ms: Station time, epoch ms.
        """
        by_tank = self._by_tank(measured, hose, current, at_ms)
        if by_tank is not None:
            return by_tank, "measured"
        known = self._asked.get(hose.unit)
        return None if known is None or known[0] != current[0] else known[1:]

    def _by_tank(self, measured: Measured, hose: HoseTags, current: tuple[int, float], at_ms: int) -> float | None:
        soc, litres, heard = measured.value(hose.soc), measured.value(hose.tank_volume), measured.time_ms(hose.soc)
        if soc is None or litres is None or heard is None or heard < current[0]:
            return None
        if not (measured.is_fresh(hose.soc, at_ms) and measured.is_fresh(hose.tank_volume, at_ms)):
            return None
        return current[1] + missing_kg(soc, litres, self.plant.fill.end_soc)
