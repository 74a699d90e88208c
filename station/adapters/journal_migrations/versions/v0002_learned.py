"""What stations have taught the forecast: one row a station, parameter and station day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "learned",
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
    )
    op.create_index("learned_by_time", "learned", ["station", "parameter", "at_ms"])


def downgrade() -> None:
    """There is no way back: an older program refuses the database, its backup is restored instead."""
    raise NotImplementedError("restore the backup that was made before the upgrade")
