"""The console's open sessions: kept over restarts, so that a wall screen comes back by itself.

Of a cookie only its hash is kept; a session dies with the token that opened it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec
import structlog

from api.people.roles import Role
from station.ports import TokenRow

_LIFETIME_MS: Final = 12 * 3600 * 1000
"""A shift of a control room; each use prolongs it."""
_KEEP_EVERY_MS: Final = 600_000
"""Prolonging is written this often: a crash costs a session ten minutes of its twelve hours."""
_MOST_SESSIONS: Final = 10_000
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who may come in.

    Attributes:
        name: Stands in the journal as `who`.
        token_prefix: The token or user that let them in; once that is over the session is over.
        csrf: Value that unsafe methods must repeat; None for a bearer token, which no browser sends by itself.
        expires_ms: Wall time at which a cookie session ends unless used; None for a bearer token.
    """

    name: str
    role: Role
    token_prefix: str
    csrf: str | None = None
    expires_ms: int | None = None


class _Kept(msgspec.Struct):
    key: str
    name: str
    token_prefix: str
    csrf: str
    expires_ms: int


class SessionBook:
    """The console sessions that are open.

    Args:
        row_of: Gives what a session hangs on by its prefix, a token or a user; None once that is over.
        wall_ms: Wall time, epoch ms.
        file: Where they are kept over a restart, readable by the owner only; None keeps them in memory.
    """

    def __init__(
        self, row_of: Callable[[str], TokenRow | None], wall_ms: Callable[[], int], file: Path | None = None
    ) -> None:
        self._row_of = row_of
        self._wall_ms = wall_ms
        self._file = file
        self._lock = threading.Lock()
        self._open = _read(file)
        self._kept_ms = wall_ms()

    def open(self, row: TokenRow) -> tuple[str, Session]:
        """Return (cookie, session) of a new session for a token's owner."""
        cookie = secrets.token_urlsafe(32)
        expires_ms = self._wall_ms() + _LIFETIME_MS
        session = Session(row.name, Role.parse(row.role), row.prefix, secrets.token_urlsafe(24), expires_ms)
        with self._lock:
            if len(self._open) >= _MOST_SESSIONS:
                del self._open[next(iter(self._open))]
            self._open[_key(cookie)] = session
            self._keep()
        return cookie, session

    def find(self, cookie: str) -> Session | None:
        """Return the session of a cookie while it and its token are valid; each find prolongs it."""
        key = _key(cookie)
        with self._lock:
            session = self._open.get(key)
        if session is None:
            return None
        now_ms = self._wall_ms()
        row = self._row_of(session.token_prefix)
        if row is None or (session.expires_ms or 0) <= now_ms:
            self.end(cookie)
            return None
        session = replace(session, role=Role.parse(row.role), expires_ms=now_ms + _LIFETIME_MS)
        with self._lock:
            if key in self._open:
                self._open[key] = session
            if now_ms - self._kept_ms >= _KEEP_EVERY_MS:
                self._keep()
        return session

    def end_of(self, prefix: str) -> None:
        """Close every session that hangs on what begins with this."""
        with self._lock:
            gone = [key for key, session in self._open.items() if session.token_prefix.startswith(prefix)]
            for key in gone:
                del self._open[key]
            if gone:
                self._keep()

    def end(self, cookie: str) -> None:
        """Close a session; no error where there is none."""
        with self._lock:
            if self._open.pop(_key(cookie), None) is not None:
                self._keep()

    def _keep(self) -> None:
        """Write the sessions that have not run out; a disk that refuses costs only their survival of a restart."""
        self._kept_ms = self._wall_ms()
        if self._file is None:
            return
        rows = [
            _Kept(key, s.name, s.token_prefix, s.csrf or "", s.expires_ms or 0)
            for key, s in self._open.items()
            if (s.expires_ms or 0) > self._kept_ms
        ]
        try:
            temporary = self._file.with_suffix(".new")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                out.write(msgspec.json.encode(rows))
            temporary.replace(self._file)
        except OSError as error:
            _log.warning("sessions not kept", error=str(error))


def _read(file: Path | None) -> dict[str, Session]:
    """Return kept sessions; roles are looked up anew at each use, so the least stands here."""
    if file is None:
        return {}
    try:
        rows = msgspec.json.decode(file.read_bytes(), type=list[_Kept])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        _log.warning("kept sessions not read: people log in again", error=str(error))
        return {}
    return {row.key: Session(row.name, Role.VIEWER, row.token_prefix, row.csrf, row.expires_ms) for row in rows}


def _key(cookie: str) -> str:
    """What is kept of a cookie: its hash, so that a dump of the memory, a file or a log opens no session."""
    return hashlib.sha256(cookie.encode()).hexdigest()
