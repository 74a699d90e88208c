"""Dashboards as files: JSON for Grafana, and the provisioning files with which docker-compose's Grafana reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from dashboards.grafana.flux import DATASOURCE_TYPE, DATASOURCE_UID
from dashboards.grafana.overview import FOLDER_TITLE, FOLDER_UID, overview, overview_uid
from dashboards.grafana.sdk import JSONEncoder
from station.domain.plant import Plant
from station.errors import BadInputError

DEFAULT_BUCKET: Final = "h2"
DEFAULT_CONSOLE: Final = "http://127.0.0.1:8000"
MOUNTED_AT: Final = "/etc/grafana/jinma"
"""Where the dashboards' folder is inside the container."""


def build_dashboards(
    plant: Plant, *, bucket: str = DEFAULT_BUCKET, console_url: str = DEFAULT_CONSOLE
) -> dict[str, dict[str, Any]]:
    """Return a station's dashboards as Grafana takes them, by uid.

    Args:
        plant: The station.
        bucket: Bucket of raw readings in InfluxDB.
        console_url: Address of the API that serves the console, as an operator's browser sees it.

    Raises:
        BadInputError: `console_url` is no HTTP address.
    """
    address = urlsplit(console_url)
    if address.scheme not in {"http", "https"} or not address.netloc:
        raise BadInputError(f"console address {console_url!r}: must begin with http:// or https://")
    made = overview(plant, bucket, console_url.rstrip("/"))
    # By way of text: what is compared, written and sent is the same plain data.
    return {overview_uid(plant): json.loads(json.dumps(made, cls=JSONEncoder, sort_keys=True))}


def build_to(
    output: Path, plants: Sequence[Plant], *, bucket: str = DEFAULT_BUCKET, console_url: str = DEFAULT_CONSOLE
) -> list[Path]:
    """Write the dashboards of stations and the provisioning files; the same stations give the same bytes.

    Returns:
        The files, in the order written.
    """
    written = []
    for plant in plants:
        for uid, body in build_dashboards(plant, bucket=bucket, console_url=console_url).items():
            file = output / "dashboards" / f"{uid}.json"
            written.append(_write(file, json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False) + "\n"))
    written.append(_write(output / "provisioning" / "dashboards" / "jinma.yaml", _PROVIDER))
    written.append(_write(output / "provisioning" / "datasources" / "jinma.yaml", _datasource(bucket)))
    return written


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
