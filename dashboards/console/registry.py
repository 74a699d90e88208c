"""Which pages the console has: each page's module says it of itself, nobody keeps a list.

A module whose name ends in `_page` and that holds `PAGE = ConsolePage(..)` is served and stands in the navigation; it
may lie in any folder of the console.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from api.people.roles import Role
from station.domain.plant import Text

_PACKAGE: Final = "dashboards.console"


@dataclass(frozen=True, slots=True)
class ConsolePage:
    """One page of the console.

    Args:
        path: Below `/console`, with a slash first; parts in braces are handed to `draw` by name.
        title: As the navigation names it; None keeps a page (one of many units) out of the navigation.
        order: Its place there, lowest first: overview 0, capacity 10, alarms 20, trends 30, units 40, fills 50,
            trailers 60, energy 70, completeness 80, reports 90, replay 100, people 110, settings 120.
        draw: Draws it: `draw(live, session, language, **parts of the path)`.
        least: Role below which the navigation does not offer it; the page itself says why it is refused.
        key: Letter that opens it after `g`; empty where it has none.
    """

    path: str
    title: Text | None
    order: int
    draw: Callable[..., None]
    least: Role = Role.VIEWER
    key: str = ""

    @property
    def name(self) -> str:
        """What the page calls itself: `overview`, else its path without the slash."""
        return self.path.strip("/") or "overview"


@functools.cache
def console_pages() -> tuple[ConsolePage, ...]:
    """Return every page, in the order of the navigation."""
    package = importlib.import_module(_PACKAGE)
    names = [found.name for found in pkgutil.walk_packages(package.__path__, f"{_PACKAGE}.")]
    modules = [importlib.import_module(name) for name in names if name.endswith("_page")]
    pages = [module.PAGE for module in modules if isinstance(getattr(module, "PAGE", None), ConsolePage)]
    return tuple(sorted(pages, key=lambda page: (page.order, page.path)))


def offered_pages(role: Role) -> list[ConsolePage]:
    """Return the pages that the navigation offers somebody of a role."""
    return [page for page in console_pages() if page.title is not None and role >= page.least]
