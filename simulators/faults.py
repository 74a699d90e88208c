"""Faults of the plant itself: what may be injected, and what each does while it lasts."""

from __future__ import annotations

from dataclasses import dataclass

from station.domain.plant import Plant
from station.errors import BadInputError

_LEAK_KG_S_PER_MM2 = 0.0168
"""A hole of 1 mm at 45 MPa, discharge coefficient 0.8, loses 16.8 g/s; the loss goes with the square of its size."""

KNOWN = (
    "train-trip",
    "diaphragm-leak",
    "chiller-loss",
    "bank-leak",
    "valve-passby",
    "dispenser-leak",
    "trailer-late",
    "trailer-underfilled",
    "filter-plug",
    "sensor-drift",
    "sensor-bias",
    "sensor-stuck",
    "sensor-spike",
    "sensor-dropout",
    "sensor-noise",
    "power-cut",
    "network-outage",
    "clock-skew",
    "clock-step",
    "ir-loss",
    "esd",
    "meter-bias",
)
"""Every fault of the contract; those that are not in `SUPPORTED` are refused with a clear word."""

_DEFAULT_FOR_S = {
    "train-trip": 4 * 3600.0,
    "trailer-late": 2 * 3600.0,
    "chiller-loss": 3600.0,
    "bank-leak": 3600.0,
    "esd": 900.0,
}
SUPPORTED = tuple(_DEFAULT_FOR_S)
_DEFAULT_HOLE_MM = 0.5
_MAX_HOLE_MM = 3.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in time: [start_ms, end_ms); `size` is the hole of a leak [mm]."""

    name: str
    unit: str
    start_ms: int
    end_ms: int
    size: float = 0.0

    @property
    def leak_kg_s(self) -> float:
        """Loss of a leak at working pressure [kg/s]."""
        return _LEAK_KG_S_PER_MM2 * self.size * self.size


def units_of(plant: Plant, name: str) -> tuple[str, ...]:
    """Return the units that a supported fault may strike."""
    if name == "train-trip":
        return tuple(train.unit for train in plant.trains)
    if name == "chiller-loss":
        return tuple(chiller.unit for chiller in plant.chillers)
    if name == "bank-leak":
        return tuple(bank.unit for bank in plant.banks)
    if name == "trailer-late":
        return ("next",)
    return tuple(signal.tag for signal in plant.signals.values() if signal.role == "esd_button")


def make_fault(plant: Plant, name: str, unit: str, at_ms: int, options: dict[str, object]) -> Fault:
    """Return a checked fault.

    Args:
        plant: The station.
        name: One of `SUPPORTED`.
        unit: One of `units_of`; any unit for a fault that strikes the whole station (`trailer-late`, `esd`).
        at_ms: When it begins, epoch ms.
        options: `for_s` how long [s], `size` of a leak's hole [mm].

    Raises:
        BadInputError: Unknown fault, unit or option, or a value out of range.
    """
    if name not in SUPPORTED:
        word = "not in this version" if name in KNOWN else f"unknown; known are {', '.join(KNOWN)}"
        raise BadInputError(f"fault {name!r}: {word}")
    units = units_of(plant, name)
    if unit not in units:
        if name not in {"trailer-late", "esd"}:
            raise BadInputError(f"fault {name}: unit {unit!r} must be one of {', '.join(units)}")
        unit = units[0] if units else unit
    unknown = set(options) - {"for_s", "size"}
    if unknown:
        raise BadInputError(f"fault {name}: unknown option {min(unknown)!r}; known are for_s, size")
    for_s = _number(name, "for_s", options.get("for_s"), _DEFAULT_FOR_S[name], 30 * 86_400.0)
    size = 0.0
    if name == "bank-leak":
        size = _number(name, "size", options.get("size"), _DEFAULT_HOLE_MM, _MAX_HOLE_MM)
    return Fault(name, unit, at_ms, at_ms + int(for_s * 1000), size)


def _number(name: str, option: str, value: object, default: float, most: float) -> float:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 < value <= most:
        raise BadInputError(f"fault {name}: {option} = {value!r} must be a number above 0, at most {most:g}")
    return float(value)
