"""`jinma dashboards`: Grafana dashboards written as files, or pushed."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cli.stations import read_plants
from cli.stores import DEFAULT_BUCKET
from dashboards.grafana.build import build_to
from dashboards.grafana.changes import Change
from dashboards.grafana.push import ApiAddress, InfluxAddress
from dashboards.grafana.push import push as push_dashboards
from dashboards.grafana.transport import Grafana
from station.errors import BadInputError
from station.settings import Settings, load_settings


def build(output: Path, plant_files: list[Path] | None) -> None:
    """Write dashboards and provisioning files, and name them.

    Raises:
        BadInputError: A station file has mistakes.
    """
    settings = load_settings(plant=plant_files)
    for file in build_to(output, read_plants(settings.plant), console_url=settings.api):
        print(file)


def push(
    grafana_url: str, store_url: str | None, api_url: str | None, plant_files: list[Path] | None, *, as_json: bool
) -> None:
    """Push dashboards and alerting, and say what changed.

    Args:
        grafana_url: Where to.
        store_url: InfluxDB as Grafana reaches it.
        api_url: The API as Grafana reaches it, where that is not how commands and browsers do.
        plant_files: Stations.
        as_json: Print a report instead of lines.

    Raises:
        JinmaError: A setting is missing, or Grafana cannot do it.
    """
    settings = load_settings(store=store_url, plant=plant_files)
    if settings.grafana_token is None:
        raise BadInputError("JINMA_GRAFANA_TOKEN: set it to the token of a Grafana service account with the role Admin")
    token = settings.hook_token or settings.token
    report = push_dashboards(
        Grafana(grafana_url, settings.grafana_token.get_secret_value()),
        read_plants(settings.plant),
        _influx(settings),
        ApiAddress(settings.api, api_url or settings.api, token.get_secret_value() if token else None),
        on_change=(lambda _: None) if as_json else _tell,
    )
    if as_json:
        print(json.dumps(dataclasses.asdict(report)))
    else:
        print(f"data source: {report.health}", file=sys.stderr)
    if token is None:
        print(_ALERTS_REFUSED, file=sys.stderr)


_ALERTS_REFUSED = (
    "warning: Grafana's alerts will be refused by the API: set JINMA_HOOK_TOKEN to what "
    "`jinma token create grafana --role operator` gives, and push again"
)


def _tell(change: Change) -> None:
    print(f"{change.outcome:9} {change.kind} {change.uid}")


def _influx(settings: Settings) -> InfluxAddress:
    """Return InfluxDB of the store URL, else of InfluxDB's own variables.

    Raises:
        BadInputError: Neither names one, or there is no token.
    """
    if settings.influxdb_token is None:
        raise BadInputError("INFLUXDB_V2_TOKEN: set it, Grafana reads InfluxDB with it")
    token = settings.influxdb_token.get_secret_value()
    if settings.store is None:
        if settings.influxdb_url is None or settings.influxdb_org is None:
            raise BadInputError("--store: name the InfluxDB as Grafana reaches it, influxdb://HOST:8086/ORG/BUCKET")
        return InfluxAddress(settings.influxdb_url.rstrip("/"), settings.influxdb_org, DEFAULT_BUCKET, token)
    parts = urlsplit(settings.store)
    names = [unquote(name) for name in parts.path.strip("/").split("/")]
    if parts.scheme not in {"influxdb", "influxdbs"} or not parts.netloc or len(names) != 2 or not all(names):
        raise BadInputError(f"--store {settings.store!r}: Grafana reads InfluxDB only, influxdb://HOST:8086/ORG/BUCKET")
    web = "https" if parts.scheme == "influxdbs" else "http"
    host = parts.netloc if ":" in parts.netloc.rpartition("]")[2] else f"{parts.netloc}:8086"
    return InfluxAddress(f"{web}://{host}", names[0], names[1], token)
