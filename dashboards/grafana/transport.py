"""Grafana's HTTP API by way of grafana-api, with what that library leaves open closed: see docs/adr/0006."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from grafana_api.grafana_api import GrafanaClientError, GrafanaException, GrafanaServerError
from grafana_api.grafana_face import GrafanaFace

from station.errors import BadInputError, FinalError, TransientError

TIMEOUT_S: Final = 10.0
"""A data source's health asks InfluxDB first; the library's own 5 s is too short for a cold one."""
PAUSES_S: Final = (0.5, 2.0)
"""Before the second and the third try: a Grafana that restarts behind a proxy."""
_AWAY: Final = frozenset({502, 503, 504})


class GrafanaRefusedError(FinalError):
    """Grafana answered with an error that no second try changes; `status` is its HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Grafana:
    """One Grafana, called with a service account's token.

    Args:
        url: `http://host:3000` or `https://host/grafana`.
        token: Of a service account with the role Admin, which data sources need.
        sleep: Waits between tries [s].
    """

    def __init__(self, url: str, token: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self.url = url.rstrip("/")
        self._sleep = sleep
        try:
            parts = urlsplit(self.url)
            port = parts.port
        except ValueError as error:
            raise BadInputError(f"grafana {url!r}: {error}") from error
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise BadInputError(f"grafana {url!r}: must be http://host:port or https://host, without a password")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        prefix = parts.path.strip("/")
        face: Any = GrafanaFace(
            auth=token, host=host, port=port, protocol=parts.scheme, url_path_prefix=f"{prefix}/" if prefix else "",
            timeout=TIMEOUT_S,
        )  # fmt: skip
        self._api = face.api
        # A proxy meant for the internet is no way to a Grafana in the control room's network.
        self._api.s.trust_env = False
        # Without it alert rules could neither be paused nor removed in Grafana's own pages.
        self._api.s.headers["X-Disable-Provenance"] = "true"
        self._status = 0
        self._api.s.hooks["response"].append(self._note_status)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Return the decoded answer of `/api{path}`, None where it has no body.

        Raises:
            GrafanaRefusedError: Status 4xx, or 5xx that stays.
            TransientError: It cannot be reached, also not at the third try.
            BadInputError: What answers there is no Grafana.
        """
        for pause in (*PAUSES_S, None):
            try:
                return self._once(method, path, body)
            except TransientError:
                if pause is None:
                    raise
                self._sleep(pause)
        raise AssertionError("the last try returns or raises")

    def find(self, path: str) -> Any:
        """Return a resource, None where there is none; raises as `call`."""
        try:
            return self.call("GET", path)
        except GrafanaRefusedError as error:
            if error.status == 404:
                return None
            raise

    def _note_status(self, response: requests.Response, *_: object, **__: object) -> None:
        """Keep the status, which the library loses where an error page is no JSON."""
        self._status = response.status_code

    def _once(self, method: str, path: str, body: object) -> Any:
        try:
            return getattr(self._api, method)(path, json=body)
        except requests.JSONDecodeError as error:
            if error.doc.strip():
                raise BadInputError(f"{self.url} does not answer as Grafana does: is the address right?") from error
            return None  # 204 and the like: done, and nothing said
        except TypeError as error:  # the library looks for "message" in an error page and trips over its text
            if self._status in _AWAY:
                raise TransientError(f"Grafana {self.url} answered {self._status} to {method} {path}") from error
            raise BadInputError(f"{self.url} does not answer as Grafana does: is the address right?") from error
        except (requests.ConnectionError, requests.Timeout) as error:
            raise TransientError(f"Grafana {self.url} cannot be reached: {_first(error)}") from error
        except requests.RequestException as error:
            raise BadInputError(f"Grafana {self.url}: {_first(error)}") from error
        except (GrafanaClientError, GrafanaServerError) as error:
            raise self._refusal(method, path, error) from error

    def _refusal(self, method: str, path: str, error: GrafanaException) -> TransientError | GrafanaRefusedError:
        status, said = int(error.status_code), _said(error.response)
        text = f"Grafana {self.url} answered {status} to {method} {path}: {said}"
        if status in _AWAY:
            return TransientError(text)
        if status == 401:
            text = f"Grafana {self.url} refuses the token: set JINMA_GRAFANA_TOKEN to a service account's"
        elif status == 403:
            text += " (the service account needs the role Admin)"
        return GrafanaRefusedError(status, text)


def _said(response: object) -> str:
    """Return what an error answer says, on one line."""
    text = str(response.get("message", response)) if isinstance(response, dict) else str(response)
    return " ".join(text.split())[:200]


def _first(error: Exception) -> str:
    """Return the innermost reason of a requests error, which wraps three others."""
    reason: object = error.args[0] if error.args else error
    return str(getattr(reason, "reason", reason)).rpartition(": ")[2][:200]
