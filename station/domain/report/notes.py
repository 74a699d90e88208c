"""Shift notes: what operators write down for the next crew; kept as they were written."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

KINDS: Final = ("note", "handover")
"""A note, or the signature under a shift that is handed over."""
LONGEST_NOTE: Final = 4000
"""Characters: a page."""


@dataclass(frozen=True, slots=True)
class ShiftNote:
    """One note; never changed, and put right only by another one.

    Attributes:
        date: The station day it is about.
        kind: One of `KINDS`.
        t_ms: Station time of the writing, epoch ms.
        written_ms: Wall time of the writing, epoch ms.
        who: User or token name.
    """

    station: str
    date: dt.date
    kind: str
    t_ms: int
    written_ms: int
    who: str
    text: str
