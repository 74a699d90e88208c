"""In which language a browser is answered."""

from __future__ import annotations

from typing import Final

from starlette.requests import HTTPConnection

LANGUAGES: Final = ("zh", "en")
COOKIE: Final = "jinma_lang"
"""Set by the page's script when `?lang=` was given, so that the choice is remembered."""


def language_of(request: HTTPConnection) -> str:
    """Return `zh` or `en`: what `?lang=` asks for, else what was chosen before, else what the browser prefers."""
    for wish in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if wish in LANGUAGES:
            return wish
    return _preferred(request.headers.get("accept-language", ""))


def _preferred(header: str) -> str:
    """Return the language of ours that weighs most in an Accept-Language header, English where none is named."""
    weights = {"en": 0.0, "zh": 0.0}
    for part in header.split(","):
        name, _, weight = part.partition(";q=")
        language = name.strip().lower().partition("-")[0]
        if language in weights:
            weights[language] = max(weights[language], _weight(weight))
    return "zh" if weights["zh"] > weights["en"] else "en"


def _weight(text: str) -> float:
    try:
        return float(text) if text.strip() else 1.0
    except ValueError:
        return 0.0
