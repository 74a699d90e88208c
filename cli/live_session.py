"""The name under which the broker keeps messages for the live core while it is away.

A service that was killed finds what was published meanwhile at the broker, so that no alarm of those seconds is lost.
After a longer absence it begins anew instead: old messages are only `late`, the store has them, and a backlog of hours
would hold up what happens now.
"""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Final

from station.adapters.mqtt import BrokerAddress, forget_session

ALIVE_S: Final = 10.0
"""How often it is noted that we live."""
KEPT_FOR_S: Final = 600.0
"""26 000 messages at 43 a second: taken within seconds."""


class LiveSession:
    """One data directory's session at its broker.

    Args:
        file: Keeps the client id; when it was last touched tells when we last lived.

    Attributes:
        client_id: Ours, to the broker.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._away_s = time.time() - file.stat().st_mtime if file.exists() else 0.0
        if not file.exists():
            file.write_text(f"jinma-api-{secrets.token_hex(6)}\n", encoding="ascii")
        self.client_id = file.read_text(encoding="ascii").strip()

    def begin(self, broker: BrokerAddress, within_s: float) -> None:
        """Drop what the broker has kept, where we were away for too long; call before subscribing.

        Args:
            broker: Where.
            within_s: Keep trying this long where nobody answers.

        Raises:
            BrokerUnavailableError: Nobody answers.
            BrokerRefusedError: Wrong user or password.
        """
        if not 0.0 <= self._away_s <= KEPT_FOR_S:
            forget_session(broker, self.client_id, within_s)
        self.note_alive()

    def note_alive(self) -> None:
        """Note that we live."""
        self._file.touch()
