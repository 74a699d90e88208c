"""`jinma user`: who may come in with a password, kept in the journal's database. A password is never an argument."""

from __future__ import annotations

import datetime as dt
import getpass
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from api.people.roles import Role
from api.people.users import Users
from cli.journal_place import JournalPlace, open_journal_place
from station.adapters.clocks import wall_ms
from station.adapters.sql_users import SqlUsers
from station.errors import BadInputError


def add(name: str, role: str, *, from_stdin: bool, journal: str | None, data_dir: Path | None) -> None:
    """Make a user.

    Raises:
        BadInputError: Name, role or password breaks a rule, or there is no journal.
    """
    wanted = Role.parse(role)
    with open_journal_place(journal, data_dir) as place:
        _users(place).add(name, wanted, _password(from_stdin=from_stdin))
        place.note(f"user add {name} --role {wanted.label}")


def show(*, journal: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Print the users, never their passwords."""
    with open_journal_place(journal, data_dir) as place:
        rows = [
            {
                "name": row.name,
                "role": row.role,
                "disabled": row.disabled,
                "created": _moment(row.created_ms),
                "last_login": _moment(row.last_login_ms),
            }
            for row in _users(place).rows()
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
    with open_journal_place(journal, data_dir) as place:
        _users(place).set_password(name, _password(from_stdin=from_stdin))
        place.note(f"user password {name}")


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
    act = f"role {name} --role {role}" if disabled is None else f"{'disable' if disabled else 'enable'} {name}"
    with open_journal_place(journal, data_dir) as place:
        _users(place).change(name, wanted, disabled=disabled)
        place.note(f"user {act}")


def remove(name: str, *, journal: str | None, data_dir: Path | None) -> None:
    """Delete a user.

    Raises:
        BadInputError: No such user.
    """
    with open_journal_place(journal, data_dir) as place:
        _users(place).remove(name)
        place.note(f"user remove {name}")


def _users(place: JournalPlace) -> Users:
    return Users(SqlUsers(place.database), wall_ms)


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise BadInputError("password: the two differ")
    return first


def _moment(t_ms: int | None) -> str | None:
    return None if t_ms is None else dt.datetime.fromtimestamp(t_ms / 1000, dt.UTC).isoformat(timespec="seconds")
