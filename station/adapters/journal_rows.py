"""The journal database as rows: out of SQLite or PostgreSQL as of one moment, and into a fresh one of either.

A table is a text of lines: the first holds its columns' names, each other one the values of a row; bytes are base64.
Rows go into the schema that they came out of, which is then brought to the present one as an old database is.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_schema import HEAD, KNOWN, journal_head, metadata
from station.errors import BadInputError

_ROWS: Final = 2_000
_encoder: Final = msgspec.json.Encoder()

Tables = Iterator[tuple[str, Iterator[bytes]]]


@contextmanager
def tables_of(database: SqlDatabase) -> Iterator[Tables]:
    """Give each table's name and lines, all as of one moment; a table's lines are taken before the next is asked for.

    Raises:
        JournalUnavailableError: The database failed.
    """
    with database.snapshot() as connection:
        yield ((table.name, _lines(connection, table)) for table in metadata.sorted_tables)


def _lines(connection: sa.Connection, table: sa.Table) -> Iterator[bytes]:
    yield _encoder.encode([str(column.name) for column in table.columns]) + b"\n"
    query = sa.select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_ROWS)
    for rows in connection.execute(query).partitions():
        yield b"".join(_encoder.encode(tuple(row)) + b"\n" for row in rows)


def refuse_filled(url: str) -> None:
    """See that a journal database has nothing in it.

    Raises:
        BadInputError: It has.
        JournalUnavailableError: It does not answer.
    """
    database = SqlDatabase(url)
    try:
        with database.reading() as connection:
            for table in metadata.sorted_tables:
                rows = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
                if table.name != journal_head.name and rows:
                    raise BadInputError(f"journal {database.name}: holds {rows} rows of {table.name} already")
    finally:
        database.close()


def take_rows(url: str, revision: str, tables: Mapping[str, Iterable[bytes]]) -> int:
    """Fill a journal database with the rows of another; what it held of ours is gone. Returns how many rows.

    Args:
        url: SQLAlchemy URL; its tables are made anew.
        revision: Schema that the rows came out of.
        tables: Name -> lines, as `tables_of` gives them.

    Raises:
        BadInputError: The rows are of a newer schema, or unreadable.
        JournalUnavailableError: The database failed; nothing has happened.
    """
    if revision not in KNOWN:
        raise BadInputError(f"the journal is of schema {revision}, this program knows up to {HEAD}: use the newer one")
    database = SqlDatabase(url, begin_anew_at=revision)
    try:
        with database.writing() as connection:
            rows = sum(_fill(connection, name, lines) for name, lines in tables.items())
    finally:
        database.close()
    SqlDatabase(url).close()  # which brings an older schema up to date
    return rows


def _fill(connection: sa.Connection, name: str, lines: Iterable[bytes]) -> int:
    said = iter(lines)
    try:
        table = sa.Table(name, sa.MetaData(), autoload_with=connection)
        columns = [table.columns[column] for column in msgspec.json.decode(next(said, b"[]"), type=list[str])]
        if name == journal_head.name:  # its first row comes with the schema
            connection.execute(sa.delete(table))
        count = 0
        for rows in _batches(said, columns):
            connection.execute(sa.insert(table), rows)
            count += len(rows)
    except (msgspec.DecodeError, KeyError, ValueError, sa.exc.NoSuchTableError) as error:
        raise BadInputError(f"table {name} of the backup cannot be read: {error}") from error
    _go_on_counting(connection, table)
    return count


def _batches(lines: Iterable[bytes], columns: list[sa.Column[Any]]) -> Iterator[list[dict[str, Any]]]:
    names = [column.name for column in columns]
    binary = {column.name for column in columns if isinstance(column.type, sa.LargeBinary)}
    rows: list[dict[str, Any]] = []
    for line in lines:
        row = dict(zip(names, msgspec.json.decode(line, type=list[Any]), strict=True))
        for name in binary:
            row[name] = base64.b64decode(row[name])
        rows.append(row)
        if len(rows) == _ROWS:
            yield rows
            rows = []
    if rows:
        yield rows


def _go_on_counting(connection: sa.Connection, table: sa.Table) -> None:
    """Let PostgreSQL's own numbering go on behind the rows that came with theirs; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for column in table.primary_key.columns:
        sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
        if connection.execute(sa.select(sequence)).scalar() is not None:
            highest = sa.select(sa.func.max(column)).scalar_subquery()
            connection.execute(sa.select(sa.func.setval(sequence, sa.func.coalesce(highest, 1), highest.is_not(None))))
