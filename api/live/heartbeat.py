"""A beat to the outside, so that the death of this service is seen by somebody else.

An address of a dead man's switch (healthchecks.io, Uptime Kuma, a script of one's own) is asked each minute, but only
while the live core goes on: a process that hangs is dead too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import httpx
import structlog

HEARTBEAT_S = 60.0
_TIMEOUT_S = 10.0
_log = structlog.get_logger(__name__)


@dataclass
class Heartbeat:
    """Asks an address as long as the core goes on.

    Attributes:
        url: Where; it may hold a secret and is never logged.
        rounds: How many rounds the core has gone; it is alive while this rises.
        failures: Beats in a row that did not arrive.
    """

    url: str
    rounds: Callable[[], int]
    failures: int = 0
    _last: int = -1

    def beat(self) -> bool:
        """Send one; returns False where it did not arrive, or the core stands still."""
        now = self.rounds()
        if now == self._last:
            _log.error("no heartbeat is sent: the live core stands still")
            return False
        self._last = now
        try:
            answer = httpx.get(self.url, timeout=_TIMEOUT_S, trust_env=False)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return self._failed(type(error).__name__)
        if not answer.is_success:
            return self._failed(str(answer.status_code))
        self.failures = 0
        return True

    def _failed(self, why: str) -> bool:
        self.failures += 1
        _log.warning("heartbeat did not arrive", why=why, failures=self.failures)
        return False
