"""Grafana's contact point: what its own rules find becomes an alarm here, with everybody else's."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api import openapi_examples as examples
from api.alarms.points import GRAFANA_ALARM
from api.live.station import LiveStation
from api.people.roles import Role
from api.routes.bodies import json_answer
from api.routes.guard import Operator, needs
from api.services import ApiServices
from station.domain.alarms import is_worse
from station.domain.plant import Text

_PRIORITY: Final = {
    "critical": "critical", "page": "critical", "high": "high", "error": "high",
    "warning": "medium", "medium": "medium",
}  # fmt: skip
_OTHERWISE: Final = "low"
_MOST_KEPT: Final = 10_000
"""Alerts of rules that were deleted while they fired are never resolved; the oldest go."""
_NAMED: Final = 3
"""Alerts that are named in the alarm's text; the rest is counted."""


class GrafanaAlert(BaseModel):
    """One alert of a notification; what is not read here is ignored."""

    status: str = Field(max_length=40, description="`firing` or `resolved`")
    fingerprint: str = Field(max_length=200)
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class GrafanaNotification(BaseModel):
    """What Grafana's webhook contact point sends."""

    alerts: list[GrafanaAlert] = Field(max_length=2000)


class Received(BaseModel):
    """Stations whose alarm this changed, and how many alerts fire there now."""

    firing: dict[str, int]


def routes(services: ApiServices) -> APIRouter:
    """Return the route of Grafana's contact point."""
    router = APIRouter(tags=["alarms"])

    @router.post(
        "/hooks/grafana",
        summary="Grafana's contact point",
        response_model=Received,
        **needs(Role.OPERATOR, 413, example=examples.GRAFANA_RECEIVED),
    )
    def receive(_: Operator, body: GrafanaNotification) -> Response:
        """An alert whose label `station` names one of ours is that station's; any other is told at all of them."""
        told: dict[str, bool] = {}
        for alert in body.alerts:
            named = alert.labels.get("station", "")
            for station in [named] if named in services.stations else list(services.stations):
                told[station] = _take(services.live(station), alert) or told.get(station, False)
        for station, is_new in told.items():
            _tell(services.live(station), is_new=is_new)
        return json_answer({"firing": {name: len(services.live(name).foreign_alerts) for name in sorted(told)}})

    return router


def _take(live: LiveStation, alert: GrafanaAlert) -> bool:
    """Keep an alert while it fires; returns whether it is one that did not fire before."""
    if alert.status != "firing":
        live.foreign_alerts.pop(alert.fingerprint, None)
        return False
    is_new = alert.fingerprint not in live.foreign_alerts
    live.foreign_alerts[alert.fingerprint] = alert
    while len(live.foreign_alerts) > _MOST_KEPT:
        del live.foreign_alerts[next(iter(live.foreign_alerts))]
    return is_new


def _tell(live: LiveStation, *, is_new: bool) -> None:
    priority, alerts = _OTHERWISE, [one for one in live.foreign_alerts.values() if isinstance(one, GrafanaAlert)]
    for alert in alerts:
        own = _PRIORITY.get(alert.labels.get("severity", "").lower(), _OTHERWISE)
        priority = own if is_worse(own, priority) else priority
    text = _text(alerts) if alerts else None
    if is_new and live.alarms.alarm(GRAFANA_ALARM).active:
        # One more alert is news, also to who acknowledged the others: a new occurrence.
        live.act(lambda engine, now_ms: engine.report(GRAFANA_ALARM, active=False, at_ms=now_ms))
    live.act(
        lambda engine, now_ms: engine.report(
            GRAFANA_ALARM, active=bool(alerts), at_ms=now_ms, priority=priority, value=float(len(alerts)), text=text
        )
    )


def _text(alerts: list[GrafanaAlert]) -> Text:
    said = [_words(alert) for alert in alerts[:_NAMED]]
    more = len(alerts) - len(said)
    en = "; ".join(said) + (f"; and {more} more" if more > 0 else "")
    zh = "；".join(said) + (f"；另有 {more} 条" if more > 0 else "")
    return Text(f"Grafana: {en}", f"Grafana 告警：{zh}")


def _words(alert: GrafanaAlert) -> str:
    name = alert.labels.get("alertname", "alert")
    summary = alert.annotations.get("summary") or alert.annotations.get("description") or ""
    return f"{name}: {summary}"[:200] if summary else name[:200]
