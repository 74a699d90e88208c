"""Where a service keeps what is its own: data directory, reading store, journal, spool, settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from station.adapters.influx_readings import InfluxReadings
from station.adapters.store_urls import open_store, sqlite_path
from station.errors import BadInputError
from station.settings import CONFIG_FILE, Settings


@dataclass(frozen=True)
class Place:
    """What the settings name.

    Attributes:
        folder: The data directory.
        readings: The SQLite file of readings, None where they are elsewhere.
        influx: URL of a store in InfluxDB, None where it is none.
        influx_token: For it.
        journal_url: Of the journal database.
        journal: Its SQLite file, None where it is elsewhere.
        spool: Of the ingest.
        settings_files: Files that somebody wrote: settings, station files, who is told of what.
    """

    folder: Path
    readings: Path | None
    influx: str | None
    influx_token: str | None
    journal_url: str
    journal: Path | None
    spool: Path
    settings_files: tuple[Path, ...]

    @classmethod
    def of(cls, settings: Settings) -> Place:
        """Return the place of some settings.

        Raises:
            BadInputError: The store is of a kind that keeps nothing, or its URL is wrong.
        """
        folder = settings.data_dir
        store = settings.store or f"sqlite:///{folder.absolute() / 'readings.sqlite'}"
        kind = urlsplit(store).scheme
        if kind not in ("sqlite", "influxdb", "influxdbs"):
            raise BadInputError(f"--store {kind}: keeps nothing that could be saved; name SQLite or InfluxDB")
        journal = settings.journal or f"sqlite:///{folder.absolute() / 'journal.sqlite'}"
        token = settings.influxdb_token.get_secret_value() if settings.influxdb_token else None
        own = (Path(CONFIG_FILE), *settings.plant, *([settings.notices] if settings.notices else []))
        return cls(
            folder,
            sqlite_path(store) if kind == "sqlite" else None,
            None if kind == "sqlite" else store,
            token,
            journal,
            sqlite_path(journal) if journal.startswith("sqlite:") else None,
            settings.spool or folder / "spool",
            tuple(file for file in own if file.is_file()),
        )

    def open_influx(self) -> InfluxReadings:
        """Open the store in InfluxDB.

        Raises:
            BadInputError: It is none, or refuses the token.
        """
        store = open_store(self.influx or "", self.influx_token)
        assert isinstance(store, InfluxReadings)
        return store
