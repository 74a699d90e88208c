"""Commands that ask the API."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import httpx

from station.errors import FinalError, TransientError
from station.settings import Settings

_TIMEOUT_S = 10.0


def get_json(settings: Settings, path: str) -> Any:
    """Return what the API answers to a GET.

    Args:
        settings: Name the API and the token; without a token the admin token of the data directory is tried.
        path: Below `/api/v1`.

    Raises:
        TransientError: The API does not answer.
        FinalError: It answers with a refusal; its words are in the text.
    """
    headers = {"Authorization": f"Bearer {token}"} if (token := _token(settings)) else {}
    url = f"{settings.api.rstrip('/')}/api/v1{path}"
    try:
        answer = httpx.get(url, headers=headers, timeout=_TIMEOUT_S, trust_env=False)
    except httpx.HTTPError as error:
        raise TransientError(f"{settings.api} does not answer ({error}): is the service running? See --api") from error
    if answer.is_success:
        return answer.json()
    said = answer.text[:300]
    with contextlib.suppress(ValueError, AttributeError):
        said = answer.json().get("detail", said)
    hint = "; set JINMA_TOKEN" if answer.status_code in {401, 403} else ""
    raise FinalError(f"{url}: {answer.status_code} {said}{hint}")


def _token(settings: Settings) -> str | None:
    if settings.token is not None:
        return settings.token.get_secret_value()
    with contextlib.suppress(OSError):
        return (Path(settings.data_dir) / "admin.token").read_text(encoding="ascii").strip()
    return None
