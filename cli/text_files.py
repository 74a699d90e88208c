"""Files of text that a user names."""

from __future__ import annotations

from pathlib import Path

from station.errors import BadInputError

_MOST_BYTES = 16 * 1024 * 1024
"""A hundred times the shipped station file; more is some other file."""


def read_text(file: Path) -> str:
    """Return a file's text.

    Raises:
        BadInputError: Missing, unreadable, too large or not UTF-8.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadInputError(f"{file}: {error.strerror or error}") from error
    if len(data) > _MOST_BYTES:
        raise BadInputError(f"{file}: {len(data)} bytes, at most {_MOST_BYTES} are read")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputError(f"{file}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
