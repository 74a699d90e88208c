"""`jinma ingest`: MQTT to the store, as a process of its own."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Final
from wsgiref.simple_server import WSGIServer

import structlog
import typer
from prometheus_client import CollectorRegistry, start_http_server

from api.ingest_metrics import IngestCollector
from cli.failures import fail
from cli.ingest_side import IngestSide, build_ingest
from cli.stations import read_plants
from cli.stopping import stop_on_signals
from cli.stores import store_of
from ingest.service import IngestFigures
from station.errors import BadInputError, JinmaError
from station.settings import Settings

_log = structlog.get_logger(__name__)

_ALLOCATIONS_A_SEARCH: Final = 50_000
"""Python's own 700 are reached with every tenth part of a piece of messages, all of which are still needed."""


def run_ingest(settings: Settings) -> None:
    """Take messages until asked to end.

    Raises:
        JinmaError: It could not begin, or had to end.
        typer.Exit: Asked to end by a signal.
    """
    if settings.broker is None or settings.store is None:
        raise BadInputError("--broker and --store: an ingest needs both")
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
            _collect_garbage_rarely()
            side.start()
            serving = _serve_metrics(settings, side) if settings.metrics_port else None
            _log.info("ingest takes messages", spool=str(spool))
            stop.wait()
            side.stop()
            if serving is not None:
                serving.shutdown()
            _log.info("ingest ended", **_counts(side.service.figures()))
        finally:
            store.close()
    if failed:
        fail(str(failed[0]))
    raise typer.Exit(stop.exit_code)


def _collect_garbage_rarely() -> None:
    """Messages are no garbage of the kind that is searched for: a tenth of all processor time went into the search."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_A_SEARCH, 20, 20)


def _serve_metrics(settings: Settings, side: IngestSide) -> WSGIServer:
    registry = CollectorRegistry()
    registry.register(IngestCollector(side.service.figures))
    try:
        server, _ = start_http_server(settings.metrics_port, settings.host, registry)
    except OSError as error:
        side.stop()
        raise BadInputError(f"metrics_port {settings.metrics_port}: {error.strerror}; take another") from error
    return server


def _counts(figures: IngestFigures) -> dict[str, object]:
    return {name: getattr(figures, name) for name in ("received", "committed", "delivered", "duplicates", "missing")}
