"""A station file: TOML text -> `Plant`, or every mistake in it with its line."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from station.domain.alarm_types import read_alarm_types, read_own_alarms
from station.domain.plant import Plant, Text
from station.domain.plant_equipment import read_equipment, read_fill, read_fleet, read_parameters, read_supply
from station.domain.plant_signals import read_catalogue
from station.domain.plant_suppressions import read_suppressions
from station.domain.toml_reader import FileMistakesError, Mistake, MistakeList, TomlTable, parse_toml

__all__ = ["FORMAT", "Mistake", "PlantFileError", "load_plant"]

FORMAT = 1
"""Version of the station file's own layout; a file says `format = 1`."""

_STATION_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")  # stands in topics, tags and file names


class PlantFileError(FileMistakesError):
    """A station file with mistakes; `.mistakes` tells each with its line."""


def load_plant(text: str, source: str = "station file") -> Plant:
    """Return the station that a file describes.

    Args:
        text: The file's text, TOML.
        source: Name of the file, for the error.

    Returns:
        The station, complete and consistent.

    Raises:
        PlantFileError: The text is no TOML, or something in it is missing, unknown or impossible.
    """
    data = parse_toml(text)
    if isinstance(data, Mistake):
        raise PlantFileError(source, [data])
    mistakes = MistakeList(text)
    plant = _read(TomlTable(data, (), mistakes))
    if mistakes:
        raise PlantFileError(source, mistakes.by_line())
    return plant


def _read(root: TomlTable) -> Plant:
    if root.whole("format", at_least=1) > FORMAT:
        root.wrong(f"format {root.data['format']} is newer than this program's {FORMAT}: update the program", "format")
    catalogue, gateways = read_catalogue(root, read_alarm_types(root))
    equipment = read_equipment(root, catalogue)
    plant = Plant(
        id=_read_id(root),
        label=Text(root.text("en"), root.text("zh")),
        timezone=_read_timezone(root),
        signals=catalogue.signals,
        units=catalogue.units,
        gateways=gateways,
        supply=read_supply(root, catalogue),
        trains=equipment.trains,
        banks=equipment.banks,
        chillers=equipment.chillers,
        hoses=equipment.hoses,
        fleet=read_fleet(root),
        fill=read_fill(root),
        suppressions=read_suppressions(root, catalogue),
        capacity_alarms=read_own_alarms(root, "capacity_alarms"),
        system_alarms=read_own_alarms(root, "system_alarms"),
        parameters=read_parameters(root),
    )
    root.finish()
    return plant


def _read_id(root: TomlTable) -> str:
    station_id = root.text("id")
    if station_id and not _STATION_ID.fullmatch(station_id):
        root.wrong(f"id {station_id!r} must be of a-z, 0-9, - and _ (it stands in topics)", "id")
    return station_id


def _read_timezone(root: TomlTable) -> ZoneInfo:
    name = root.text("timezone")
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):  # not found; no relative path; a folder of the time zone tree
        root.wrong(f"timezone {name!r} is unknown; write a name like Asia/Shanghai", "timezone")
        return ZoneInfo("UTC")
