"""Commands that ask the API."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import httpx

from cli.running import api_of
from station.errors import BadInputError, FinalError, TransientError
from station.settings import Settings

_TIMEOUT_S = 10.0
_SHOWN_RULES = 10
_UNPROCESSABLE = 422


def get_json(settings: Settings, path: str) -> Any:
    """Return what the API answers to a GET.

    Args:
        settings: Name the API and the token; without a token the admin token of the data directory is tried.
        path: Below `/api/v1`.

    Raises:
        TransientError: The API does not answer.
        FinalError: It answers with a refusal; its words are in the text.
    """
    return _ask(settings, "GET", path, None, "")


def send_json(settings: Settings, method: str, path: str, body: object, timeout_s: float = _TIMEOUT_S) -> Any:
    """Return what the API answers to a JSON body; arguments and errors as of `send`."""
    data = json.dumps(body, ensure_ascii=False).encode()
    return _ask(settings, method, path, data, "application/json", timeout_s)


def send(settings: Settings, method: str, path: str, data: bytes, media_type: str) -> Any:
    """Return what the API answers to a body.

    Args:
        settings: As of `get_json`.
        method: `PUT` or `POST`.
        path: Below `/api/v1`.
        data: The body.
        media_type: Its content type.

    Raises:
        TransientError: The API does not answer.
        BadInputError: The body breaks rules; each is named.
        FinalError: It answers with another refusal.
    """
    return _ask(settings, method, path, data, media_type)


def first_station(settings: Settings) -> str:
    """Return the id of the first station that the API serves.

    Raises:
        FinalError: It serves none.
    """
    stations = get_json(settings, "/stations")["items"]
    if not stations:
        raise FinalError(f"{api_of(settings)}: serves no station")
    return str(stations[0]["id"])


def _ask(
    settings: Settings,
    method: str,
    path: str,
    data: bytes | None,
    media_type: str,
    timeout_s: float = _TIMEOUT_S,
) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if (token := _token(settings)) else {}
    if data is not None:
        headers["Content-Type"] = media_type
    api = api_of(settings)
    url = f"{api}/api/v1{path}"
    try:
        answer = httpx.request(method, url, content=data, headers=headers, timeout=timeout_s, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise TransientError(f"{api} does not answer ({error}): is the service running? See --api") from error
    if answer.is_success:
        return answer.json()
    said, rules = answer.text[:300], []
    with contextlib.suppress(ValueError, AttributeError):
        said, rules = answer.json().get("detail", said), answer.json().get("errors", [])
    if answer.status_code == _UNPROCESSABLE:
        raise BadInputError("; ".join(_rules(rules)) or said)
    hint = "; set JINMA_TOKEN" if answer.status_code in {401, 403} else ""
    raise FinalError(f"{url}: {answer.status_code} {said}{hint}")


def _rules(rows: list[dict[str, str]]) -> list[str]:
    """Return each broken rule on its own, the first few of many."""
    texts = [
        f"{row['field']} = {row['value']}: {row['rule']}" if row["value"] else f"{row['field']}: {row['rule']}"
        for row in rows[:_SHOWN_RULES]
    ]
    more = len(rows) - len(texts)
    return [*texts, f"and {more} more"] if more > 0 else texts


def _token(settings: Settings) -> str | None:
    if settings.token is not None:
        return settings.token.get_secret_value()
    with contextlib.suppress(OSError):
        return (Path(settings.data_dir) / "admin.token").read_text(encoding="ascii").strip()
    return None
