"""Tokens in the journal database: prefix and keyed hash, never the secret."""

from __future__ import annotations

from dataclasses import asdict

import sqlalchemy as sa

from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_schema import tokens
from station.ports import TokenRow


class SqlTokens:
    """A `TokenTable` in SQLite or PostgreSQL.

    Args:
        database: Where it lies; closed by its owner.
    """

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def add(self, row: TokenRow) -> None:
        """Commit a token; one of the same prefix is replaced."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(tokens).where(tokens.c.prefix == row.prefix))
            connection.execute(sa.insert(tokens), asdict(row))

    def get(self, prefix: str) -> TokenRow | None:
        """Return a token, None where there is none."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(tokens).where(tokens.c.prefix == prefix)).one_or_none()
        return None if row is None else TokenRow(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it

    def rows(self) -> list[TokenRow]:
        """Return every token, oldest first."""
        with self._database.reading() as connection:
            found = connection.execute(sa.select(tokens).order_by(tokens.c.created_ms, tokens.c.prefix)).all()
        return [TokenRow(**row._mapping) for row in found]  # noqa: SLF001 - as above

    def remove(self, prefix: str) -> bool:
        """Delete a token; returns whether there was one."""
        with self._database.writing() as connection:
            return connection.execute(sa.delete(tokens).where(tokens.c.prefix == prefix)).rowcount > 0

    def touch(self, prefix: str, last_used_ms: int) -> None:
        """Note the last use of a token; no error where it has gone."""
        with self._database.writing() as connection:
            connection.execute(sa.update(tokens).where(tokens.c.prefix == prefix).values(last_used_ms=last_used_ms))
