"""The one file of a backup: a zip with a list of what is in it, each entry with its length and SHA-256.

A zip opens everywhere, and its directory stands at the end: a file that was cut short is refused before anything of
it is believed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final, Literal

import msgspec

from station.errors import BadInputError, FinalError

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
"""Of the file; a newer one is refused."""
_PIECE: Final = 1 << 20
_PACK_LEVEL: Final = 1
"""Level 6 makes text a tenth smaller and takes four times as long."""

Told = Callable[[float], None]
"""Is told how many bytes are done."""


class Entry(msgspec.Struct, frozen=True):
    """A file in the backup."""

    name: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, kw_only=True):
    """What is in a backup.

    Attributes:
        jinma_backup: Version of this format.
        version, made: Program and wall time (RFC 3339) that made it.
        data_schema: Of the data directory.
        readings: Where they came from; `none` where the store keeps nothing on disk.
        readings_schema: Of the SQLite file; 0 elsewhere.
        buckets: Of InfluxDB: what each entry of lines was, and its retention [s], 0 for ever.
        journal: Where it came from.
        journal_schema: Its revision.
        entries: Every file.
    """

    jinma_backup: int
    version: str
    made: str
    data_schema: int
    readings: Literal["sqlite", "influxdb", "none"]
    readings_schema: int = 0
    buckets: dict[str, int] = {}
    journal: Literal["sqlite", "postgresql"]
    journal_schema: str
    entries: list[Entry] = []


class ArchiveWriter:
    """Writes a backup beside its name; `finish` puts it there, whole.

    Args:
        path: Of the backup; readable by its owner alone, for it holds keys and password hashes.
        told: Hears the bytes that were taken in.

    Raises:
        BadInputError: It cannot be written there.
    """

    def __init__(self, path: Path, told: Told) -> None:
        self._path = path
        self._told = told
        self._done = 0
        self._part = path.with_name(f".{path.name}.part")
        try:
            self._part.unlink(missing_ok=True)
            self._file = os.fdopen(os.open(self._part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")
        except OSError as error:
            raise BadInputError(f"cannot write {path}: {error.strerror}") from error
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=_PACK_LEVEL)
        self._entries: list[Entry] = []

    def add(self, name: str, pieces: Iterable[bytes], *, packed: bool = False) -> int:
        """Add an entry; `packed` says that it would not become smaller. Returns its length."""
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        digest, size = hashlib.sha256(), 0
        with self._zip.open(info, "w", force_zip64=True) as target:
            for piece in pieces:
                target.write(piece)
                digest.update(piece)
                size += len(piece)
                self._done += len(piece)
                self._told(self._done)
        self._entries.append(Entry(name, size, digest.hexdigest()))
        return size

    def add_file(self, name: str, source: Path, *, packed: bool = False) -> int:
        """Add a file as it is now."""
        with source.open("rb") as file:
            return self.add(name, pieces_of(file), packed=packed)

    def finish(self, manifest: Manifest) -> int:
        """Write the list of what is in it, and put the backup in its place; returns its length."""
        manifest.entries = self._entries
        self._zip.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self._path)
        return self._path.stat().st_size

    def give_up(self) -> None:
        """Leave nothing behind; idempotent, and without effect after `finish`."""
        with contextlib.suppress(OSError, ValueError):
            self._zip.close()
        self._file.close()
        self._part.unlink(missing_ok=True)


class ArchiveReader:
    """An opened backup.

    Raises:
        BadInputError: It is no backup, cut short, or of a newer format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, EOFError) as error:
            raise BadInputError(f"{path}: no backup of ours, or cut short ({error})") from error
        except OSError as error:
            raise BadInputError(f"cannot read {path}: {error.strerror}") from error
        try:
            self.manifest = self._read_manifest()
        except BaseException:
            self.close()
            raise

    def _read_manifest(self) -> Manifest:
        try:
            body = self._zip.read(MANIFEST)
            found = msgspec.json.decode(body)["jinma_backup"]
        except (KeyError, TypeError, msgspec.DecodeError, zipfile.BadZipFile) as error:
            raise BadInputError(f"{self.path}: no backup of ours: it has no {MANIFEST} that can be read") from error
        if not isinstance(found, int) or found > FORMAT:
            raise BadInputError(f"{self.path}: of format {found}, this program knows {FORMAT}: use the newer program")
        try:
            manifest = msgspec.json.decode(body, type=Manifest)
        except msgspec.DecodeError as error:
            raise BadInputError(f"{self.path}: {MANIFEST}: {error}") from error
        self._check_names(manifest)
        return manifest

    def _check_names(self, manifest: Manifest) -> None:
        listed = [entry.name for entry in manifest.entries]
        held = sorted(set(self._zip.namelist()) - {MANIFEST})
        if sorted(listed) != held:
            odd = sorted(set(listed) ^ set(held))
            raise BadInputError(f"{self.path}: what is in it is not what {MANIFEST} lists: {', '.join(odd[:3])}")
        for name in listed:
            parts = PurePosixPath(name).parts
            if name.startswith("/") or ".." in parts or "\\" in name or not parts:
                raise BadInputError(f"{self.path}: entry {name!r} leads out of the backup")

    def below(self, folder: str) -> Iterator[tuple[str, Entry]]:
        """Yield (rest of the name, entry) of a folder's entries."""
        for entry in self.manifest.entries:
            if entry.name.startswith(f"{folder}/"):
                yield entry.name[len(folder) + 1 :], entry

    def verify(self, told: Told) -> None:
        """Read everything and compare.

        Raises:
            FinalError: An entry is damaged; it is named.
        """
        done = 0
        for entry in self.manifest.entries:
            digest, size = hashlib.sha256(), 0
            try:
                with self._zip.open(entry.name) as file:
                    for piece in pieces_of(file):
                        digest.update(piece)
                        size += len(piece)
                        told(done + size)
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
                raise FinalError(f"{self.path}: {entry.name} is damaged ({error}): use another backup") from error
            if (size, digest.hexdigest()) != (entry.bytes, entry.sha256):
                raise FinalError(f"{self.path}: {entry.name} is not what was saved: use another backup")
            done += size

    def open(self, entry: Entry) -> IO[bytes]:
        """Open an entry for reading."""
        return self._zip.open(entry.name)

    def lay_down(self, entry: Entry, target: Path) -> None:
        """Write an entry to a file, readable by its owner alone."""
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with self.open(entry) as source, os.fdopen(descriptor, "wb") as file:
            for piece in pieces_of(source):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())

    def close(self) -> None:
        """Release the file; idempotent."""
        self._zip.close()


def pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a file's bytes, a megabyte at a time."""
    while piece := file.read(_PIECE):
        yield piece
