"""Tokens `prefix.secret`: made, checked, revoked; only a keyed hash is ever kept.

A token is 256 random bits, so a plain HMAC is enough: there is nothing to guess that a slow password hash would
protect. A check reads the table at most each 2 s per prefix; a token that another process revokes is therefore dead
within 2 s here.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from api.people.roles import Role
from station.errors import BadInputError, DataDirectoryError, TransientError
from station.ports import TokenRow, TokenTable

BOOTSTRAP_PREFIX: Final = "bootstrap"
"""Row of the token that JINMA_BOOTSTRAP_TOKEN names; its value need not have the form prefix.secret."""
HOOK_PREFIX: Final = "hook"
"""Row of the token that JINMA_HOOK_TOKEN names, for Grafana's contact point."""
FIRST_ADMIN_NAME: Final = "admin"
_FRESH_S: Final = 2.0
_TOUCH_EVERY_MS: Final = 60_000
"""`last_used` is kept to the minute: one write per token and minute, not per request."""
_CACHE_ROWS: Final = 4096
_MAX_TOKEN_LENGTH: Final = 512


@dataclass(frozen=True, slots=True)
class AdminToken:
    """The admin token of a start. `made` is True when it is new and must be shown once; `path` is where it is kept."""

    token: str
    path: Path | None
    made: bool


class Tokens:
    """The tokens of one service.

    Args:
        table: Where the rows are.
        key: Key of the hash, 32 random bytes (see `read_or_make_key`).
        wall_ms: Wall time, epoch ms.
        monotonic: Seconds that never go back, for the age of cached rows.
    """

    def __init__(
        self,
        table: TokenTable,
        key: bytes,
        wall_ms: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._table = table
        self._key = key
        self._wall_ms = wall_ms
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[float, TokenRow | None]] = {}

    def create(self, name: str, role: Role, expires_ms: int | None = None) -> str:
        """Return a new token; it is shown this once and cannot be read again.

        Raises:
            BadInputError: The name is empty, too long or not printable.
        """
        if not 1 <= len(name) <= 64 or not name.isprintable():
            raise BadInputError(f"token name {name[:80]!r}: must be 1 to 64 printable characters")
        prefix = f"jm{secrets.token_hex(4)}"
        token = f"{prefix}.{secrets.token_urlsafe(32)}"
        self._keep(TokenRow(prefix, self._hash(token), role.label, name, self._wall_ms(), expires_ms))
        return token

    def check(self, token: str) -> TokenRow | None:
        """Return the row of a token that is right and has not expired, None otherwise."""
        if not 0 < len(token) <= _MAX_TOKEN_LENGTH or not token.isascii():
            return None
        wanted = self._hash(token)
        for prefix in (token.partition(".")[0], BOOTSTRAP_PREFIX, HOOK_PREFIX):
            row = self._row(prefix)
            if row is not None and hmac.compare_digest(row.keyed_hash, wanted) and self._lives(row):
                return self._touched(row)
        return None

    def is_fresh(self, prefix: str) -> bool:
        """Return whether the row of a prefix is in memory, so that a check will not wait for the table."""
        with self._lock:
            seen = self._seen.get(prefix)
        return seen is not None and self._monotonic() - seen[0] < _FRESH_S

    def row_of(self, prefix: str) -> TokenRow | None:
        """Return the row of a token that has been checked before, None once it is revoked or expired."""
        row = self._row(prefix)
        return row if row is not None and self._lives(row) else None

    def revoke(self, prefix: str) -> bool:
        """Delete a token; its sessions and streams end within 5 s. Returns whether there was one."""
        there = self._table.remove(prefix)
        with self._lock:
            self._seen.pop(prefix, None)
        return there

    def rows(self) -> list[TokenRow]:
        """Return every token's row, oldest first."""
        return self._table.rows()

    def install_admin(self, directory: Path | None, bootstrap: str | None) -> AdminToken | None:
        """Make sure that an admin can come in.

        Args:
            directory: Data directory, where `admin.token` is kept; None keeps no file.
            bootstrap: Value of JINMA_BOOTSTRAP_TOKEN; it is the admin token while it is set.

        Returns:
            The admin token, None where an earlier one is in use whose file has gone.

        Raises:
            BadInputError: The bootstrap value is blank, too long or not ASCII.
        """
        if bootstrap is not None:
            return self._install_bootstrap(bootstrap)
        self._table.remove(BOOTSTRAP_PREFIX)
        path = None if directory is None else directory / "admin.token"
        kept = _read_text(path)
        if kept is not None:
            return self._reinstall(kept, path)
        if any(row.role == Role.ADMIN.label and self._lives(row) for row in self._table.rows()):
            return None
        token = self.create(FIRST_ADMIN_NAME, Role.ADMIN)
        if path is not None:
            write_secret(path, token.encode() + b"\n")
        return AdminToken(token, path, made=True)

    def install_hook(self, value: str | None) -> None:
        """Let in who has the value of JINMA_HOOK_TOKEN, as an operator, while it is set.

        Raises:
            BadInputError: The value is blank, too long or not ASCII.
        """
        if value is None:
            self._table.remove(HOOK_PREFIX)
            return
        _check_sendable("JINMA_HOOK_TOKEN", value)
        self._keep(TokenRow(HOOK_PREFIX, self._hash(value), Role.OPERATOR.label, "grafana", self._wall_ms()))

    def _install_bootstrap(self, value: str) -> AdminToken:
        _check_sendable("JINMA_BOOTSTRAP_TOKEN", value)
        row = TokenRow(BOOTSTRAP_PREFIX, self._hash(value), Role.ADMIN.label, FIRST_ADMIN_NAME, self._wall_ms())
        self._keep(row)
        return AdminToken(value, None, made=False)

    def _reinstall(self, token: str, path: Path | None) -> AdminToken | None:
        """Give a journal that was replaced the admin token which the data directory still holds."""
        if self.check(token) is None:
            prefix = token.partition(".")[0]
            if any(row.role == Role.ADMIN.label and self._lives(row) for row in self._table.rows()):
                return None  # It was revoked on purpose while another admin is left: it stays dead.
            self._keep(TokenRow(prefix, self._hash(token), Role.ADMIN.label, FIRST_ADMIN_NAME, self._wall_ms()))
        return AdminToken(token, path, made=False)

    def _keep(self, row: TokenRow) -> None:
        self._table.add(row)
        with self._lock:
            self._seen[row.prefix] = (self._monotonic(), row)

    def _hash(self, token: str) -> str:
        return hmac.digest(self._key, token.encode(), "sha256").hex()

    def _lives(self, row: TokenRow) -> bool:
        return row.expires_ms is None or row.expires_ms > self._wall_ms()

    def _row(self, prefix: str) -> TokenRow | None:
        now = self._monotonic()
        with self._lock:
            seen = self._seen.get(prefix)
        if seen is not None and now - seen[0] < _FRESH_S:
            return seen[1]
        try:
            row = self._table.get(prefix)
        except TransientError:
            if seen is None:
                raise
            row = seen[1]  # While the database is away nobody revokes either; who is in may go on watching.
        with self._lock:
            if len(self._seen) >= _CACHE_ROWS:  # Wrong prefixes are remembered too; a flood of them must stay small.
                self._seen.clear()
            self._seen[prefix] = (now, row)
        return row

    def _touched(self, row: TokenRow) -> TokenRow:
        now_ms = self._wall_ms()
        if row.last_used_ms is not None and now_ms - row.last_used_ms < _TOUCH_EVERY_MS:
            return row
        with contextlib.suppress(TransientError):
            self._table.touch(row.prefix, now_ms)
        row = replace(row, last_used_ms=now_ms)
        with self._lock:
            self._seen[row.prefix] = (self._monotonic(), row)
        return row


def _check_sendable(variable: str, value: str) -> None:
    if not value.strip() or len(value) > _MAX_TOKEN_LENGTH or not value.isascii():
        raise BadInputError(f"{variable}: must be 1 to {_MAX_TOKEN_LENGTH} ASCII characters, not blank")


class MemoryTokens:
    """A token table in memory: for tests, and for a service without a journal."""

    def __init__(self) -> None:
        self._rows: dict[str, TokenRow] = {}

    def add(self, row: TokenRow) -> None:
        """Keep a token."""
        self._rows[row.prefix] = row

    def get(self, prefix: str) -> TokenRow | None:
        """Return a token."""
        return self._rows.get(prefix)

    def rows(self) -> list[TokenRow]:
        """Return every token, oldest first."""
        return list(self._rows.values())

    def remove(self, prefix: str) -> bool:
        """Delete a token."""
        return self._rows.pop(prefix, None) is not None

    def touch(self, prefix: str, last_used_ms: int) -> None:
        """Note the last use of a token."""
        row = self._rows.get(prefix)
        if row is not None:
            self._rows[prefix] = replace(row, last_used_ms=last_used_ms)


def read_or_make_key(path: Path) -> bytes:
    """Return the key of the token hashes, made at the first start (file of 32 bytes, mode 0600).

    Raises:
        DataDirectoryError: The file is there and is not a key.
    """
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        with contextlib.suppress(FileExistsError):  # Another process was quicker: its key holds.
            write_secret(path, secrets.token_bytes(32))
        key = path.read_bytes()
    if len(key) != 32:
        raise DataDirectoryError(f"{path}: must hold 32 bytes; restore it from a backup, or remove it and all tokens")
    return key


def write_secret(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read, and have it on the disk.

    Raises:
        FileExistsError: There is one already.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _read_text(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text("ascii").strip() or None
    except FileNotFoundError:
        return None
