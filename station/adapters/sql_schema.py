"""Tables of the journal database: alarms, notices, plans, forecasts, lessons, people, notes. SQLite or PostgreSQL.

They are made by the migrations in `journal_migrations/`; a test holds both together.
"""

from __future__ import annotations

import sqlalchemy as sa

HEAD = "0004"
"""Revision that this program writes."""
KNOWN = ("0001", "0002", "0003", "0004")
"""Revisions that this program can upgrade from, oldest first."""

metadata = sa.MetaData()

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("station", sa.Text, nullable=False),
    sa.Column("alarm_id", sa.Text, nullable=False),
    sa.Column("occurrence", sa.Text, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("t_ms", sa.BigInteger, nullable=False),
    sa.Column("received_ms", sa.BigInteger, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("value", sa.Double),
    sa.Column("limit_value", sa.Double),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Index("journal_by_time", "station", "t_ms"),
    sa.Index("journal_by_alarm", "station", "alarm_id", "number"),
)

journal_head = sa.Table(
    "journal_head",
    metadata,
    # One row: locked by whoever appends, and a witness against rows cut off at the end.
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)

plans = sa.Table(
    "plans",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("station", sa.Text, nullable=False),
    sa.Column("date", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index("plans_by_date", "station", "date", "number"),
)

forecasts = sa.Table(
    "forecasts",
    metadata,
    sa.Column("station", sa.Text, primary_key=True),
    sa.Column("at_ms", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

learned = sa.Table(
    "learned",
    metadata,
    sa.Column("station", sa.Text, primary_key=True),
    sa.Column("parameter", sa.Text, primary_key=True),
    sa.Column("date", sa.Text, primary_key=True),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("until_ms", sa.BigInteger, nullable=False),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("sd", sa.Double, nullable=False),
    sa.Column("n", sa.Double, nullable=False),
    sa.Column("weight", sa.Double, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Index("learned_by_time", "station", "parameter", "at_ms"),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("prefix", sa.Text, primary_key=True),
    sa.Column("keyed_hash", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("expires_ms", sa.BigInteger),
    sa.Column("last_used_ms", sa.BigInteger),
)

users = sa.Table(
    "users",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("last_login_ms", sa.BigInteger),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Index("audit_by_time", "at_ms"),
)

notices = sa.Table(
    "notices",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("station", sa.Text, nullable=False),
    sa.Column("alarm_id", sa.Text, nullable=False),
    sa.Column("occurrence", sa.Text, nullable=False),
    sa.Column("priority", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("route", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("due_ms", sa.BigInteger, nullable=False),
    sa.Column("give_up_ms", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index("notices_by_state", "state", "target", "due_ms"),
    sa.Index("notices_by_occurrence", "station", "occurrence"),
)

notice_tries = sa.Table(
    "notice_tries",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("notice", sa.Integer, nullable=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("took_ms", sa.BigInteger, nullable=False),
    sa.Column("ok", sa.Boolean, nullable=False),
    sa.Column("duplicate", sa.Boolean, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Index("notice_tries_by_notice", "notice", "number"),
)

shift_notes = sa.Table(
    "shift_notes",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("station", sa.Text, nullable=False),
    sa.Column("date", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("t_ms", sa.BigInteger, nullable=False),
    sa.Column("written_ms", sa.BigInteger, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Index("shift_notes_by_date", "station", "date", "number"),
)
