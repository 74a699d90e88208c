"""What the trailers at the bays hold now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from station.domain.capacity_snapshot import BayNow
from station.domain.mass_balance import content
from station.domain.plant import Supply


@dataclass(frozen=True, slots=True)
class DockedTrailer:
    """A bay and what stands at it; None is not known, or nothing stands there.

    Attributes:
        kg: Held, by pressure, temperature and water volume.
        usable_kg: Of it what lies above the pressure at which a trailer goes back.
    """

    bay: BayNow
    kg: float | None
    usable_kg: float | None


def docked_trailers(supply: Supply, bays: Iterable[BayNow]) -> list[DockedTrailer]:
    """Return what each bay's trailer holds."""
    return [_docked(supply, bay) for bay in bays]


def _docked(supply: Supply, bay: BayNow) -> DockedTrailer:
    if bay.pressure_mpa is None or bay.temperature_c is None:
        return DockedTrailer(bay, None, None)
    held, floor = (
        content(supply.volume_m3, pressure, bay.temperature_c).kg for pressure in (bay.pressure_mpa, supply.floor_mpa)
    )
    return DockedTrailer(bay, held, max(0.0, held - floor))
