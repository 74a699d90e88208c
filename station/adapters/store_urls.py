"""From a store URL, as commands and settings carry it, to the store (contract section 1)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from station.adapters.memory import MemoryReadings
from station.adapters.sqlite_readings import SqliteReadings
from station.errors import BadInputError, StoreUnavailableError
from station.ports import ReadingStore

FORMS = "sqlite:///PATH, influxdb://HOST:8086/ORG/BUCKET, influxdbs://HOST:8086/ORG/BUCKET or memory://"
_INFLUX_PORT = 8086


def open_store(url: str, token: str | None = None) -> ReadingStore:
    """Open a reading store.

    An InfluxDB that is away is opened all the same: it is asked again at each use.

    Args:
        url: `sqlite:///relative.db`, `sqlite:////absolute.db`, `influxdb://host:8086/ORG/BUCKET` (plain HTTP),
            `influxdbs://..` (TLS) or `memory://`.
        token: InfluxDB's token, from `INFLUXDB_V2_TOKEN`; it never stands in a URL.

    Raises:
        BadInputError: The URL has none of these forms, or InfluxDB refuses the token, organisation or bucket.
        DataDirectoryError: The SQLite file is newer than this program, or damaged.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadInputError(f"store {url!r}: {error}; use {FORMS}") from error
    if parts.scheme == "memory":
        return MemoryReadings()
    if parts.scheme == "sqlite":
        return SqliteReadings(sqlite_path(url))
    if parts.scheme in ("influxdb", "influxdbs"):
        return _open_influx(url, parts.scheme, parts.hostname, port or _INFLUX_PORT, parts.path, token)
    raise BadInputError(f"store {url!r}: unknown kind {parts.scheme or 'none'!r}; use {FORMS}")


def sqlite_path(url: str) -> Path:
    """Return the file of a `sqlite:///PATH` URL; a third slash more makes the path absolute.

    Raises:
        BadInputError: It names no file.
    """
    parts = urlsplit(url)
    path = unquote(parts.path).removeprefix("/")
    if parts.netloc or not path:
        raise BadInputError(f"store {url!r}: needs three slashes and a path, as in sqlite:///data/readings.db")
    return Path(path)


def _open_influx(url: str, scheme: str, host: str | None, port: int, path: str, token: str | None) -> ReadingStore:
    names = [unquote(part) for part in path.strip("/").split("/")]
    if not host or len(names) != 2 or not all(names):
        raise BadInputError(f"store {url!r}: needs host, organisation and bucket, as in {FORMS.split(', ')[1]}")
    if not token:
        raise BadInputError(f"store {url!r}: needs a token: set INFLUXDB_V2_TOKEN")
    from station.adapters.influx_readings import InfluxReadings  # noqa: PLC0415 - a second, where it is the store alone

    web = "https" if scheme == "influxdbs" else "http"
    shown_host = f"[{host}]" if ":" in host else host
    store = InfluxReadings(f"{web}://{shown_host}:{port}", token, names[0], names[1])
    try:
        store.prepare()
    except StoreUnavailableError:
        pass  # it may come up later; each use asks again and says so
    except BadInputError:
        store.close()
        raise
    return store
