"""One-time login codes: the link that `jinma run` prints and opens, good for ten minutes, once, from this machine."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from typing import Final

LIFETIME_MS: Final = 10 * 60 * 1000
_MOST_CODES: Final = 64


class LoginCodes:
    """Codes that have been issued and not yet used.

    Args:
        wall_ms: Wall time, epoch ms.
    """

    def __init__(self, wall_ms: Callable[[], int]) -> None:
        self._wall_ms = wall_ms
        self._lock = threading.Lock()
        self._codes: dict[str, tuple[int, str]] = {}

    def issue(self, token_prefix: str) -> str:
        """Return a new code that opens a session of the token with this prefix."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            while len(self._codes) >= _MOST_CODES:
                del self._codes[next(iter(self._codes))]
            self._codes[code] = (self._wall_ms() + LIFETIME_MS, token_prefix)
        return code

    def redeem(self, code: str) -> str | None:
        """Return the token prefix of a code and spend the code; None where it is unknown, used or too old."""
        with self._lock:
            expires_ms, prefix = self._codes.pop(code, (0, ""))
        return prefix if expires_ms > self._wall_ms() else None
