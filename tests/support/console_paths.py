"""The paths of the console's pages, as the registry has them."""

from __future__ import annotations

from dashboards.console.registry import console_pages
from station.adapters.plant_files import shipped_plant


def every_path() -> list[str]:
    """Return the path of every page below `/console/`, empty for the overview; of a unit's page one in each area."""
    first = dict(reversed(shipped_plant().units))
    found: list[str] = []
    for page in console_pages():
        kinds = [page.path.format(area=area, unit=unit) for area, unit in first.items()]
        found += kinds if "{" in page.path else [page.path]
    return [path.strip("/") for path in found]
