"""Shift notes of operators, append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and refuse changes of its rows in the database itself."""
    op.create_table(
        "shift_notes",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("station", sa.Text, nullable=False),
        sa.Column("date", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("t_ms", sa.BigInteger, nullable=False),
        sa.Column("written_ms", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("shift_notes_by_date", "shift_notes", ["station", "date", "number"])
    _refuse_changes()


def downgrade() -> None:
    """There is no way back: an older program refuses the database, its backup is restored instead."""
    raise NotImplementedError("restore the backup that was made before the upgrade")


def _refuse_changes() -> None:
    text = "shift notes are append-only"
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER shift_notes_no_{act.lower()} BEFORE {act} ON shift_notes "
                f"BEGIN SELECT RAISE(ABORT, '{text}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION shift_notes_are_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{text}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER shift_notes_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON shift_notes "
        "FOR EACH STATEMENT EXECUTE FUNCTION shift_notes_are_append_only()"
    )
