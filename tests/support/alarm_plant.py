"""The shipped station with as many more alarming signals as a test wants, of a few plain kinds."""

from __future__ import annotations

from importlib.resources import files

LIMIT, DEADBAND = 40.0, 1.0
"""Of every signal: it alarms from here on, and returns below their difference."""
DELAY_S = 2.0
"""On- and off-delay of the kind `delayed`."""
KINDS = ("prompt", "delayed", "latched")

_TYPES = """
[alarm_types.prompt]
like = "any"
deadband = 1.0
H = {on="0s", off="0s", priority="low"}
STALE = {on="10m"}
SPIKE = {watched=false}
DROPOUT = {watched=false}

[alarm_types.delayed]
like = "prompt"
H = {on="2s", off="2s", priority="medium"}

[alarm_types.latched]
like = "prompt"
H = {on="0s", off="0s", priority="critical", latched=true}
"""
_SIGNAL = (
    '  {{tag="{tag}", role="pressure_{role}", type="{kind}", kind="AI", unit="MPa", normal=[0, 30], H=40, rate=1, '
)
_NAME = 'en="{tag}", zh="{tag}"}},'


def tag_of(kind: str, unit: int, number: int) -> str:
    """Return the tag of a signal."""
    return f"PT-{unit:02}{number:02}{kind[0].upper()}"


def alarm_plant_text(units: int, each: int, kinds: tuple[str, ...] = KINDS) -> str:
    """Return the text of a shipped station's file with `units` more units `storage/many-NN`.

    Args:
        units: How many.
        each: Signals of each kind in a unit.
        kinds: Some of `KINDS`.
    """
    parts = [(files("station.plants") / "jinma.toml").read_text(encoding="utf-8"), _TYPES]
    for unit in range(units):
        parts.append(f'[[units]]\nat = "storage/many-{unit:02}"\nen = "Many {unit}"\nzh = "多 {unit}"\nsignals = [')
        parts += [
            (_SIGNAL + _NAME).format(tag=tag_of(kind, unit, number), role=f"{kind}_{number}", kind=kind)
            for kind in kinds
            for number in range(each)
        ]
        parts.append("]\n")
    return "\n".join(parts)
