"""What the settings page tells of a service: its settings, and what its station files say."""

from __future__ import annotations

from api.services import About
from cli.stations import read_plants
from cli.text_files import read_text
from station.adapters.plant_files import shipped_plant_text
from station.domain.plant_facts import facts_of
from station.settings import Settings
from station.shown_settings import shown_settings


def about_of(settings: Settings) -> About:
    """Return what the settings page shows: the settings, and what the station files say.

    Raises:
        BadInputError: A file cannot be read.
    """
    texts = [read_text(file) for file in settings.plant] or [shipped_plant_text()]
    facts = {plant.id: facts_of(text) for plant, text in zip(read_plants(settings.plant), texts, strict=True)}
    return About(shown_settings(settings), facts)
