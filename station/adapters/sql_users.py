"""Users in the journal database: name, role and argon2 hash, never a password."""

from __future__ import annotations

from dataclasses import asdict

import sqlalchemy as sa

from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_schema import users
from station.ports import UserRow


class SqlUsers:
    """A `UserTable` in SQLite or PostgreSQL.

    Args:
        database: Where it lies; closed by its owner.
    """

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def add(self, row: UserRow) -> bool:
        """Commit a new user; returns False where one of that name is there already."""
        with self._database.writing() as connection:
            there = connection.execute(sa.select(users.c.name).where(users.c.name == row.name)).first()
            if there is None:
                connection.execute(sa.insert(users), asdict(row))
        return there is None

    def get(self, name: str) -> UserRow | None:
        """Return a user, None where there is none."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(users).where(users.c.name == name)).one_or_none()
        return None if row is None else UserRow(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it

    def rows(self) -> list[UserRow]:
        """Return every user, by name."""
        with self._database.reading() as connection:
            found = connection.execute(sa.select(users).order_by(users.c.name)).all()
        return [UserRow(**row._mapping) for row in found]  # noqa: SLF001 - as above

    def replace(self, row: UserRow) -> bool:
        """Commit a user's new row; returns whether there was one."""
        with self._database.writing() as connection:
            update = sa.update(users).where(users.c.name == row.name).values(**asdict(row))
            return connection.execute(update).rowcount > 0

    def remove(self, name: str) -> bool:
        """Delete a user; returns whether there was one."""
        with self._database.writing() as connection:
            return connection.execute(sa.delete(users).where(users.c.name == name)).rowcount > 0
