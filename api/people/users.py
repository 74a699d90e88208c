"""Users with passwords: made, checked, changed, shut out.

A password is kept as an argon2id hash. A session that a password opened carries a stamp of that hash, so that a new
password, another role, or the end of the user ends it within seconds, here and in every process on the same journal.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.people.roles import Role
from station.errors import BadInputError, TransientError
from station.ports import TokenRow, UserRow, UserTable

USER_MARK: Final = "user:"
"""Begins the prefix of a session that a password opened."""
LEAST_PASSWORD: Final = 12
_MOST_PASSWORD: Final = 256
_FRESH_S: Final = 2.0
_NOBODY: Final = "nobody"
_LEAST_DIFFERENT: Final = 5


class Users:
    """The users of one service.

    Args:
        table: Where the rows are.
        wall_ms: Wall time, epoch ms.
        monotonic: Seconds that never go back, for the age of cached rows.
        hasher: argon2id with its costs.
    """

    def __init__(
        self,
        table: UserTable,
        wall_ms: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._table = table
        self._wall_ms = wall_ms
        self._monotonic = monotonic
        self._hasher = hasher or PasswordHasher()
        # A name that nobody has costs as much as a wrong password.
        self._dummy = ""
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[float, UserRow | None]] = {}

    def add(self, name: str, role: Role, password: str) -> None:
        """Make a user.

        Raises:
            BadInputError: The name or the password breaks a rule, or the name is taken.
        """
        if not 1 <= len(name) <= 64 or not name.isprintable() or name != name.strip() or ":" in name:
            rule = "must be 1 to 64 printable characters, without : and without blanks at its ends"
            raise BadInputError(f"user {name[:80]!r}: {rule}")
        row = UserRow(name, role.label, self._hashed(name, password), self._wall_ms())
        if not self._table.add(row):
            raise BadInputError(f"user {name!r}: there is one of that name already")
        self._forget(name)

    def check(self, name: str, password: str) -> TokenRow | None:
        """Return what a session hangs on where name and password are right and the user may come in, else None."""
        row = self._table.get(name)
        known = self._nobody() if row is None else row.password_hash
        try:
            right = self._hasher.verify(known, password[:_MOST_PASSWORD])
        except (VerificationError, InvalidHashError):
            return None
        if not right or row is None or row.disabled:
            return None
        kept = replace(row, last_login_ms=self._wall_ms())
        if self._hasher.check_needs_rehash(row.password_hash):
            kept = replace(kept, password_hash=self._hasher.hash(password))
        self._keep(kept)
        return _as_token(kept)

    def row_of(self, prefix: str) -> TokenRow | None:
        """Return what a session of this prefix hangs on, None once its user or password is another."""
        name, _, stamp = prefix.removeprefix(USER_MARK).rpartition(":")
        row = self._row(name)
        if row is None or row.disabled or _stamp(row) != stamp:
            return None
        return _as_token(row)

    def rows(self) -> list[UserRow]:
        """Return every user, by name."""
        return self._table.rows()

    def set_password(self, name: str, password: str) -> None:
        """Give a user another password; open sessions end.

        Raises:
            BadInputError: No such user, or the password breaks a rule.
        """
        self._keep(replace(self._known(name), password_hash=self._hashed(name, password)))

    def change(self, name: str, role: Role | None = None, *, disabled: bool | None = None) -> None:
        """Give a user another role, shut them out, or let them in again.

        Raises:
            BadInputError: No such user.
        """
        row = self._known(name)
        changed = replace(
            row,
            role=row.role if role is None else role.label,
            disabled=row.disabled if disabled is None else disabled,
        )
        self._keep(changed)

    def remove(self, name: str) -> None:
        """Delete a user.

        Raises:
            BadInputError: No such user.
        """
        if not self._table.remove(name):
            raise BadInputError(f"user {name!r}: there is none")
        self._forget(name)

    def admins(self) -> list[str]:
        """Return the names of the users who may do everything."""
        return [row.name for row in self._table.rows() if row.role == Role.ADMIN.label and not row.disabled]

    def _nobody(self) -> str:
        if not self._dummy:
            self._dummy = self._hasher.hash(_NOBODY)
        return self._dummy

    def _known(self, name: str) -> UserRow:
        row = self._table.get(name)
        if row is None:
            raise BadInputError(f"user {name!r}: there is none")
        return row

    def _hashed(self, name: str, password: str) -> str:
        if not LEAST_PASSWORD <= len(password) <= _MOST_PASSWORD or not password.strip():
            raise BadInputError(f"password: must have {LEAST_PASSWORD} to {_MOST_PASSWORD} characters")
        if len(set(password)) < _LEAST_DIFFERENT or name.casefold() in password.casefold():
            raise BadInputError(f"password: must not hold the name, and have {_LEAST_DIFFERENT} different characters")
        return self._hasher.hash(password)

    def _keep(self, row: UserRow) -> None:
        self._table.replace(row)
        with self._lock:
            self._seen[row.name] = (self._monotonic(), row)

    def _forget(self, name: str) -> None:
        with self._lock:
            self._seen.pop(name, None)

    def _row(self, name: str) -> UserRow | None:
        now = self._monotonic()
        with self._lock:
            seen = self._seen.get(name)
        if seen is not None and now - seen[0] < _FRESH_S:
            return seen[1]
        try:
            row = self._table.get(name)
        except TransientError:
            if seen is None:
                raise
            row = seen[1]  # As with tokens: nobody is shut out while the database is away.
        with self._lock:
            self._seen[name] = (now, row)
        return row


def _stamp(row: UserRow) -> str:
    return hashlib.sha256(row.password_hash.encode()).hexdigest()[:16]


def _as_token(row: UserRow) -> TokenRow:
    return TokenRow(f"{USER_MARK}{row.name}:{_stamp(row)}", "", row.role, row.name, row.created_ms)


class MemoryUsers:
    """A user table in memory: for tests, and for a service without a journal."""

    def __init__(self) -> None:
        self._rows: dict[str, UserRow] = {}

    def add(self, row: UserRow) -> bool:
        """Keep a new user."""
        return self._rows.setdefault(row.name, row) is row

    def get(self, name: str) -> UserRow | None:
        """Return a user."""
        return self._rows.get(name)

    def rows(self) -> list[UserRow]:
        """Return every user, by name."""
        return sorted(self._rows.values(), key=lambda row: row.name)

    def replace(self, row: UserRow) -> bool:
        """Keep a user's new row."""
        there = row.name in self._rows
        if there:
            self._rows[row.name] = row
        return there

    def remove(self, name: str) -> bool:
        """Delete a user."""
        return self._rows.pop(name, None) is not None
