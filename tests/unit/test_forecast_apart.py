"""The forecast is no copy of what it is judged by: its station and the simulated one share the gas and nothing else."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).parents[2]
HYDROGEN = "station.domain.hydrogen"
REDUCED = "station.domain.reduced_station"
DESCRIPTIONS = {
    "station.domain.day_plan",
    "station.domain.learned",
    "station.domain.plant",
    "station.domain.signals",
}
"""What the forecast and the simulator both read: the station's file, its signals, the day's plan; and the rows of what
was learned, which the ports name beside those. No physics."""


def file_of(module: str) -> Path | None:
    """Return the source of a module or package of this repository."""
    path = ROOT.joinpath(*module.split("."))
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


@functools.cache
def imported(module: str) -> frozenset[str]:
    """Return the modules of this repository that a module imports anywhere in its text, functions included."""
    source = file_of(module)
    assert source is not None, module
    found = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            # `from package import name` may name a module or something in it.
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return frozenset(name for name in found if file_of(name))


def reached(*modules: str) -> set[str]:
    """Return the modules that are imported by some, directly or through others; themselves included."""
    seen: set[str] = set()
    ahead = list(modules)
    while ahead:
        module = ahead.pop()
        if module not in seen:
            seen.add(module)
            ahead += imported(module)
    return {module for module in seen if file_of(module) != ROOT.joinpath(*module.split("."), "__init__.py")}


def all_of(package: str) -> list[str]:
    """Return the modules of a package."""
    return [".".join(p.relative_to(ROOT).with_suffix("").parts) for p in sorted((ROOT / package).rglob("*.py"))]


def simulated() -> set[str]:
    return reached(*(m for m in all_of("simulators") if not m.endswith("__init__")))


def test_the_reduced_station_shares_nothing_but_hydrogen_with_the_simulators() -> None:
    # With it comes what it imports itself: the exceptions' base class.
    assert reached(HYDROGEN) == {HYDROGEN, "station.errors"}
    assert reached(REDUCED) & simulated() == reached(HYDROGEN)


def test_the_whole_forecast_shares_descriptions_and_no_model_with_the_simulators() -> None:
    forecast = reached("station.domain.capacity")
    assert REDUCED in forecast
    assert not {m for m in forecast if m.startswith("simulators")}
    assert (forecast & simulated()) - reached(HYDROGEN) == DESCRIPTIONS


def test_the_walk_sees_what_is_imported() -> None:
    physics = {m for m in simulated() if m.startswith("simulators.physics.")}
    assert len(physics) > 5
    assert HYDROGEN in simulated()
    assert {"station.domain.lanes", "station.domain.isotherms"} <= reached(REDUCED)
