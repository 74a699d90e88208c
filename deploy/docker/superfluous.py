# ruff: noqa: INP001 - runs by itself inside the image, in no package
"""Name the installed distributions that a project does not need to run: the tools of its tests, its build, its extras.

Usage: superfluous.py PROJECT, inside the environment. One name a line, as `pip uninstall --requirement` takes them.
"""

from __future__ import annotations

import sys
from importlib.metadata import Distribution, distribution, distributions

from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name


def needed_by(project: str, extras: frozenset[str]) -> set[str]:
    """Return the names of a project and of everything that it needs, with some of its extras."""
    found: set[tuple[str, frozenset[str]]] = set()
    left: list[tuple[str, frozenset[str]]] = [(canonicalize_name(project), extras)]
    while left:
        entry = left.pop()
        if entry in found:
            continue
        found.add(entry)
        left += _wanted(distribution(entry[0]), entry[1])
    return {name for name, _ in found}


def _wanted(of: Distribution, extras: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    parsed = [Requirement(text) for text in of.requires or ()]
    return [
        (canonicalize_name(one.name), frozenset(one.extras))
        for one in parsed
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in (extras or {""}) | {""})
    ]


def main() -> None:
    """Print the names that may go; pip is used to remove them and stays."""
    kept = needed_by(sys.argv[1], frozenset({"postgresql"})) | {"pip"}
    names = {canonicalize_name(one.metadata["Name"]) for one in distributions()}
    sys.stdout.writelines(f"{name}\n" for name in sorted(names - kept))


if __name__ == "__main__":
    main()
