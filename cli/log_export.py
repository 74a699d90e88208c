"""`jinma export`: readings out of the store as a log."""

from __future__ import annotations

from pathlib import Path

import typer

from cli import durations
from cli.progress import progress
from cli.results import tell_result
from cli.stopping import stop_on_signals
from cli.stores import log_store
from cli.version import VERSION
from station.adapters.log_export import Layout, export_log
from station.errors import BadInputError
from station.ports import ReadingStore
from station.settings import load_settings


def export_range(
    *,
    store: str | None,
    data_dir: Path | None,
    start: str,
    end: str,
    output: Path,
    station: str | None,
    layout: str,
    as_json: bool,
) -> None:
    """Write what a store holds of a time range.

    Raises:
        BadInputError: The range, the store or the station is wrong.
        StoreUnavailableError: The store failed.
        typer.Exit: Asked to end by a signal; the file is as it was before.
    """
    settings = load_settings(store=store, data_dir=data_dir)
    start_ms, end_ms = durations.moment_ms(start, "--from"), durations.moment_ms(end, "--to")
    form = _layout(layout)
    readings = log_store(settings, must_exist=True)
    try:
        name = station or _only_station(readings)
        with stop_on_signals() as stop, progress(f"exporting {name}", (end_ms - start_ms) / 1000) as tell:

            def reached(_count: int, t_ms: int) -> None:
                if stop.is_set():
                    raise typer.Exit(stop.exit_code)
                tell((t_ms - start_ms) / 1000)

            count = export_log(readings, name, start_ms, end_ms, output, reached, version=VERSION, layout=form)
    finally:
        readings.close()
    tell_result({"station": name, "messages": count, "output": str(output)}, as_json=as_json)


def _layout(text: str) -> Layout:
    if text == "long":
        return "long"
    if text == "wide":
        return "wide"
    raise BadInputError(f"--layout {text!r}: must be long or wide")


def _only_station(store: ReadingStore) -> str:
    stations = [name for name in store.stations() if "~" not in name]
    if len(stations) != 1:
        raise BadInputError(f"--station: name one of {', '.join(stations) or 'none: the store is empty'}")
    return stations[0]
