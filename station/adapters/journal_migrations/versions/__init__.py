"""Revisions of the journal database, oldest first by number."""
