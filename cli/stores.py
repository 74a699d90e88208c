"""Which reading store and which journal a command works with."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from cli.data_directory import DataDirectory
from station.adapters.store_urls import open_store, sqlite_path
from station.domain.plant import Plant
from station.domain.signals import Kind
from station.errors import BadInputError
from station.ports import ReadingStore
from station.settings import Settings


def store_of(settings: Settings, embedded: DataDirectory | None) -> ReadingStore:
    """Open the reading store that the settings name.

    Args:
        settings: `store`, else InfluxDB by its own variables.
        embedded: The data directory of a service that keeps its readings itself unless `store` says otherwise;
            InfluxDB's variables, which may be there for another program, do not.

    Raises:
        BadInputError: None is named, or it cannot be.
    """
    return open_store(*store_address(settings, embedded))


def store_address(settings: Settings, embedded: DataDirectory | None) -> tuple[str, str | None]:
    """Return the URL and the token of that store; see `store_of`."""
    return service_store_url(settings, embedded), _token(settings)


def _token(settings: Settings) -> str | None:
    return settings.influxdb_token.get_secret_value() if settings.influxdb_token else None


def service_store_url(settings: Settings, embedded: DataDirectory | None) -> str:
    """Return the URL of the store that `store_of` opens.

    Raises:
        BadInputError: None is named.
    """
    url = settings.store or (embedded.readings_url if embedded is not None else _influx_url(settings))
    if url is None:
        raise BadInputError("--store: name one, sqlite:///PATH or influxdb://host:8086/ORG/BUCKET")
    return url


def store_url(settings: Settings, *, must_exist: bool = True) -> str:
    """Return the URL of the store that a command beside a service reads: the one named, else the data directory's.

    Args:
        settings: `store`, InfluxDB's own variables, `data_dir`.
        must_exist: Refuse a file that is not there; opening it would make an empty store.

    Raises:
        BadInputError: None is named, and the data directory has none; the file named is not there.
    """
    if settings.store is not None or settings.influxdb_url is not None:
        url = service_store_url(settings, None)
        if must_exist and url.startswith("sqlite:") and not sqlite_path(url).exists():
            raise BadInputError(f"--store {url!r}: there is no {sqlite_path(url)}")
        return url
    file = settings.data_dir / "readings.sqlite"
    if must_exist and not file.exists():
        raise BadInputError(f"--store: none named, and {settings.data_dir} holds no readings")
    return f"sqlite:///{file}"


def states_of(plants: Sequence[Plant]) -> list[str]:
    """Return the signals of which minutes hold last and count only, sorted."""
    return sorted({tag for plant in plants for tag, signal in plant.signals.items() if signal.kind is Kind.STATE})


def log_store(settings: Settings, *, must_exist: bool) -> ReadingStore:
    """Open the store that logs go out of and into; arguments and errors as of `store_url`."""
    return open_store(store_url(settings, must_exist=must_exist), _token(settings))


def _influx_url(settings: Settings) -> str | None:
    """Return a store of InfluxDB's own variables, where they name one and a bucket goes without saying."""
    if settings.influxdb_url is None or settings.influxdb_org is None:
        return None
    parts = urlsplit(settings.influxdb_url)
    scheme = "influxdbs" if parts.scheme == "https" else "influxdb"
    return f"{scheme}://{parts.netloc}/{settings.influxdb_org}/{DEFAULT_BUCKET}"


DEFAULT_BUCKET = "h2"
