"""Replays in the service: where their readings come from, put together for processes of their own."""

from __future__ import annotations

from functools import partial
from typing import Final

from api.forecast.runners import WorkerRunner
from api.replay.desk import ReplayDesk, ReplayLimits, ReplaySources
from api.replay.launching import launch_process
from api.replay.orders import OpenStore, TellLoading
from api.replay.uploads import Uploads
from cli.data_directory import DataDirectory
from cli.replay_logs import open_log
from cli.stores import store_address
from station.adapters.store_urls import open_store
from station.ports import AlarmJournal, LearnedBook, ReadingStore
from station.settings import Settings

_FOLDER: Final = "replays"


def replay_desk(
    settings: Settings, embedded: DataDirectory | None, journal: AlarmJournal, learned: LearnedBook
) -> ReplayDesk | None:
    """Return the replays of a service; None where its store is memory that no other process sees.

    Args:
        settings: Which store, and the limits.
        embedded: The data directory of a service that keeps its readings itself.
        journal: Alarms as they were.
        learned: What the stations have taught.
    """
    url, token = store_address(settings, embedded)
    if url.startswith("memory:"):
        return None
    opener: OpenStore = partial(_open_living, url, token)
    sources = ReplaySources(
        journal=journal,
        learned=learned,
        open_store=opener,
        open_log=lambda path, plant: partial(open_log, path, plant),
        uploads=Uploads(settings.data_dir / _FOLDER, settings.replay_upload_bytes, settings.replay_bytes),
        forecaster=WorkerRunner,
        launch=launch_process,
    )
    return ReplayDesk(ReplayLimits(settings.replays, settings.replay_idle), sources)


def _open_living(url: str, token: str | None, tell: TellLoading) -> ReadingStore:
    """Open the store of the living once more; nothing is written to it."""
    del tell  # all of it is there
    return open_store(url, token)
