"""How hot a truck's tank will be at the end of a fill: the reduced fill's end temperature (DOMAIN 4.4, CAP-COOL)."""

from __future__ import annotations

from station.domain.capacity_snapshot import StationSnapshot
from station.domain.plant import Plant
from station.domain.static_capacity import StaticCapacity


def hottest_tank_c(plant: Plant, now: StationSnapshot, static: StaticCapacity) -> float:
    """Return the tank temperature that the warmest fill of now or the next hour would end with [degC].

    Between the heating of a cooled and of an uncooled fill, by the share of the gas that is not cooled: what the
    chillers in order cannot carry of the demand of the next hour, and what a hose in a fill measures at its nozzle.
    """
    fill = plant.fill
    carried = min(1.0, static.cooling_kg_h / max(static.demand_kg_h, 1.0))
    uncooled = max([1.0 - carried, *_measured(plant, now)])
    return now.ambient_c + fill.heating_cooled_k + uncooled * (fill.heating_uncooled_k - fill.heating_cooled_k)


def _measured(plant: Plant, now: StationSnapshot) -> list[float]:
    """Return how far the gas of each hose in a fill is from cooled (0) to as warm as outside (1)."""
    cold = plant.fill.cooled_gas_c
    span = max(now.ambient_c - cold, 1.0)
    warm = [h.delivery_temperature_c for h in now.hoses if h.delivery_temperature_c is not None]
    return [min(1.0, max(0.0, (c - cold) / span)) for c in warm]
