"""Alembic environment of the journal database."""
