"""Numbers of the simulator that are recalled or estimated: they stand in TOML files beside the code that uses them.

A table of such a file becomes a frozen dataclass, so that a misspelt or missing number is an error at the first start,
not a default somewhere in the middle of a day.
"""

from __future__ import annotations

import dataclasses
import functools
import tomllib
from importlib import resources
from typing import Any, TypeVar

import msgspec

from station.errors import BadInputError

Kind = TypeVar("Kind")


def estimates(package: str, table: str, kind: type[Kind]) -> Kind:
    """Return one table of a package's `estimates.toml` as a dataclass of numbers.

    Args:
        package: Where the file stands, e.g. `simulators.physics`.
        table: Name of the table, e.g. `cooling`.
        kind: A frozen dataclass; each of its fields must stand in the table, and nothing else may.

    Raises:
        BadInputError: The file and the dataclass do not agree; the text names the number.
    """
    found = _file(package).get(table, {})
    try:
        made = msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        raise BadInputError(f"{package}/estimates.toml [{table}]: {error}") from error
    unknown = found.keys() - {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if unknown:
        raise BadInputError(f"{package}/estimates.toml [{table}]: nothing uses {min(unknown)!r}")
    return made


@functools.cache
def _file(package: str) -> dict[str, Any]:
    return tomllib.loads(resources.files(package).joinpath("estimates.toml").read_text(encoding="utf-8"))
