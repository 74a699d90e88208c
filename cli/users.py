"""`jinma user`: who may come in with a password, kept in the journal's database. A password is never an argument."""

from __future__ import annotations

import datetime as dt
import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from api.people.roles import Role
from api.people.users import Users
from station.adapters.clocks import wall_ms
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_users import SqlUsers
from station.errors import BadInputError
from station.settings import load_settings


def add(name: str, role: str, *, from_stdin: bool, journal: str | None, data_dir: Path | None) -> None:
    """Make a user.

    Raises:
        BadInputError: Name, role or password breaks a rule, or there is no journal.
    """
    wanted = Role.parse(role)
    with _users(journal, data_dir) as users:
        users.add(name, wanted, _password(from_stdin=from_stdin))


def show(*, journal: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Print the users, never their passwords."""
    with _users(journal, data_dir) as users:
        rows = [
            {
                "name": row.name,
                "role": row.role,
                "disabled": row.disabled,
                "created": _moment(row.created_ms),
                "last_login": _moment(row.last_login_ms),
            }
            for row in users.rows()
        ]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    table = Table("name", "role", "disabled", "created", "last_login")
    for row in rows:
        table.add_row(*("-" if value in (None, False) else str(value) for value in row.values()))
    Console().print(table)


def set_password(name: str, *, from_stdin: bool, journal: str | None, data_dir: Path | None) -> None:
    """Give a user another password.

    Raises:
        BadInputError: No such user, or the password breaks a rule.
    """
    with _users(journal, data_dir) as users:
        users.set_password(name, _password(from_stdin=from_stdin))


def change(
    name: str,
    *,
    role: str | None = None,
    disabled: bool | None = None,
    journal: str | None,
    data_dir: Path | None,
) -> None:
    """Give a user another role, shut them out or let them in.

    Raises:
        BadInputError: No such user or role.
    """
    wanted = None if role is None else Role.parse(role)
    with _users(journal, data_dir) as users:
        users.change(name, wanted, disabled=disabled)


def remove(name: str, *, journal: str | None, data_dir: Path | None) -> None:
    """Delete a user.

    Raises:
        BadInputError: No such user.
    """
    with _users(journal, data_dir) as users:
        users.remove(name)


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise BadInputError("password: the two differ")
    return first


@contextmanager
def _users(journal: str | None, data_dir: Path | None) -> Iterator[Users]:
    """Give the users of a service, which may be running."""
    settings = load_settings(journal=journal, data_dir=data_dir)
    folder = settings.data_dir
    if settings.journal is None and not (folder / "journal.sqlite").exists():
        raise BadInputError(f"--data-dir {folder}: no service has run there yet; name its data directory")
    database = SqlDatabase(settings.journal or f"sqlite:///{folder / 'journal.sqlite'}")
    try:
        yield Users(SqlUsers(database), wall_ms)
    finally:
        database.close()


def _moment(t_ms: int | None) -> str | None:
    return None if t_ms is None else dt.datetime.fromtimestamp(t_ms / 1000, dt.UTC).isoformat(timespec="seconds")
