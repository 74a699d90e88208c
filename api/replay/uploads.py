"""Logs that were uploaded to be replayed: a folder that does not grow beyond its bounds."""

from __future__ import annotations

import re
import secrets
import shutil
import string
from collections.abc import Collection
from pathlib import Path
from typing import IO, Final

from station.errors import BadInputError

_ALPHABET: Final = string.ascii_lowercase + string.digits
_NAME: Final = re.compile(r"[a-z0-9]{8}-[A-Za-z0-9._-]{1,80}")
_CHUNK: Final = 1024 * 1024


class Uploads:
    """A folder of logs.

    Args:
        folder: Made where missing.
        most_bytes: Largest log.
        most_kept_bytes: Of all logs and what is made of them; beyond, the oldest go.
    """

    def __init__(self, folder: Path, most_bytes: int, most_kept_bytes: int) -> None:
        self._folder = folder
        self.most_bytes = most_bytes
        self._most_kept_bytes = most_kept_bytes

    def save(self, file: IO[bytes], name: str, in_use: Collection[str] = ()) -> str:
        """Keep a log; return the name under which it is kept.

        Args:
            file: The log.
            name: As its sender calls it; its suffixes stay.
            in_use: Names that may not go to make room.

        Raises:
            BadInputError: It is larger than a log may be.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        tidy = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(name).name)[-80:] or "log"
        kept = "".join(secrets.choice(_ALPHABET) for _ in range(8)) + f"-{tidy}"
        path = self._folder / kept
        try:
            self._copy(file, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        self._make_room({kept, *in_use})
        return kept

    def _copy(self, file: IO[bytes], path: Path) -> None:
        with path.open("xb") as out:
            while chunk := file.read(_CHUNK):
                if out.tell() + len(chunk) > self.most_bytes:
                    raise BadInputError(f"file: is larger than {self.most_bytes} bytes")
                out.write(chunk)

    def path(self, name: str) -> Path:
        """Return where a log is.

        Raises:
            BadInputError: There is none of this name.
        """
        path = self._folder / name
        if not _NAME.fullmatch(name) or not path.is_file():
            raise BadInputError(f"file {name[:80]!r}: no such log was uploaded, or it had to make room for others")
        return path

    def _make_room(self, in_use: Collection[str]) -> None:
        """Remove the oldest logs, each with what was made of it (`NAME.made`), until the rest fits."""
        entries = sorted(self._folder.iterdir(), key=lambda entry: entry.stat().st_mtime)
        sizes = {entry: _size(entry) for entry in entries}
        total = sum(sizes.values())
        for entry in entries:
            if total <= self._most_kept_bytes:
                return
            if entry.name.removesuffix(".made") not in in_use:
                total -= sizes[entry]
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _size(entry: Path) -> int:
    files = entry.rglob("*") if entry.is_dir() else [entry]
    return sum(file.stat().st_size for file in files if file.is_file())
