"""Where the service of a data directory can be reached, for commands that were not told where."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path
from typing import Any

from station.errors import BadInputError
from station.settings import Settings


def run_file(folder: Path) -> dict[str, Any] | None:
    """Return what the running service said of itself, None where none runs."""
    try:
        with (folder / "lock").open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                found: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
                return found
    except (OSError, ValueError):
        pass
    return None


def api_of(settings: Settings) -> str:
    """Return the address of the API: the one that was named, else of what runs here, else the usual one."""
    if "api" not in settings.model_fields_set:
        port = (run_file(settings.data_dir) or {}).get("http")
        if port:
            return f"http://127.0.0.1:{port}"
    return settings.api.rstrip("/")


def broker_of(settings: Settings) -> str | None:
    """Return the broker that was named, else the one of what runs here, None where neither is."""
    if settings.broker is not None:
        return settings.broker
    found = (run_file(settings.data_dir) or {}).get("broker")
    return f"mqtt://{found}" if found else None


def needed_broker(settings: Settings, what: str) -> str:
    """Return the broker; `what` says which one it is to be.

    Raises:
        BadInputError: None was named, and no service runs here.
    """
    broker = broker_of(settings)
    if broker is None:
        raise BadInputError(f"--broker: name the broker {what}; no service runs on {settings.data_dir}")
    return broker
