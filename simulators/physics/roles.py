"""How a module of the plant says what it records: (area, unit, role) for each number of its part of a row."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Role = tuple[str, str, str]
"""(area, unit, role) of a recorded number: a signal's, or one that stands under `HIDDEN`."""

HIDDEN = "-"
"""Area of what no sensor shows: recorded for the block's own sums."""


def of_unit(area: str, unit: str, roles: Iterable[str]) -> list[Role]:
    """Return the roles of one unit."""
    return [(area, unit, role) for role in roles]
