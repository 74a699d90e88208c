"""`jinma token`: who may come in, kept in the journal's database."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from api.people.roles import Role
from api.people.tokens import Tokens, read_or_make_key
from cli import durations
from cli.journal_place import open_journal_place
from station.adapters.clocks import wall_ms
from station.adapters.sql_tokens import SqlTokens
from station.errors import BadInputError


def create(
    name: str, role: str, expires: str | None, *, journal: str | None, data_dir: Path | None, as_json: bool
) -> None:
    """Make a token and print it, this once.

    Raises:
        BadInputError: Name, role or expiry is wrong, or there is no journal, or no key beside it.
    """
    wanted = Role.parse(role)
    ends_ms = wall_ms() + round(durations.duration(expires, "--expires").total_seconds() * 1000) if expires else None
    with open_journal_place(journal, data_dir) as place:
        key = place.folder / "token.key"
        if not key.exists():
            rule = "holds no token.key: name the data directory of the service whose journal this is"
            raise BadInputError(f"--data-dir {place.folder}: {rule}")
        token = Tokens(SqlTokens(place.database), read_or_make_key(key), wall_ms).create(name, wanted, ends_ms)
        prefix = token.partition(".")[0]
        place.note(f"token create {prefix} {name} --role {wanted.label}")
    made = {"token": token, "prefix": prefix, "name": name, "role": wanted.label, "expires": _moment(ends_ms)}
    print(json.dumps(made, ensure_ascii=False) if as_json else token)


def show(*, journal: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Print the tokens, never their secrets."""
    with open_journal_place(journal, data_dir) as place:
        rows = [
            {
                "prefix": row.prefix,
                "name": row.name,
                "role": row.role,
                "created": _moment(row.created_ms),
                "expires": _moment(row.expires_ms),
                "last_used": _moment(row.last_used_ms),
            }
            for row in SqlTokens(place.database).rows()
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
    prefix = prefix.partition(".")[0]
    with open_journal_place(journal, data_dir) as place:
        if not SqlTokens(place.database).remove(prefix):
            raise BadInputError(f"token {prefix!r}: there is none; see jinma token list")
        place.note(f"token revoke {prefix}")


def _moment(t_ms: int | None) -> str | None:
    return None if t_ms is None else dt.datetime.fromtimestamp(t_ms / 1000, dt.UTC).isoformat(timespec="seconds")
