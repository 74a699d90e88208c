"""`jinma token`: who may come in, kept in the journal's database."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from api.people.roles import Role
from api.people.tokens import Tokens, read_or_make_key
from cli import durations
from station.adapters.clocks import wall_ms
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_tokens import SqlTokens
from station.errors import BadInputError
from station.settings import load_settings


def create(name: str, role: str, expires: str | None, *, journal: str | None, data_dir: Path | None) -> None:
    """Make a token and print it, this once.

    Raises:
        BadInputError: Name, role or expiry is wrong, or there is no journal.
    """
    wanted = Role.parse(role)
    ends_ms = wall_ms() + round(durations.duration(expires, "--expires").total_seconds() * 1000) if expires else None
    with _tokens(journal, data_dir) as tokens:
        print(tokens.create(name, wanted, ends_ms))


def show(*, journal: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Print the tokens, never their secrets."""
    with _tokens(journal, data_dir) as tokens:
        rows = [
            {
                "prefix": row.prefix,
                "name": row.name,
                "role": row.role,
                "created": _moment(row.created_ms),
                "expires": _moment(row.expires_ms),
                "last_used": _moment(row.last_used_ms),
            }
            for row in tokens.rows()
        ]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    table = Table("prefix", "name", "role", "created", "expires", "last_used")
    for row in rows:
        table.add_row(*(value or "-" for value in row.values()))
    Console().print(table)


def revoke(prefix: str, *, journal: str | None, data_dir: Path | None) -> None:
    """Revoke a token.

    Raises:
        BadInputError: There is none of that prefix.
    """
    with _tokens(journal, data_dir) as tokens:
        if not tokens.revoke(prefix.partition(".")[0]):
            raise BadInputError(f"token {prefix.partition('.')[0]!r}: there is none; see jinma token list")


@contextmanager
def _tokens(journal: str | None, data_dir: Path | None) -> Iterator[Tokens]:
    """Give the tokens of a service, which may be running."""
    settings = load_settings(journal=journal, data_dir=data_dir)
    folder = settings.data_dir
    if not (folder / "token.key").exists():
        raise BadInputError(f"--data-dir {folder}: no service has run there yet; name its data directory")
    database = SqlDatabase(settings.journal or f"sqlite:///{folder / 'journal.sqlite'}")
    try:
        yield Tokens(SqlTokens(database), read_or_make_key(folder / "token.key"), wall_ms)
    finally:
        database.close()


def _moment(t_ms: int | None) -> str | None:
    return None if t_ms is None else dt.datetime.fromtimestamp(t_ms / 1000, dt.UTC).isoformat(timespec="seconds")
