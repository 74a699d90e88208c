"""Which stations a command works for, and what it makes of messages that do not fit them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

from cli.text_files import read_text
from station.adapters.plant_files import read_plant, shipped_plant, shipped_plant_text
from station.domain.plant import Plant
from station.errors import BadInputError
from station.settings import Settings
from station.wire.admission import Policy


def read_plants(files: Sequence[Path] | None) -> list[Plant]:
    """Return the stations of the files, the shipped Jinma station without any.

    Raises:
        BadInputError: A file has mistakes, or two name the same station.
    """
    plants = [read_plant(file) for file in files] if files else [shipped_plant()]
    ids = [plant.id for plant in plants]
    if len(set(ids)) != len(ids):
        raise BadInputError(f"--plant: two files name the same station ({', '.join(ids)})")
    return plants


def one_plant(files: Sequence[Path] | None) -> Plant:
    """Return the one station that a command works for.

    Raises:
        BadInputError: More than one was named.
    """
    plants = read_plants(files)
    if len(plants) != 1:
        raise BadInputError("--plant: this command takes one station")
    return plants[0]


def policy_of(settings: Settings) -> Policy:
    """Return what ingest does with messages that do not fit."""
    return Policy(settings.accept_older, settings.accept_newer, settings.unknown_signals)


def live_policy_of(settings: Settings) -> Policy:
    """Return what the alarm engine does with them: the same, but that it has no rules for a signal that is unknown."""
    policy = policy_of(settings)
    return dataclasses.replace(policy, unknown="ignore") if policy.unknown == "store" else policy


def copies_of(plant: Plant, count: int) -> list[Plant]:
    """Return so many stations of one kind: the plant itself, then `{id}-2` .. `{id}-N`."""
    return [plant, *(dataclasses.replace(plant, id=f"{plant.id}-{number}") for number in range(2, count + 1))]


def write_copies(files: Sequence[Path] | None, count: int, folder: Path) -> list[Path]:
    """Write a station file for each of `copies_of`, so that ingest and serve take their messages; return the files.

    Raises:
        BadInputError: More than one station was named, or its file has mistakes.
    """
    plant = one_plant(files)
    text = read_text(files[0]) if files else shipped_plant_text()
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for copy in copies_of(plant, count):
        file = folder / f"{copy.id}.toml"
        file.write_text(_with_id(text, plant.id, copy.id), encoding="utf-8")
        if read_plant(file).id != copy.id:
            raise BadInputError(f"--write-plants: the id of {plant.id} does not stand on a line of its own")
        written.append(file)
    return written


def _with_id(text: str, old: str, new: str) -> str:
    """Return a station file's text with the station's id, and it alone, exchanged."""
    return re.sub(
        rf"""^(\s*id\s*=\s*)(["']){re.escape(old)}\2""", rf"\g<1>\g<2>{new}\g<2>", text, count=1, flags=re.MULTILINE
    )
