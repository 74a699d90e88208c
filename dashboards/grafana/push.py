"""Everything of ours into a running Grafana, each made or updated by its uid, none twice: see docs/adr/0006."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from dashboards.grafana.boards.board import FOLDER_TITLE, FOLDER_UID
from dashboards.grafana.build import build_station, checked_address
from dashboards.grafana.changes import CREATED, UNCHANGED, UPDATED, Change
from dashboards.grafana.flux import DATASOURCE_TYPE, DATASOURCE_UID
from dashboards.grafana.push_alerting import KeptAlerting, put_contact_point, put_rule_group
from dashboards.grafana.transport import Grafana, GrafanaRefusedError
from station.domain.plant import Plant
from station.errors import BadInputError, FinalError

OLDEST_GRAFANA: Final = 12
"""The oldest that everything here was measured on; eleven does not know how long a rule goes on firing."""
_GIVEN_BY_GRAFANA: Final = frozenset({"id", "version"})
"""What Grafana adds to a dashboard that it keeps."""


@dataclass(frozen=True, slots=True)
class InfluxAddress:
    """InfluxDB as Grafana's server reaches it."""

    url: str
    org: str
    bucket: str
    token: str


@dataclass(frozen=True, slots=True)
class ApiAddress:
    """Our API: `console_url` as an operator's browser sees it, `url` as Grafana's server reaches it.

    `token` is what Grafana calls it with; without one it is refused there.
    """

    console_url: str
    url: str
    token: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class PushReport:
    """What a push did, in order; `health` is what Grafana says of the data source, `version` is Grafana's."""

    version: str
    changes: tuple[Change, ...]
    health: str


def push(
    grafana: Grafana,
    plants: Sequence[Plant],
    influx: InfluxAddress,
    api: ApiAddress,
    *,
    on_change: Callable[[Change], None] = lambda _: None,
) -> PushReport:
    """Make or update data source, folder, dashboards, contact point and alert rules; touch nothing else.

    Args:
        grafana: Where to.
        plants: Stations to show.
        influx: Where their readings are.
        api: Where links lead and alerts go.
        on_change: Told of each resource as it is settled.

    Raises:
        BadInputError: No Grafana, or one that is too old, or an address is none.
        FinalError: Grafana refuses something, or its data source does not work.
        TransientError: It cannot be reached.
    """
    api_url = checked_address("API", api.url)
    stations = [build_station(plant, bucket=influx.bucket, console_url=api.console_url) for plant in plants]
    version = _version(grafana)
    changes: list[Change] = []

    def settled(kind: str, uid: str, outcome: str) -> None:
        changes.append(Change(kind, uid, outcome))
        on_change(changes[-1])

    # Everything that may be refused is looked at before anything is changed.
    kept_source = _kept_datasource(grafana, influx)
    kept_boards = {uid: _kept_dashboard(grafana, uid) for one in stations for uid in one.boards}
    kept_alerting = KeptAlerting.of(grafana, [one.rules for one in stations])
    settled("datasource", DATASOURCE_UID, _put_datasource(grafana, influx, kept_source))
    settled("folder", FOLDER_UID, _put_folder(grafana))
    for one in stations:
        for uid, body in one.boards.items():
            settled("dashboard", uid, _put_dashboard(grafana, body, kept_boards[uid]))
    settled("contact-point", *put_contact_point(grafana, kept_alerting, api_url, api.token))
    for one in stations:
        settled("alert-rules", *put_rule_group(grafana, kept_alerting, one.rules))
    return PushReport(version, tuple(changes), _healthy(grafana, influx))


def _version(grafana: Grafana) -> str:
    try:
        answer = grafana.call("GET", "/health")
    except GrafanaRefusedError as error:
        if error.status == 404:
            raise BadInputError(
                f"{grafana.url} is no Grafana, or its address lacks the path under which it is"
            ) from error
        raise
    if not isinstance(answer, dict) or "database" not in answer:
        raise BadInputError(f"{grafana.url} does not answer as Grafana does: is the address right?")
    version = str(answer.get("version", ""))
    major = version.partition(".")[0]
    if not major.isdigit() or int(major) < OLDEST_GRAFANA:
        raise BadInputError(
            f"Grafana {grafana.url} is version {version or 'unknown'}: {OLDEST_GRAFANA} or newer is needed"
        )
    return version


def _put_folder(grafana: Grafana) -> str:
    kept = grafana.find(f"/folders/{FOLDER_UID}")
    if kept is None:
        try:
            grafana.call("POST", "/folders", {"uid": FOLDER_UID, "title": FOLDER_TITLE})
        except GrafanaRefusedError as error:
            # 412 "changed by someone else" is how it says that the uid exists: another push was quicker
            if error.status not in {409, 412} or grafana.find(f"/folders/{FOLDER_UID}") is None:
                raise
            return UNCHANGED
        return CREATED
    if kept.get("title") == FOLDER_TITLE:
        return UNCHANGED
    grafana.call("PUT", f"/folders/{FOLDER_UID}", {"title": FOLDER_TITLE, "overwrite": True})
    return UPDATED


def _wanted_datasource(influx: InfluxAddress) -> dict[str, Any]:
    return {
        "uid": DATASOURCE_UID,
        "name": "Jinma InfluxDB",
        "type": DATASOURCE_TYPE,
        "access": "proxy",
        "url": influx.url,
        "jsonData": {
            "version": "Flux",
            "organization": influx.org,
            "defaultBucket": influx.bucket,
            "httpMode": "POST",
            # Grafana never tells the token: by this a new one is seen, and nothing of it is given away.
            "jinmaTokenDigest": hashlib.sha256(influx.token.encode()).hexdigest()[:12],
        },
    }


def _kept_datasource(grafana: Grafana, influx: InfluxAddress) -> Any:
    kept = grafana.find(f"/datasources/uid/{DATASOURCE_UID}")
    if kept is not None and kept.get("readOnly") and not _as_wanted(kept, influx):
        raise FinalError(
            f"the data source {DATASOURCE_UID} of Grafana {grafana.url} comes from provisioning files: change those"
        )
    return kept


def _as_wanted(kept: dict[str, Any], influx: InfluxAddress) -> bool:
    return all(kept.get(name) == value for name, value in _wanted_datasource(influx).items())


def _put_datasource(grafana: Grafana, influx: InfluxAddress, kept: Any, *, anew: bool = False) -> str:
    wanted = _wanted_datasource(influx)
    secret = {"secureJsonData": {"token": influx.token}}
    if kept is None:
        try:
            grafana.call("POST", "/datasources", wanted | secret | {"isDefault": False})
        except GrafanaRefusedError as error:
            if error.status != 409:
                raise
            raise FinalError(
                f"Grafana {grafana.url} has another data source named {wanted['name']!r}: rename that one"
            ) from error
        return CREATED
    if not anew and _as_wanted(kept, influx):
        return UNCHANGED
    # whether it is the default is the owner's choice, and stays
    grafana.call(
        "PUT",
        f"/datasources/uid/{DATASOURCE_UID}",
        wanted | secret | {"isDefault": bool(kept.get("isDefault"))},
    )
    return UPDATED


def _kept_dashboard(grafana: Grafana, uid: str) -> Any:
    kept = grafana.find(f"/dashboards/uid/{uid}")
    if kept is not None and kept.get("meta", {}).get("provisioned"):
        raise FinalError(
            f"the dashboard {uid} of Grafana {grafana.url} comes from provisioning files: change those, or remove them"
        )
    return kept


def _put_dashboard(grafana: Grafana, wanted: dict[str, Any], kept: Any) -> str:
    if kept is not None:
        body = {name: value for name, value in kept["dashboard"].items() if name not in _GIVEN_BY_GRAFANA}
        if body == wanted and kept["meta"].get("folderUid") == FOLDER_UID:
            return UNCHANGED
    grafana.call(
        "POST",
        "/dashboards/db",
        {"dashboard": wanted, "folderUid": FOLDER_UID, "overwrite": True, "message": "jinma dashboards push"},
    )
    return CREATED if kept is None else UPDATED


def _healthy(grafana: Grafana, influx: InfluxAddress) -> str:
    """Return what Grafana says of the data source; a bad one is written once more, for its token cannot be compared."""
    text, works = _health(grafana)
    if not works:
        _put_datasource(grafana, influx, grafana.find(f"/datasources/uid/{DATASOURCE_UID}"), anew=True)
        text, works = _health(grafana)
    if not works:
        raise FinalError(f"everything is in Grafana, but its data source does not work: {text}")
    return text


def _health(grafana: Grafana) -> tuple[str, bool]:
    try:
        answer = grafana.call("GET", f"/datasources/uid/{DATASOURCE_UID}/health")
    except GrafanaRefusedError as error:
        if error.status == 400:
            return str(error), False
        raise
    return str(answer.get("message", "")), answer.get("status") == "OK"
