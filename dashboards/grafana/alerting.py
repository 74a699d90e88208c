"""Grafana's own watch: a few rules beside the alarm engine's, and the contact point by which they reach it.

The engine judges every signal within a second. These rules ask the store each ten seconds, so that gas, a shutdown and
a silence are seen once more, by another program, also when the engine has stopped. None of them reads what the engine
writes about alarms: an alarm never begets another. Limits are the station file's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dashboards.grafana.boards.board import FOLDER_UID, uid_of
from dashboards.grafana.flux import DATASOURCE_UID, measured
from dashboards.grafana.page import AGE_LIMITS_S, Page
from dashboards.grafana.panels import limits_text
from dashboards.grafana.service_flux import FORECAST_LIVES_S
from station.adapters.flux import any_of, text

CONTACT_UID: Final = "jinma-api"
CONTACT_NAME: Final = "Jinma API"
HOOK: Final = "/api/v1/hooks/grafana"
_EVERY_S: Final = 10
_EXPRESSION: Final = {"type": "__expr__", "uid": "__expr__"}
_SILENCE_LOOKED_AT_S: Final = 900
"""A whole station that is silent for longer has no rows at all, which is an alert too."""
_NOTIFIED: Final = {
    "receiver": CONTACT_NAME,
    "group_by": ["grafana_folder", "alertname", "station"],
    "group_wait": "5s",
    "group_interval": "10s",
    # Told again, so that an API which was started anew knows within ten minutes what fires.
    "repeat_interval": "10m",
}
"""How an alert goes out, in the rule itself: the tree of notification policies is its owner's."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: fires for each series of `query` whose last value is above `above`.

    Attributes:
        name: Short, of the uid.
        en, zh: Its title.
        query: Flux; labels of its series come with the alert.
        looks_back_s: Time range of the query [s].
        holds: How long before it fires.
        severity: `critical|high|medium`, which the API takes as the priority.
        no_data: `Alerting`, or `OK` where another rule tells of a silence.
        summary: What is wrong, in both languages; `.Labels` and `.Values.B` are Grafana's.
        panel: Board and English title of the panel that shows it.
    """

    name: str
    en: str
    zh: str
    query: str
    above: float
    looks_back_s: int
    holds: str
    severity: str
    no_data: str
    summary: str
    panel: tuple[str, str]


def rules(page: Page, bucket: str) -> Iterator[Rule]:
    """Yield the rules of a station; what it has not is left out."""
    plant = page.plant
    asked = _Asked(bucket, plant.id)
    gas = page.playing("fire_gas", "gas")
    limits = gas[0].limits if gas else {}
    for name, severity, en, zh in (("HH", "critical", "very high", "高高"), ("H", "high", "high", "高")):
        if name in limits:
            yield Rule(
                f"gas-{name.lower()}", f"Hydrogen {en}", f"氢气{zh}", asked.highest("fire_gas", [s.tag for s in gas]),
                limits[name], 120, "0s", severity, "Alerting",
                "{{ .Labels.signal }} {{ .Values.B }} %LEL. " + limits_text(limits, "%LEL"),
                ("alarms", "Highest hydrogen"),
            )  # fmt: skip
    for level in page.playing("fire_gas", "esd_level"):
        yield Rule(
            "esd", "Emergency shutdown", "紧急停车", asked.highest("fire_gas", [level.tag]), 0.0, 180, "0s", "critical",
            "Alerting", "Shutdown level {{ .Values.B }} 停车等级", ("alarms", "Emergency shutdown"),
        )  # fmt: skip
    lost_s = page.age_limits.get("HH", AGE_LIMITS_S["HH"])
    yield Rule(
        "silent", "Readings do not arrive", "数据中断", asked.age(page.areas()), lost_s, _SILENCE_LOOKED_AT_S,
        "30s", "high", "Alerting", "{{ .Labels.area }}: nothing for {{ .Values.B }} s 无数据", ("alarms", "Data age"),
    )  # fmt: skip
    yield Rule(
        "no-forecast", "No capacity forecast", "无供氢能力预测", asked.age(["capacity"]), float(FORECAST_LIVES_S), 3600,
        "1m", "medium", "Alerting", "The newest forecast is {{ .Values.B }} s old 预测已过期",
        ("capacity", "Deliverable"),
    )  # fmt: skip
    spec = plant.capacity_alarms.get("CAP-SHORT")
    if spec is not None and spec.limit is not None:
        yield Rule(
            "shortfall", "A shortfall is likely", "可能缺氢", asked.newest_risk(), spec.limit, FORECAST_LIVES_S, "15m",
            "high", "OK", "Probability {{ .Values.B }} 缺氢概率", ("capacity", "Shortfall risk"),
        )  # fmt: skip


class _Asked:
    """Flux of rules: times are the rule's range, the station is written out."""

    def __init__(self, bucket: str, station: str) -> None:
        self._bucket, self._station = text(bucket), text(station)

    def _range(self, *conditions: str) -> str:
        found = " and ".join((f"r.station == {self._station}", *conditions))
        return (
            f"from(bucket: {self._bucket})\n  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)"
            f"\n  |> filter(fn: (r) => {found})"
        )

    def highest(self, area: str, tags: Iterable[str]) -> str:
        """Return the highest value of each signal."""
        return (
            self._range(measured(area), any_of("_field", tags))
            + '\n  |> max()\n  |> rename(columns: {_field: "signal"})\n  |> group(columns: ["signal"])'
            + '\n  |> keep(columns: ["_time", "_value", "signal"])'
        )

    def age(self, measurements: Iterable[str]) -> str:
        """Return the seconds since the newest point of each measurement."""
        return (
            self._range(any_of("_measurement", measurements), "r._field !~ /[.]/")
            + '\n  |> last()\n  |> rename(columns: {_measurement: "area"})\n  |> group(columns: ["area"])'
            + '\n  |> max(column: "_time")\n  |> map(fn: (r) => ({area: r.area, _time: r._time, '
            + "_value: (float(v: uint(v: now())) - float(v: uint(v: r._time))) / 1000000000.0}))"
        )

    def newest_risk(self) -> str:
        """Return the probability of a shortfall by the newest forecast."""
        asked = self._range(measured("capacity"), 'r._field == "shortfall_probability"')
        return asked + '\n  |> last()\n  |> keep(columns: ["_time", "_value"])'


def rule_group(page: Page, bucket: str, boards: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return a station's rules as Grafana's provisioning API takes a group.

    Args:
        page: The station.
        bucket: Bucket of raw readings.
        boards: Its dashboards by uid, for the panels that show what the rules watch.
    """
    made = [_body(rule, page, boards) for rule in rules(page, bucket)]
    return {"title": f"jinma {page.plant.id}", "folderUid": FOLDER_UID, "interval": _EVERY_S, "rules": made}


def _body(rule: Rule, page: Page, boards: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    plant = page.plant
    board = uid_of(plant, rule.panel[0])
    return {
        "uid": uid_of(plant, rule.name, "alert"),
        "title": f"{rule.en} {rule.zh} ({plant.id})",
        "folderUID": FOLDER_UID,
        "orgID": 1,
        "condition": "C",
        "data": _steps(rule),
        "for": rule.holds,
        "keep_firing_for": "1m",
        "noDataState": rule.no_data,
        "execErrState": "Error",
        "labels": {"station": plant.id, "severity": rule.severity},
        "annotations": {
            "summary": rule.summary,
            "runbook_url": f"{page.console}/console/alarms",
            "__dashboardUid__": board,
            "__panelId__": str(_panel_id(boards[board], rule.panel[1])),
        },
        "notification_settings": _NOTIFIED,
    }


def _panel_id(board: dict[str, Any], title: str) -> int:
    return next(int(panel["id"]) for panel in board["panels"] if panel["title"].startswith(title))


def _steps(rule: Rule) -> list[dict[str, Any]]:
    """Return A, the query; B, its last value; C, whether that is above the limit."""
    asked = {"refId": "A", "query": rule.query, "intervalMs": 1000, "maxDataPoints": 1000}
    last = {"refId": "B", "type": "reduce", "expression": "A", "reducer": "last", "datasource": _EXPRESSION}
    over = {
        "refId": "C", "type": "threshold", "expression": "B", "datasource": _EXPRESSION,
        "conditions": [{"evaluator": {"type": "gt", "params": [rule.above]}}],
    }  # fmt: skip
    return [
        {
            "refId": "A",
            "datasourceUid": DATASOURCE_UID,
            "relativeTimeRange": {"from": rule.looks_back_s, "to": 0},
            "model": asked,
        },
        *(
            {"refId": model["refId"], "datasourceUid": "__expr__", "relativeTimeRange": _NO_TIME, "model": model}
            for model in (last, over)
        ),
    ]


_NO_TIME: Final = {"from": 0, "to": 0}


def contact_point(api_url: str, token: str | None) -> dict[str, Any]:
    """Return the contact point that calls our API.

    Args:
        api_url: The API as Grafana's server reaches it.
        token: Of the role operator; Grafana never gives it away again, so that 12 digits of its digest stand in the
            address, where a new one is seen.
    """
    settings = {"url": api_url + HOOK, "httpMethod": "POST"}
    if token is not None:
        digest = hashlib.sha256(token.encode()).hexdigest()[:12]
        settings["url"] += f"?token-sha256={digest}"
        settings |= {"authorization_scheme": "Bearer", "authorization_credentials": token}
    return {
        "uid": CONTACT_UID,
        "name": CONTACT_NAME,
        "type": "webhook",
        "settings": settings,
        "disableResolveMessage": False,
    }
