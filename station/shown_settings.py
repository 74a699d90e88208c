"""The settings as people may see them: each value with its source, secrets hidden."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final

from station.settings import Settings

_HIDDEN: Final = "***"
_LOGIN: Final = re.compile(r"([a-z0-9+]+://)\S*@")
_QUERY: Final = re.compile(r"([?&][^=&]*(?:pass|token|secret|key)[^=&]*=)[^&\s]*", re.IGNORECASE)
"""Who logs in, and with what, where a URL names it; one that is named in the query."""


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """A setting as people may see it.

    Attributes:
        value: As text; None is not set, or secret.
        source: `flag|environment|secret file|file|default`.
        is_secret: Its value is shown to nobody; `is_set` says whether there is one.
    """

    name: str
    value: str | None
    source: str
    description: str
    is_secret: bool
    is_set: bool


def shown_settings(settings: Settings) -> tuple[ShownSetting, ...]:
    """Return every setting with its source, in the order of the code; secrets, and what stands in URLs, left out."""
    return tuple(_shown(settings, name) for name in Settings.model_fields)


def _shown(settings: Settings, name: str) -> ShownSetting:
    field, value = Settings.model_fields[name], getattr(settings, name)
    secret = "SecretStr" in str(field.annotation)
    source = settings.sources.get(name, "default")
    is_set = value is not None and value != []
    text = None if secret or not is_set else _text(value)
    return ShownSetting(name, text, source, field.description or "", secret, is_set)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    if isinstance(value, dt.timedelta):
        return duration_text(value)
    return _QUERY.sub(rf"\1{_HIDDEN}", _LOGIN.sub(rf"\1{_HIDDEN}@", str(value)))


def duration_text(value: dt.timedelta) -> str:
    """Return a duration as `parse_duration` reads it: `7d`, `1h30m`."""
    rest, parts = round(value.total_seconds() * 1000), []
    for unit, length in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, rest = divmod(rest, length)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts) or "0s"
