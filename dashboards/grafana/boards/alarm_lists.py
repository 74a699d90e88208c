"""Lists of alarms, which overview and alarms share."""

from __future__ import annotations

from typing import Any, Final

from dashboards.grafana import panels
from dashboards.grafana.page import Page
from dashboards.grafana.panels import Link, Size, Words

_TIME: Final = ("Time 时间", 170)
_PRIORITY: Final = ("Priority 优先级", 130)
_ALARM: Final = ("Alarm 报警", 140)
_STATE: Final = ("State 状态", 110)
_WORDS: Final = {"text_zh": ("说明", 0), "text_en": ("Text", 0)}


def standing_alarms(page: Page, size: Size) -> Any:
    """Return the alarms that are active now."""
    about = "Active at the end of the view, newest first, each with its newest change. Acknowledge in the console."
    columns = {"_time": _TIME, "priority": _PRIORITY, "id": _ALARM, **_WORDS, "state": _STATE}
    words = Words("Active now", "当前", about)
    return _linked(page, panels.list_panel(words, page.alarms.standing(), size, columns), "none active 无报警")


def alarm_changes(page: Page, size: Size) -> Any:
    """Return the changes of alarms in the view."""
    about = "Each change of an alarm in the view, newest first."
    columns = {"_time": _TIME, "priority": _PRIORITY, "id": _ALARM, "state": _STATE, **_WORDS}
    words = Words("Alarm changes", "报警记录", about)
    return _linked(page, panels.list_panel(words, page.alarms.changes(), size, columns), "none in the view 无记录")


def _linked(page: Page, panel: Any, empty: str) -> Any:
    link = Link("Console 操作台", f"{page.console}/console/alarms").build()
    return panels.priority_column(panel).override_by_name("id", [panels.own("links", [link])]).no_value(empty)
