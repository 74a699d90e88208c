"""The fake Grafana's alerting: rules in groups and contact points, by the provisioning routes of the recorded 12.4.

Not recorded, but said by Grafana's documentation: a secret of a contact point is read back redacted, and a rule may
only name a receiver that there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

Answer = tuple[int, Any]
REDACTED: Final = "[REDACTED]"
NOT_FOUND: Answer = (404, {"message": "Not found"})
_OF_AN_EXPRESSION: Final[Mapping[str, int]] = {"intervalMs": 1000, "maxDataPoints": 43200}
_REFERENCED: Final = {
    "statusCode": 409,
    "messageId": "alerting.notifications.contact-points.referenced",
    "message": "Contact point is currently referenced by a notification policy.",
}


@dataclass
class Alerting:
    """What it holds: groups by (folder, title), contact points by uid, and whom the policies name."""

    groups: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    points: dict[str, dict[str, Any]] = field(default_factory=dict)
    default_receiver: str = "grafana-default-email"


def answer_alerting(state: Alerting, method: str, parts: list[str], body: Any) -> Answer:
    """Answer one request; `parts` are what follows `/api/v1/provisioning`."""
    if parts[0] == "alert-rules":
        return (204, None) if method == "DELETE" else (201, _kept_rule(body, body["folderUID"], body["ruleGroup"]))
    if parts[0] == "folder" and parts[2] == "rule-groups":
        return _group(state, method, parts[1], unquote(parts[3]), body)
    if parts[0] == "contact-points":
        return _contact_points(state, method, parts[1:], body)
    if parts[0] == "policies" and method == "PUT":
        state.default_receiver = body["receiver"]
        return 202, {"message": "policies updated"}
    return NOT_FOUND


def _group(state: Alerting, method: str, folder: str, title: str, body: Any) -> Answer:
    if method == "PUT":
        names = {point["name"] for point in state.points.values()}
        wanted = {
            rule["notification_settings"]["receiver"] for rule in body["rules"] if rule.get("notification_settings")
        }
        if not wanted <= names:
            return 400, {"message": f"receiver {min(wanted - names)} does not exist"}
        rules = [_kept_rule(rule, folder, title) for rule in body["rules"]]
        said = [_kept_rule(rule, folder, title, {}) for rule in body["rules"]]
        state.groups[folder, title] = {
            "title": title,
            "folderUid": folder,
            "interval": body["interval"],
            "rules": rules,
        }
        return 200, {"title": title, "folderUid": folder, "interval": body["interval"], "rules": said}
    kept = state.groups.get((folder, title))
    return (200, kept) if kept else (404, {"message": "rule group not found"})


def _kept_rule(
    rule: dict[str, Any], folder: str, group: str, defaults: Mapping[str, int] = _OF_AN_EXPRESSION
) -> dict[str, Any]:
    data = [{"queryType": "", **step, "model": {**defaults, **step["model"]}} for step in rule["data"]]
    return {
        "id": 0, "uid": rule["uid"], "orgID": rule["orgID"], "folderUID": folder, "ruleGroup": group,
        "title": rule["title"], "condition": rule["condition"], "data": data, "updated": "0001-01-01T00:00:00Z",
        "noDataState": rule["noDataState"], "execErrState": rule["execErrState"], "for": rule["for"],
        "keep_firing_for": rule.get("keep_firing_for", "0s"), "annotations": rule["annotations"],
        "labels": rule["labels"], "isPaused": rule.get("isPaused", False),
        "notification_settings": rule.get("notification_settings"), "record": None,
    }  # fmt: skip


def _contact_points(state: Alerting, method: str, parts: list[str], body: Any) -> Answer:
    if method == "GET":
        return 200, [_redacted(point) for point in state.points.values()]
    if method == "DELETE":
        if state.points[parts[0]]["name"] == state.default_receiver:
            return 409, _REFERENCED
        del state.points[parts[0]]
        return 202, {"message": "contactpoint deleted"}
    if method == "PUT" and parts[0] not in state.points:
        return 404, {"message": "contact point not found"}
    kept = {"disableResolveMessage": False, **body}
    state.points[kept["uid"]] = kept
    return 202, _redacted(kept) if method == "POST" else {"message": "contactpoint updated"}


def _redacted(point: dict[str, Any]) -> dict[str, Any]:
    secret = {"authorization_credentials": REDACTED} if "authorization_credentials" in point["settings"] else {}
    return point | {"settings": point["settings"] | secret}
