"""One fault in time, and how what somebody asks for becomes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulators.faults.catalogue import FaultKind, fault_kinds
from station.domain.plant import Plant, Signal
from station.domain.signals import Kind
from station.errors import BadInputError

ALL = "all"
"""Names every gateway of a station."""
_KINDS = {
    Kind.DIGITAL_INPUT: "a contact",
    Kind.STATE: "a state",
    Kind.COUNTER: "counted",
    Kind.ANALOG_OUTPUT: "commanded",
    Kind.CALCULATED: "computed",
    Kind.SOFTWARE: "computed",
}
_LONGEST_S = 30 * 86_400.0
_OF_ANY_KIND = frozenset({"sensor-stuck", "sensor-dropout"})
"""A contact or a counter may stand still or fail; it cannot drift or be noisy."""
_OPTIONS = ("for_s", "ramp_s", "size", "signal")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in time: at work in [start_ms, end_ms), at full strength from `ramp_ms` after its start.

    Attributes:
        name: As in the catalogue.
        unit: What it strikes.
        start_ms, end_ms: Epoch ms.
        size: As the catalogue says for this fault; 0 where it has none.
        ramp_ms: How long it takes to full strength.
        signal: The tag of a signal's fault, empty otherwise.
    """

    name: str
    unit: str
    start_ms: int
    end_ms: int
    size: float = 0.0
    ramp_ms: int = 0
    signal: str = ""

    def strength(self, t_ms: int) -> float:
        """Return how strong it is at a moment: 0 outside its time, rising to 1 over its ramp."""
        if not self.start_ms <= t_ms < self.end_ms:
            return 0.0
        return 1.0 if t_ms >= self.start_ms + self.ramp_ms else (t_ms - self.start_ms) / self.ramp_ms

    def strengths(self, t_ms: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the same for many moments."""
        rising = (t_ms - self.start_ms) / max(1, self.ramp_ms) if self.ramp_ms else np.ones(len(t_ms))
        return np.where((t_ms >= self.start_ms) & (t_ms < self.end_ms), np.clip(rising, 0.0, 1.0), 0.0)

    def same_place(self, other: Fault) -> bool:
        """Return whether another is the same fault of the same thing: the newer one then takes its place."""
        return (self.name, self.unit, self.signal) == (other.name, other.unit, other.signal)


def targets_of(plant: Plant, name: str) -> tuple[str, ...]:
    """Return what a fault may strike: unit names, gateway ids, tags of buttons, or one word for the whole station."""
    target = fault_kinds()[name].target
    buttons = tuple(signal.tag for signal in plant.signals.values() if signal.role == "esd_button")
    return {
        "train": tuple(train.unit for train in plant.trains),
        "chiller": tuple(chiller.unit for chiller in plant.chillers),
        "bank": tuple(bank.unit for bank in plant.banks),
        "hose": tuple(hose.unit for hose in plant.hoses),
        "gateway": (*(gateway.id for gateway in plant.gateways), ALL),
        "button": buttons,
        "delivery": ("next",),
        "filter": ("header-lp",),
        "power": ("power",),
        "signal": tuple(dict.fromkeys(unit for _, unit in plant.units)),
    }[target]


def make_fault(plant: Plant, name: str, unit: str, at_ms: int, options: Mapping[str, object]) -> Fault:
    """Return a checked fault.

    Args:
        plant: The station.
        name: One of the catalogue.
        unit: One of `targets_of`; may be empty where there is but one, or where `signal` is named.
        at_ms: When it begins, epoch ms.
        options: `for_s` how long [s] (0 ends one that runs), `ramp_s` to full strength [s], `size`, `signal`.

    Raises:
        BadInputError: Unknown fault, unit, signal or option, or a value out of range.
    """
    kind = fault_kinds().get(name)
    if kind is None:
        raise BadInputError(f"fault {name!r}: unknown; known are {', '.join(fault_kinds())}")
    unknown = set(options) - set(_OPTIONS)
    if unknown:
        raise BadInputError(f"fault {name}: unknown option {min(unknown)!r}; known are {', '.join(_OPTIONS)}")
    signal = _signal(plant, name, kind, unit, options.get("signal"))
    if signal is not None and not unit:
        unit = signal.unit
    unit = _unit(name, unit, targets_of(plant, name))
    for_s = _number(name, "for_s", options.get("for_s"), kind.for_min * 60.0, (0.0, _LONGEST_S))
    # A ramp that nobody asked for does not outlast a fault made short.
    ramp_s = _number(name, "ramp_s", options.get("ramp_s"), min(kind.ramp_min * 60.0, for_s), (0.0, _LONGEST_S))
    return Fault(
        name=name,
        unit=unit,
        start_ms=at_ms,
        end_ms=at_ms + round(for_s * 1000),
        size=_size(name, kind, options.get("size"), signal),
        ramp_ms=round(ramp_s * 1000),
        signal="" if signal is None else signal.tag,
    )


def _unit(name: str, unit: str, units: tuple[str, ...]) -> str:
    if unit in units:
        return unit
    if len(units) == 1 or (units and name == "esd"):
        return units[0]  # the whole station, or any button
    raise BadInputError(f"fault {name}: unit {unit!r} must be one of {', '.join(units) or '(the station has none)'}")


def _signal(plant: Plant, name: str, kind: FaultKind, unit: str, said: object) -> Signal | None:
    """Return the signal that a signal's fault strikes: the one said, else the unit's first measured one."""
    if kind.target != "signal":
        if said is not None:
            raise BadInputError(f"fault {name}: signal = {said!r}: this fault strikes a {kind.target}, no signal")
        return None
    if said is None:
        tags = [tag for (_, named), u in plant.units.items() if named == unit for tag in u.tags]
        found = [plant.signals[tag] for tag in tags if plant.signals[tag].kind is Kind.ANALOG_INPUT]
        if not found:
            raise BadInputError(f"fault {name}: unit {unit!r} has no measured signal; name one of another unit")
        return found[0]
    signal = plant.signals.get(said) if isinstance(said, str) else None
    if signal is None or (unit and signal.unit != unit):
        raise BadInputError(f"fault {name}: signal = {said!r}: no signal of unit {unit!r}")
    if signal.kind is not Kind.ANALOG_INPUT and name not in _OF_ANY_KIND:
        raise BadInputError(
            f"fault {name}: signal = {said!r}: is not measured but {_KINDS[signal.kind]}; "
            f"such a one knows {' and '.join(sorted(_OF_ANY_KIND))} only"
        )
    return signal


def _size(name: str, kind: FaultKind, said: object, signal: Signal | None) -> float:
    rule = kind.size
    if rule is None:
        if said is not None:
            raise BadInputError(f"fault {name}: size = {said!r}: this fault has no size")
        return 0.0
    default = rule.default
    if default is None:
        assert signal is not None
        lowest, highest = signal.instrument_range
        default = (rule.of_span or 0.0) * (highest - lowest)
    return _number(name, "size", said, default, (rule.min, rule.max))


def _number(name: str, option: str, value: object, default: float, span: tuple[float, float]) -> float:
    if value is None:
        return default
    low, high = span
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise BadInputError(f"fault {name}: {option} = {value!r} must be a number in {low:g}..{high:g}")
    return float(value)
