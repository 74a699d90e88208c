"""Runs migrations on the connection that `sql_database` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from station.adapters.sql_schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
