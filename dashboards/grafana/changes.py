"""What a push tells of each resource."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CREATED: Final = "created"
UPDATED: Final = "updated"
UNCHANGED: Final = "unchanged"


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a resource: `datasource|folder|dashboard|contact-point|alert-rules`, its uid, and the outcome."""

    kind: str
    uid: str
    outcome: str
