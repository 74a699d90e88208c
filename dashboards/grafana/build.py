"""Dashboards as files: JSON for Grafana, and the provisioning files with which docker-compose's Grafana reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from dashboards.grafana.alerting import contact_point, rule_group
from dashboards.grafana.boards import BOARDS
from dashboards.grafana.boards.board import FOLDER_TITLE, FOLDER_UID
from dashboards.grafana.flux import DATASOURCE_TYPE, DATASOURCE_UID
from dashboards.grafana.page import Page
from dashboards.grafana.sdk import JSONEncoder
from station.domain.plant import Plant
from station.errors import BadInputError

DEFAULT_BUCKET: Final = "h2"
DEFAULT_CONSOLE: Final = "http://127.0.0.1:8000"
MOUNTED_AT: Final = "/etc/grafana/jinma"
"""Where the dashboards' folder is inside the container."""
ALERTS_FOLDER_TITLE: Final = "Hydrogen station alerts 加氢站告警"
"""Of rules out of files: those are read before the dashboards and make a second folder where the title is the same."""
_STACK_API: Final = "http://api:8000"
_STACK_TOKEN: Final = "$__file{/run/secrets/jinma_hook_token}"  # noqa: S105 - where it is, not what it is


@dataclass(frozen=True, slots=True)
class Built:
    """What a station has in Grafana, as its API takes it: dashboards by uid, and a group of alert rules."""

    boards: dict[str, dict[str, Any]]
    rules: dict[str, Any]


def build_station(plant: Plant, *, bucket: str = DEFAULT_BUCKET, console_url: str = DEFAULT_CONSOLE) -> Built:
    """Return a station's dashboards and rules.

    Args:
        plant: The station.
        bucket: Bucket of raw readings in InfluxDB.
        console_url: Address of the API that serves the console, as an operator's browser sees it.

    Raises:
        BadInputError: `console_url` is no HTTP address.
    """
    page = Page(plant, bucket, checked_address("console", console_url))
    # By way of text: what is compared, written and sent is the same plain data.
    boards = {
        board.uid(plant): json.loads(json.dumps(board.made(page), cls=JSONEncoder, sort_keys=True)) for board in BOARDS
    }
    return Built(boards, rule_group(page, bucket, boards))


def checked_address(what: str, url: str) -> str:
    """Return an HTTP address without a slash at its end.

    Raises:
        BadInputError: It is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise BadInputError(f"{what} address {url!r}: must begin with http:// or https://")
    return url.rstrip("/")


def build_to(
    output: Path, plants: Sequence[Plant], *, bucket: str = DEFAULT_BUCKET, console_url: str = DEFAULT_CONSOLE
) -> list[Path]:
    """Write the dashboards of stations and the provisioning files; the same stations give the same bytes.

    Returns:
        The files, in the order written.
    """
    built = [build_station(plant, bucket=bucket, console_url=console_url) for plant in plants]
    written = [
        _write(output / "dashboards" / f"{uid}.json", _as_json(body))
        for one in built
        for uid, body in one.boards.items()
    ]
    provisioning = output / "provisioning"
    written.append(_write(provisioning / "dashboards" / "jinma.yaml", _PROVIDER))
    written.append(_write(provisioning / "datasources" / "jinma.yaml", _datasource(bucket)))
    written.append(_write(provisioning / "alerting" / "jinma.yaml", _alerting([one.rules for one in built])))
    return written


def _as_json(body: object) -> str:
    return json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


_PROVIDER: Final = f"""\
# Written by `jinma dashboards build`. Files or `jinma dashboards push`, never both for one Grafana.
apiVersion: 1
providers:
  - name: jinma
    folder: {FOLDER_TITLE}
    folderUid: {FOLDER_UID}
    type: file
    disableDeletion: false
    allowUiUpdates: false
    options:
      path: {MOUNTED_AT}
"""


def _datasource(bucket: str) -> str:
    return f"""\
# Written by `jinma dashboards build`. The token is read from a secret file when Grafana starts.
apiVersion: 1
datasources:
  - name: Jinma InfluxDB
    uid: {DATASOURCE_UID}
    type: {DATASOURCE_TYPE}
    access: proxy
    url: http://influxdb:8086
    editable: false
    jsonData:
      version: Flux
      organization: jinma
      defaultBucket: {bucket}
      httpMode: POST
    secureJsonData:
      token: $__file{{/run/secrets/influxdb_v2_token}}
"""


def _alerting(groups: Sequence[dict[str, Any]]) -> str:
    """Return rules and contact point as a file; JSON is YAML too."""
    receiver = {name: value for name, value in contact_point(_STACK_API, None).items() if name != "name"}
    receiver["settings"] |= {"authorization_scheme": "Bearer", "authorization_credentials": _STACK_TOKEN}
    point = {"orgId": 1, "name": contact_point(_STACK_API, None)["name"], "receivers": [receiver]}
    body = {"apiVersion": 1, "contactPoints": [point], "groups": [_group_in_file(group) for group in groups]}
    head = "# Written by `jinma dashboards build`. The token is read from a secret file when Grafana starts.\n"
    return head + json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def _group_in_file(group: dict[str, Any]) -> dict[str, Any]:
    """Return a group of rules as files have it: the folder by its title, durations as text, one name otherwise."""
    rules = []
    for rule in group["rules"]:
        kept = {name: value for name, value in rule.items() if name not in {"folderUID", "orgID", "keep_firing_for"}}
        rules.append(kept | {"keepFiringFor": rule["keep_firing_for"]})
    return {
        "orgId": 1,
        "name": group["title"],
        "folder": ALERTS_FOLDER_TITLE,
        "interval": f"{group['interval']}s",
        "rules": rules,
    }
