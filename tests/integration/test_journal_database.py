"""The journal database itself: tampering found, upgrades after a backup, refusals that say what to do."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from station.adapters import sql_database
from station.adapters.journal_chain import BEFORE_FIRST
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_forecasts import SqlForecasts
from station.adapters.sql_journal import SqlJournal, open_journal
from station.adapters.sql_learned import SqlLearned
from station.adapters.sql_plans import SqlPlans
from station.adapters.sql_schema import HEAD, KNOWN, metadata
from station.adapters.sql_tokens import SqlTokens
from station.adapters.sql_users import SqlUsers
from station.domain.day_plan import DayPlan
from station.domain.learned import LearnedRow
from station.errors import BadInputError, DataDirectoryError, JournalUnavailableError
from station.ports import JournalEntry, TokenRow
from tests.support.postgres import Postgres
from tests.support.service import jinma

ENTRY = JournalEntry("jinma", "PT-330A.HH", "PT-330A.HH@1", "raised", 1, 2, "system", 48.2, 48.0)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of five rows."""
    file = tmp_path / "journal.db"
    journal = open_journal(f"sqlite:///{file}")
    journal.append([replace(ENTRY, t_ms=t) for t in range(5)])
    journal.close()
    return file


def _tamper(url: str, *statements: str) -> int | None:
    """Change a journal as only its owner can, and return the first row that its chain calls wrong."""
    journal = SqlJournal(SqlDatabase(url))
    try:
        return _tampered(journal, statements)
    finally:
        journal.close()


def _tampered(journal: SqlJournal, statements: Sequence[str]) -> int | None:
    with journal.database.writing() as connection:
        if connection.dialect.name == "sqlite":
            unlock = ["DROP TRIGGER IF EXISTS journal_no_update", "DROP TRIGGER IF EXISTS journal_no_delete"]
        else:
            unlock = ["ALTER TABLE journal DISABLE TRIGGER ALL"]
        for statement in [*unlock, *statements]:
            connection.execute(sa.text(statement))
    return journal.verify()


def _five_rows(url: str) -> str:
    journal = open_journal(url)
    journal.append([replace(ENTRY, t_ms=t) for t in range(5)])
    journal.close()
    return url


OTHERS = ", ".join(column.name for column in metadata.tables["journal"].c if column.name != "number")
TAMPERING = {
    "value": (["UPDATE journal SET value = 47.9 WHERE number = 3"], 3),
    "who": (["UPDATE journal SET who = 'nobody' WHERE number = 1"], 1),
    "time": (["UPDATE journal SET received_ms = 3 WHERE number = 2"], 2),
    "limit": (["UPDATE journal SET limit_value = NULL WHERE number = 5"], 5),
    "detail": (["UPDATE journal SET detail = '{\"state\":{}}' WHERE number = 4"], 4),
    "hash": (["UPDATE journal SET hash = 'x' WHERE number = 2"], 2),
    "removed": (["DELETE FROM journal WHERE number = 2"], 2),
    "removed, the rest moved up": (
        ["DELETE FROM journal WHERE number = 2", "UPDATE journal SET number = number - 1 WHERE number > 2"], 2,
    ),
    "cut off at the end": (["DELETE FROM journal WHERE number = 5"], 5),
    "all removed": (["DELETE FROM journal"], 1),
    "moved to the end": (["UPDATE journal SET number = 6 WHERE number = 5"], 5),
    "two changed places": (
        [
            "UPDATE journal SET number = 99 WHERE number = 2",
            "UPDATE journal SET number = 2 WHERE number = 3",
            "UPDATE journal SET number = 3 WHERE number = 99",
        ],
        2,
    ),
    "one put in": (
        [
            f"INSERT INTO journal SELECT 6, {OTHERS} FROM journal WHERE number = 5",
        ],
        6,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_whatever_was_changed_removed_or_moved_is_found(kind: str, tmp_path: Path, postgres: Postgres) -> None:
    url = f"sqlite:///{tmp_path}/many.db" if kind == "sqlite" else postgres.create_database("tampered")
    journal, found = SqlJournal(SqlDatabase(url)), {}
    for name, (statements, _) in TAMPERING.items():
        begin_anew = ["DELETE FROM journal", f"UPDATE journal_head SET number = 0, hash = '{BEFORE_FIRST}'"]
        assert _tampered(journal, begin_anew) is None
        journal.append([replace(ENTRY, t_ms=t) for t in range(5)])
        found[name] = _tampered(journal, statements)
    journal.close()
    assert found == {name: first_wrong for name, (_, first_wrong) in TAMPERING.items()}


def test_sqlite_refuses_to_change_a_row(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        for act in ("UPDATE journal SET who = 'nobody'", "DELETE FROM journal"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                raw.execute(act)


def test_postgresql_refuses_to_change_a_row(postgres: Postgres) -> None:
    journal = SqlJournal(SqlDatabase(postgres.create_database("refuses")))
    journal.append([ENTRY])
    for act in ("UPDATE journal SET who = 'nobody'", "DELETE FROM journal", "TRUNCATE journal"):
        with pytest.raises(JournalUnavailableError, match="append-only"), journal.database.writing() as connection:
            connection.execute(sa.text(act))
    assert journal.verify() is None
    journal.close()


def test_writers_in_many_threads_leave_one_whole_chain(postgres: Postgres, tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/many.db", postgres.create_database("many")):
        journals = [SqlJournal(SqlDatabase(url)) for _ in range(3)]

        def write(journal: SqlJournal) -> None:
            for _ in range(10):
                journal.append([ENTRY, ENTRY])

        threads = [threading.Thread(target=write, args=[journal]) for journal in journals]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert journals[0].verify() is None
        assert len(journals[0].entries("jinma", 0, 10)) == 60
        for journal in journals:
            journal.close()


def test_a_committed_row_outlives_the_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/killed.db"
    program = (
        "import os, signal\n"
        "from station.adapters.sql_journal import open_journal\n"
        "from station.ports import JournalEntry\n"
        f"journal = open_journal({url!r})\n"
        "journal.append([JournalEntry('jinma', 'A', 'A@1', 'raised', 1, 2, 'system')])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    journal = open_journal(url)
    assert len(journal.entries("jinma", 0, 10)) == 1
    assert journal.verify() is None
    journal.close()


def test_a_database_that_went_away_and_came_back(postgres: Postgres) -> None:
    journal = SqlJournal(SqlDatabase(postgres.create_database("away")))
    journal.append([ENTRY])
    postgres.stop()
    with pytest.raises(JournalUnavailableError, match="journal postgresql"):
        journal.append([ENTRY])
    postgres.start()
    journal.append([ENTRY])
    assert len(journal.entries("jinma", 0, 10)) == 2
    journal.close()


# Schema


def test_tables_are_those_of_the_migrations(tmp_path: Path, postgres: Postgres) -> None:
    for url in (f"sqlite:///{tmp_path}/j.db", postgres.create_database("tables")):
        database = SqlDatabase(url)
        with database.reading() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        database.close()


def test_the_known_revisions_are_all_there_are() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(sql_database.__file__).with_name("journal_migrations")))
    script = ScriptDirectory.from_config(config)
    assert script.get_current_head() == HEAD == KNOWN[-1]
    assert [revision.revision for revision in script.walk_revisions()][::-1] == list(KNOWN)


def test_a_newer_database_is_refused(path: Path, postgres: Postgres) -> None:
    for url in (f"sqlite:///{path}", _five_rows(postgres.create_database("newer"))):
        database = SqlDatabase(url)
        with database.writing() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        database.close()
        with pytest.raises(DataDirectoryError, match="9999 is newer"):
            open_journal(url)


def test_an_upgrade_is_made_after_a_backup(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def upgrade(connection: sa.Connection) -> None:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9000'"))

    monkeypatch.setattr(sql_database, "HEAD", "9000")
    monkeypatch.setattr(sql_database, "KNOWN", (*KNOWN, "9000"))
    monkeypatch.setattr(sql_database, "_migrate", upgrade)
    SqlDatabase(f"sqlite:///{path}").close()
    monkeypatch.undo()
    backup = path.with_name(f"journal.db.before-9000-from-{HEAD}")
    journal = open_journal(f"sqlite:///{backup}")
    assert len(journal.entries("jinma", 0, 10)) == 5
    journal.close()


class _Old:
    """A database of an older schema, as far as the tables' adapters use one."""

    def __init__(self, url: str, revision: str) -> None:
        self._engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        config = Config()
        config.set_main_option("script_location", str(Path(sql_database.__file__).with_name("journal_migrations")))
        with self._engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        with self._engine.begin() as connection:
            yield connection

    reading = writing

    def close(self) -> None:
        self._engine.dispose()


TOKEN = TokenRow("jm1", "hash", "viewer", "Grafana", created_ms=20, expires_ms=99)
LESSON = LearnedRow("jinma", "cv", dt.date(2026, 6, 1), 5, 9, 1.0, 0.1, 3.0, 1.0, (1.0, 2.0))
DAY = DayPlan(dt.date(2026, 6, 1), (), (), "put")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("revision", KNOWN[:-1])
def test_a_database_of_every_older_schema_is_upgraded_with_all_its_rows(
    kind: str, revision: str, tmp_path: Path, postgres: Postgres
) -> None:
    file = tmp_path / "old.db"
    url = f"sqlite:///{file}" if kind == "sqlite" else postgres.create_database(f"old{revision}")
    old: Any = _Old(url, revision)
    SqlJournal(old).append([replace(ENTRY, t_ms=t) for t in range(5)])
    SqlForecasts(old).append("jinma", 5, b"{}")
    SqlPlans(old).save("jinma", DAY)
    SqlTokens(old).add(TOKEN)
    if revision >= "0002":
        SqlLearned(old).save([LESSON])
    old.close()
    for _ in range(2):  # the second opening finds it upgraded
        database = SqlDatabase(url)
        journal = SqlJournal(database)
        assert [entry.t_ms for _, entry in journal.entries("jinma", 0, 10)][:5] == list(range(5))
        journal.append([replace(ENTRY, t_ms=50)])
        assert journal.verify() is None
        assert SqlForecasts(database).range("jinma", 0, 10) == [(5, b"{}")]
        assert SqlPlans(database).newest("jinma", DAY.date) == DAY
        assert SqlTokens(database).rows() == [TOKEN]
        assert SqlLearned(database).newest("jinma", 10) == ([LESSON] if revision >= "0002" else [])
        assert SqlUsers(database).rows() == []
        with database.reading() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        database.close()
    if kind == "sqlite":
        backup = file.with_name(f"old.db.before-{HEAD}-from-{revision}")
        with closing(sqlite3.connect(backup)) as raw:
            assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == (revision,)
            assert raw.execute("SELECT count(*) FROM journal").fetchone() == (5,)


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def upgrade(connection: sa.Connection) -> None:
        connection.execute(sa.text("DROP TABLE plans"))
        connection.execute(sa.text("SELECT * FROM no_such_table"))

    monkeypatch.setattr(sql_database, "HEAD", "9000")
    monkeypatch.setattr(sql_database, "KNOWN", (*KNOWN, "9000"))
    monkeypatch.setattr(sql_database, "_migrate", upgrade)
    with pytest.raises(JournalUnavailableError, match="no_such_table"):
        SqlDatabase(f"sqlite:///{path}")
    monkeypatch.undo()
    database = SqlDatabase(f"sqlite:///{path}")
    with database.reading() as connection:
        assert sa.inspect(connection).has_table("plans")
    database.close()


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("no url", "not a database URL"),
        ("mysql://root@localhost/journal", "must be sqlite"),
        ("sqlite://", "must be sqlite"),
        ("sqlite:////no/such/directory/j.db", "there is no directory"),
    ],
)
def test_a_bad_url_is_refused(url: str, text: str) -> None:
    with pytest.raises(BadInputError, match=text):
        open_journal(url)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("these are the notes of today")
    with pytest.raises(DataDirectoryError, match="not a SQLite database"):
        open_journal(f"sqlite:///{other}")


def test_a_server_that_is_not_there(postgres: Postgres) -> None:
    with pytest.raises(JournalUnavailableError, match="no_such_database"):
        open_journal(postgres.url("no_such_database"))


def test_passwords_are_not_in_errors() -> None:
    with pytest.raises(JournalUnavailableError) as caught:
        open_journal("postgresql://jinma:topsecret@127.0.0.1:9/journal")
    assert "topsecret" not in str(caught.value)


def test_opening_again_is_quick_and_needs_no_alembic(path: Path) -> None:
    program = (
        "import sys\n"
        "from station.adapters.sql_journal import open_journal\n"
        f"open_journal('sqlite:///{path}').close()\n"
        "assert 'alembic' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


def test_times_of_this_century_fit(path: Path) -> None:
    journal = open_journal(f"sqlite:///{path}")
    late = int(dt.datetime(2099, 12, 31, tzinfo=dt.UTC).timestamp() * 1000)
    journal.append([replace(ENTRY, t_ms=late)])
    assert journal.entries("jinma", late, late + 1)[0][1].t_ms == late
    journal.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_command_names_the_first_row_that_was_changed(kind: str, path: Path, postgres: Postgres) -> None:
    url = f"sqlite:///{path}" if kind == "sqlite" else _five_rows(postgres.create_database("verified"))
    whole = jinma("journal", "verify", "--journal", url)
    assert (whole.returncode, "whole" in whole.stdout) == (0, True)
    _tamper(url, "UPDATE journal SET value = 47.9 WHERE number = 3")
    changed = jinma("journal", "verify", "--journal", url, "--json")
    assert changed.returncode == 1
    assert json.loads(changed.stdout) == {"whole": False, "first_wrong_row": 3}


def test_verifying_what_is_not_there_is_bad_input(tmp_path: Path) -> None:
    nowhere = jinma("journal", "verify", "--data-dir", str(tmp_path / "nowhere"))
    assert (nowhere.returncode, len(nowhere.stderr.splitlines())) == (2, 1)
