"""A board: rows of panels in the frame that all six share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboards.grafana import panels
from dashboards.grafana.flux import FluxQuery
from dashboards.grafana.page import Page, Row
from dashboards.grafana.sdk import dashboard, parts
from station.domain.plant import Plant

FOLDER_UID: Final = "jinma"
FOLDER_TITLE: Final = "Hydrogen stations 加氢站"
_REFRESH: Final = "10s"
"""Not below the 10 s in which a person can take a new number in; readings come each second."""
_LONGEST_UID: Final = 40
"""Of Grafana."""


def uid_of(plant: Plant, name: str, prefix: str = "h2") -> str:
    """Return the fixed uid of something of a station; a long station id is cut, and told apart by a digest."""
    uid = f"{prefix}-{plant.id}-{name}"
    if len(uid) <= _LONGEST_UID:
        return uid
    digest = hashlib.sha256(plant.id.encode()).hexdigest()[:8]
    room = _LONGEST_UID - len(f"{prefix}--{digest}-{name}")
    return f"{prefix}-{plant.id[:room]}-{digest}-{name}"


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard of a station: its short name for the uid, its titles, and what makes its rows."""

    name: str
    en: str
    zh: str
    rows: Callable[[Page], Iterator[Row]]

    def uid(self, plant: Plant) -> str:
        """Return its fixed uid."""
        return uid_of(plant, self.name)

    def made(self, page: Page) -> Any:
        """Return the dashboard of a station; rows and panels that the station has nothing for are left out."""
        whole = self._frame(page)
        for title, row in self.rows(page):
            if row:
                whole = whole.with_row(dashboard.Row(title))
                for panel in row:
                    whole = whole.with_panel(panel)
        built = whole.build()
        # An alert or a link names a panel by its id: in their order.
        for number, panel in enumerate(built.panels or [], start=1):
            panel.id_val = number
        return built

    def _frame(self, page: Page) -> Any:
        plant = page.plant
        made = (
            dashboard.Dashboard(f"{plant.label.en} {plant.label.zh} - {self.en} {self.zh}")
            .uid(self.uid(plant))
            .description(
                "Made from the station file by `jinma dashboards`: a change by hand is lost with the next one."
            )
            .tags(["h2", "generated", plant.id])
            .timezone(str(plant.timezone))
            .refresh(_REFRESH)
            .time("now-6h", "now")
            .tooltip(parts.DashboardCursorSync.CROSSHAIR)
            .readonly()
            .with_variable(_station(page))
            .annotation(_marks(page, "Alarms 报警", ("critical", "high"), panels.ALARM, shown=True))
            .annotation(_marks(page, "Lesser alarms 次要报警", ("medium", "low"), panels.WARNING, shown=False))
            .link(_boards(plant))
        )
        for title, path in (("Console 操作台", ""), ("Alarms 报警", "/alarms"), ("Capacity 能力", "/capacity")):
            kind = parts.DashboardLinkType.LINK
            made = made.link(
                dashboard.DashboardLink(title).type(kind).url(f"{page.console}/console{path}").target_blank(True)
            )
        return made


def _station(page: Page) -> Any:
    plant = page.plant
    return (
        dashboard.QueryVariable("station")
        .label("Station 站")
        .datasource(panels.SOURCE)
        .query(page.station_ids)
        # the limits drawn are this station file's; a replay of the station keeps them
        .regex(f"/^{plant.id}(~.*)?$/")
        .refresh(parts.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(parts.VariableSort.ALPHABETICAL_ASC)
        .current(parts.VariableOption(text=plant.id, value=plant.id, selected=True))
    )


def _marks(page: Page, name: str, priorities: Sequence[str], colour: str, *, shown: bool) -> Any:
    return (
        dashboard.AnnotationQuery()
        .name(name)
        .datasource(panels.SOURCE)
        .enable(shown)
        .icon_color(colour)
        .target(FluxQuery(page.alarms.raised(priorities), "Alarms"))
    )


def _boards(plant: Plant) -> Any:
    """Return the menu of the station's boards, which keeps time and station."""
    return (
        dashboard.DashboardLink("Boards 看板")
        .type(parts.DashboardLinkType.DASHBOARDS)
        .tags(["h2", "generated", plant.id])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
    )
