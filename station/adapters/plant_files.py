"""Station files on disk and the one that is shipped."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from station.domain.plant import Plant
from station.domain.plant_file import load_plant
from station.domain.signal_list import station_from_signal_list
from station.errors import BadInputError

_SHIPPED = "jinma.toml"
_MAX_BYTES = 16 * 1024 * 1024  # a hundred times the shipped station; more is some other file


def shipped_plant_text() -> str:
    """Return the text of the shipped station file."""
    return files("station.plants").joinpath(_SHIPPED).read_text(encoding="utf-8")


@cache
def shipped_plant() -> Plant:
    """Return the shipped Jinma station, read once."""
    return load_plant(shipped_plant_text(), _SHIPPED)


def read_plant(path: Path) -> Plant:
    """Return the station of a file.

    Args:
        path: A station file, TOML in UTF-8.

    Raises:
        BadInputError: The file is missing, unreadable or no text.
        PlantFileError: It has mistakes.
    """
    return load_plant(_read_text(path), str(path))


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise BadInputError(f"{path}: more than 16 MiB, this is no station file")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read: {error.strerror or error}; give a station file") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path}: not UTF-8 text at byte {error.start}; save the file as UTF-8") from error


def plant_from_signal_list(csv_text: str, station_id: str) -> str:
    """Return the text of a first station file made from a signal list, the shipped station being the example.

    Args:
        csv_text: CSV with the columns of `station.domain.signal_list.COLUMNS`.
        station_id: Id of the new station.

    Raises:
        SignalListError: Columns are missing or rows are wrong; each with its line.
    """
    return station_from_signal_list(csv_text, station_id, shipped_plant_text())
