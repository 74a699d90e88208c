"""The doctor's look at what runs: broker, API, Grafana, and whether their clocks agree."""

from __future__ import annotations

import datetime as dt
import secrets
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from cli.keeping.findings import Finding
from station.adapters.clocks import wall_ms
from station.adapters.mqtt import MqttPublisher
from station.errors import TransientError

_TIMEOUT_S: Final = 5.0
_PATIENCE_S: Final = 2.0
"""A broker that is just being started."""
_CLOCK_APART_S: Final = 2.0
"""HTTP tells whole seconds."""


def look_at_broker(url: str | None, running: bool) -> Iterator[Finding]:
    """See whether the broker answers."""
    if url is None:
        says = "none is named" if running else "none is named, and no service runs that would bring its own"
        yield Finding("broker", "note", says, "start the service (jinma run), or name one: --broker mqtt://HOST:1883")
        return
    shown = url.rpartition("@")[2].removeprefix("mqtt://")
    began = time.monotonic()
    publisher = MqttPublisher(url, f"jinma-doctor-{secrets.token_hex(4)}", first_connect_s=_PATIENCE_S)
    took_ms = (time.monotonic() - began) * 1000
    publisher.close(0.5)
    yield Finding("broker", "ok", f"{shown} answers in {took_ms:.0f} ms", figures={"connect_ms": round(took_ms)})


def look_at_api(url: str, *, expected: bool) -> Iterator[Finding]:
    """See whether the API answers and calls itself ready, and how far its clock is off."""
    try:
        answer = httpx.get(f"{url}/readyz", timeout=_TIMEOUT_S, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        state: Any = "fault" if expected else "note"
        yield Finding("api", state, f"{url} does not answer: {error}", "start it: jinma run, or jinma serve")
        return
    if answer.status_code == 200:
        yield Finding("api", "ok", f"{url} is ready")
    elif answer.status_code in (401, 403):
        yield Finding("api", "ok", f"{url} answers; how ready it is, it tells on its own machine only")
    else:
        yield Finding("api", "fault", f"{url} is not ready: {_detail(answer)}", "mend what it names, see below")
    yield from _clock("api", answer)


def look_at_grafana(url: str) -> Iterator[Finding]:
    """See whether Grafana answers, and its database."""
    try:
        answer = httpx.get(f"{url.rstrip('/')}/api/health", timeout=_TIMEOUT_S, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        yield Finding("grafana", "fault", f"{url} does not answer: {error}", "start it, or name another --grafana")
        return
    body = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    if answer.status_code == 200 and body.get("database") == "ok":
        yield Finding("grafana", "ok", f"{url} answers, version {body.get('version', '?')}")
    else:
        yield Finding("grafana", "fault", f"{url} answers {answer.status_code}", "look at Grafana's own log")
    yield from _clock("grafana", answer)


def look_at_influx_clock(url: str) -> Iterator[Finding]:
    """See how far InfluxDB's clock is off: it decides what is too old to be kept."""
    try:
        answer = httpx.get(f"{url}/health", timeout=_TIMEOUT_S, trust_env=False)
    except httpx.HTTPError as error:
        raise TransientError(f"InfluxDB {url} cannot be reached: {error}") from error
    if "date" not in answer.headers:
        return
    yield from _clock("influxdb", answer)


def _clock(of: str, answer: httpx.Response) -> Iterator[Finding]:
    try:
        theirs = parsedate_to_datetime(answer.headers["date"]).astimezone(dt.UTC).timestamp()
    except (KeyError, ValueError):
        return
    apart_s = wall_ms() / 1000 - theirs - answer.elapsed.total_seconds() / 2 - 0.5
    figures: dict[str, float | int | str | None] = {"apart_s": round(apart_s, 1)}
    if abs(apart_s) > _CLOCK_APART_S:
        says = (
            f"this machine's clock and that of {of} are {apart_s:+.0f} s apart: data is judged late or from the future"
        )
        yield Finding("clock", "fault", says, "let both follow one time server (chrony, NTP)", figures=figures)
    else:
        yield Finding("clock", "ok", f"as that of {of}, within {_CLOCK_APART_S:.0f} s", figures=figures)


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"it answers {answer.status_code}"
