"""The `jinma` command and the composition root."""
