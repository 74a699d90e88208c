"""The faults that there are, as `catalogue.toml` has them: what each strikes, its size, how long it lasts."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Literal

import msgspec

Target = Literal["train", "chiller", "bank", "hose", "delivery", "filter", "power", "button", "gateway", "signal"]
Layer = Literal["plant", "instrument", "gateway"]


@dataclass(frozen=True, slots=True)
class FaultSize:
    """What the size of a fault means.

    Attributes:
        en: The meaning, with its unit.
        min, max: Its limits.
        default: If nobody says; None where it is a share of the signal's instrument range (`of_span`).
        of_span: That share.
    """

    en: str
    min: float
    max: float
    default: float | None = None
    of_span: float | None = None


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One fault of the catalogue.

    Attributes:
        en, zh: What happens.
        target: What its unit names.
        layer: Where it acts.
        for_min, ramp_min: How long it lasts and how long it takes to full strength, if nobody says [min].
        size: None where it has none.
    """

    en: str
    zh: str
    target: Target
    layer: Layer
    for_min: float
    ramp_min: float = 0.0
    size: FaultSize | None = None


@functools.cache
def fault_kinds() -> dict[str, FaultKind]:
    """Return every fault by name, in the order of the catalogue."""
    text = resources.files("simulators.faults").joinpath("catalogue.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, FaultKind])
