"""What a command tells at its end: a line for people, or JSON."""

from __future__ import annotations

import json


def tell_result(said: dict[str, object], *, as_json: bool) -> None:
    """Print names and values."""
    if as_json:
        print(json.dumps(said, ensure_ascii=False))
    else:
        print(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in said.items()))
