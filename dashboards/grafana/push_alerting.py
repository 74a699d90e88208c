"""Alert rules and the contact point into a running Grafana, by its provisioning routes, which grafana-api has not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

from dashboards.grafana.alerting import CONTACT_NAME, CONTACT_UID, contact_point
from dashboards.grafana.boards.board import FOLDER_UID
from dashboards.grafana.changes import CREATED, UNCHANGED, UPDATED
from dashboards.grafana.transport import Grafana
from station.errors import FinalError


@dataclass(frozen=True, slots=True)
class KeptAlerting:
    """What Grafana holds of ours: the contact point, and groups of rules by title; None where there is none."""

    point: dict[str, Any] | None
    groups: dict[str, dict[str, Any] | None]

    @classmethod
    def of(cls, grafana: Grafana, wanted: Sequence[dict[str, Any]]) -> Self:
        """Read it.

        Raises:
            FinalError: It comes from provisioning files, or the contact point's name is another's.
        """
        points = grafana.call("GET", "/v1/provisioning/contact-points")
        for point in points:
            if point["name"] == CONTACT_NAME and point["uid"] != CONTACT_UID:
                raise FinalError(
                    f"Grafana {grafana.url} has another contact point named {CONTACT_NAME!r}: rename that one"
                )
        kept = next((point for point in points if point["uid"] == CONTACT_UID), None)
        groups = {group["title"]: grafana.find(_group_path(group["title"])) for group in wanted}
        rules = [rule for group in groups.values() if group is not None for rule in group["rules"]]
        if any(one.get("provenance") == "file" for one in (*rules, kept or {})):
            raise FinalError(f"the alerting of Grafana {grafana.url} comes from provisioning files: change those")
        return cls(kept, groups)


def put_contact_point(grafana: Grafana, kept: KeptAlerting, api_url: str, token: str | None) -> tuple[str, str]:
    """Make or update the contact point; return its uid and what became of it."""
    wanted = contact_point(api_url, token)
    # Grafana never tells the token; the digest in the address stands for it.
    told = wanted | {"settings": {k: v for k, v in wanted["settings"].items() if k != "authorization_credentials"}}
    if kept.point is None:
        grafana.call("POST", "/v1/provisioning/contact-points", wanted)
        return CONTACT_UID, CREATED
    if agrees(told, kept.point):
        return CONTACT_UID, UNCHANGED
    grafana.call("PUT", f"/v1/provisioning/contact-points/{CONTACT_UID}", wanted)
    return CONTACT_UID, UPDATED


def put_rule_group(grafana: Grafana, kept: KeptAlerting, wanted: dict[str, Any]) -> tuple[str, str]:
    """Make or update a group of rules; return its title and what became of it. What is paused stays paused."""
    title, group = wanted["title"], kept.groups[wanted["title"]]
    # The organisation is that of the service account, whatever is sent.
    told = [{name: value for name, value in rule.items() if name != "orgID"} for rule in wanted["rules"]]
    if group is not None and agrees(wanted | {"rules": told}, group):
        return title, UNCHANGED
    paused = {rule["uid"] for rule in (group or {"rules": []})["rules"] if rule.get("isPaused")}
    rules = [rule | {"ruleGroup": title, "isPaused": rule["uid"] in paused} for rule in wanted["rules"]]
    grafana.call("PUT", _group_path(title), wanted | {"rules": rules})
    return title, CREATED if group is None else UPDATED


def _group_path(title: str) -> str:
    return f"/v1/provisioning/folder/{FOLDER_UID}/rule-groups/{quote(title)}"


def agrees(wanted: Any, kept: Any) -> bool:
    """Return whether what Grafana keeps is what is wanted, whatever it added of its own; it may sort lists of words."""
    if isinstance(wanted, dict):
        return isinstance(kept, dict) and all(agrees(value, kept.get(name)) for name, value in wanted.items())
    if isinstance(wanted, list):
        if not isinstance(kept, list) or len(kept) != len(wanted):
            return False
        if all(isinstance(one, str) for one in (*wanted, *kept)):
            return sorted(wanted) == sorted(kept)
        return all(agrees(one, other) for one, other in zip(wanted, kept, strict=True))
    return bool(wanted == kept)
