"""Which pipes the overview draws, and which signal says that one is in use.

Gas goes from the bays through the low-pressure manifold to the trains, from them to the banks, and by the
high-pressure header to the hoses; a fill begins with what a trailer gives directly, past trains and banks. Brine cools
the gas before the hoses. The page's script places the pipes where the tiles are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from station.domain.plant import Plant, Signal, UnitKey

Json = dict[str, Any]
_FLOWS_FROM: Final = 0.02
"""Share of a flow meter's range above which gas moves; below is its noise around zero."""
_DIRECT_KG_H: Final = 36.0
"""What the bays give beyond what the trains take, from which on it goes to a hose: 10 g/s, half of a slow fill."""


def station_pipes(plant: Plant) -> Json:
    """Return each line's ends: the unit, and the signal that says it is in use where it is over a number.

    An end without a signal is in use where its line is. A line that lacks one side is left out by the page.
    """
    trains = [("compression", one.unit) for one in plant.trains]
    banks = [("storage", one.unit) for one in plant.banks]
    brine = [*_ends(plant, (("cooling", one.unit) for one in plant.chillers), "brine_flow")]
    return {
        "bays": _ends(plant, (("trailer", bay) for bay in plant.supply.bays), "flow"),
        "low": _places(plant, ("trailer", "header-lp")),
        "trains": _ends(plant, trains, "flow"),
        "inlets": _ends(plant, banks, "inlet_open"),
        "outlets": _ends(plant, banks, "outlet_open"),
        "high": _places(plant, ("storage", "header-hp")),
        "hoses": _ends(plant, (("dispensing", one.unit) for one in plant.hoses), "flow"),
        "brine": [*brine, *_places(plant, ("cooling", "brine-tank"))],
        "reliefs": list(plant.tags_with_role("relief_lifted")),
        "vent": _ends(plant, [key for key in [("storage", "vent")] if key in plant.units], "flow_switch"),
        "direct_over": _DIRECT_KG_H,
    }


def _ends(plant: Plant, keys: Iterable[UnitKey], role: str) -> list[Json]:
    tags = {(one.area, one.unit): one.tag for one in plant.signals.values() if one.role == role}
    return [_end(key, plant.signals[tags[key]] if key in tags else None) for key in keys]


def _end(key: UnitKey, signal: Signal | None) -> Json:
    unit = "/".join(key)
    if signal is None:
        return {"unit": unit}
    over = 0.5 if signal.unit_of_measure == "-" else round(_FLOWS_FROM * signal.instrument_range[1], 3)
    return {"unit": unit, "tag": signal.tag, "over": over}


def _places(plant: Plant, key: UnitKey) -> list[Json]:
    return [{"unit": "/".join(key)}] if key in plant.units else []
