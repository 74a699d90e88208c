"""CoolProp's numbers for hydrogen, as `python -m scripts.make_hydrogen_reference` wrote them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FILE = Path(__file__).parents[1] / "data" / "hydrogen_reference.json"


def hydrogen_reference(part: str) -> dict[str, npt.NDArray[np.float64]]:
    """Return a part of the reference: a name with its unit -> values, all of one length."""
    return {name: np.asarray(values, dtype=np.float64) for name, values in _read()[part].items()}


@cache
def _read() -> dict[str, Any]:
    return dict(json.loads(FILE.read_text(encoding="utf-8")))
