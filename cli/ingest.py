"""`jinma ingest`: MQTT to the store, as a process of its own."""

from __future__ import annotations

from pathlib import Path

import structlog
import typer

from cli.failures import fail
from cli.ingest_side import build_ingest
from cli.stations import read_plants
from cli.stopping import stop_on_signals
from cli.stores import store_of
from ingest.service import IngestFigures
from station.errors import BadInputError, JinmaError
from station.settings import Settings

_log = structlog.get_logger(__name__)


def run_ingest(settings: Settings) -> None:
    """Take messages until asked to end.

    Raises:
        JinmaError: It could not begin, or had to end.
        typer.Exit: Asked to end by a signal.
    """
    if settings.broker is None or settings.store is None:
        raise BadInputError("--broker and --store: an ingest needs both")
    if settings.shared_group is not None:
        raise BadInputError("--shared-group: not in this version; run one ingest per broker")
    spool = settings.spool or Path(settings.data_dir) / "spool"
    failed: list[JinmaError] = []
    with stop_on_signals() as stop:

        def give_up(error: JinmaError) -> None:
            failed.append(error)
            stop.ask(1)

        store = store_of(settings, None)
        try:
            side = build_ingest(
                settings,
                read_plants(settings.plant),
                settings.broker,
                store,
                spool,
                follows_station=settings.clock == "station",
                on_failure=give_up,
            )
            side.start()
            _log.info("ingest takes messages", spool=str(spool))
            stop.wait()
            side.stop()
            _log.info("ingest ended", **_counts(side.service.figures()))
        finally:
            store.close()
    if failed:
        fail(str(failed[0]))
    raise typer.Exit(stop.exit_code)


def _counts(figures: IngestFigures) -> dict[str, object]:
    return {name: getattr(figures, name) for name in ("received", "committed", "delivered", "duplicates", "missing")}
