"""`jinma serve`: API, alarm engine, forecast and console beside a broker and a store."""

from __future__ import annotations

import sys

import structlog

from cli.api_side import ApiSide, Kept, Upkeep, build_api
from cli.data_directory import DataDirectory
from cli.http_server import HttpServer, listening_socket
from cli.live_session import LiveSession
from cli.replay_side import replay_desk
from cli.report_side import ReportUpkeep
from cli.stations import live_policy_of, read_plants
from cli.stopping import StopRequest, stop_on_signals
from cli.stores import store_of
from station.errors import BadInputError
from station.settings import Settings

_log = structlog.get_logger(__name__)


def run_serve(settings: Settings) -> int:
    """Serve until asked to end; return the exit code.

    Raises:
        JinmaError: It could not begin.
    """
    if settings.broker is None:
        raise BadInputError("--broker: name the broker that the sensors publish to")
    plants = read_plants(settings.plant)
    listener = listening_socket(settings.host, settings.port)
    directory = DataDirectory(settings.data_dir)
    try:
        with stop_on_signals() as stop:
            store = store_of(settings, None)
            kept = open_kept(settings, directory)
            side = build_api(
                plants,
                settings.broker,
                store,
                kept,
                follows_station=settings.clock == "station",
                upkeep=Upkeep.of(
                    settings,
                    ReportUpkeep.of(settings, directory, embedded=False),
                    replays=replay_desk(settings, None, kept.journal, kept.learned),
                ),
                policy=live_policy_of(settings),
                # A simulator at another speed tells its time by a retained word, which comes after what was kept.
                session=None if settings.clock == "station" else LiveSession(directory.live_session),
            )
            port = listener.getsockname()[1]
            directory.write_ports(http=port, broker=settings.broker.rpartition("@")[2].removeprefix("mqtt://"))
            tell_admin(kept)
            server = HttpServer(side.app, lambda: _log.info("serving", address=f"http://{settings.host}:{port}"))
            end_with(stop, server, side)
            try:
                side.start()
                server.run(sockets=[listener])
            finally:
                side.stop()
                store.close()
                kept.database.close()
            return stop.exit_code
    finally:
        listener.close()
        directory.close()


def open_kept(settings: Settings, directory: DataDirectory) -> Kept:
    """Open the journal database that the settings name, else the one of the data directory."""
    bootstrap = settings.bootstrap_token.get_secret_value() if settings.bootstrap_token else None
    hook = settings.hook_token.get_secret_value() if settings.hook_token else None
    return Kept.open(settings.journal or directory.journal_url, directory.path, bootstrap, hook)


def tell_admin(kept: Kept) -> None:
    """Print a new admin token, this once, on stderr."""
    if kept.admin is not None and kept.admin.made:
        print(f"admin token (kept in {kept.admin.path}): {kept.admin.token}", file=sys.stderr)


def end_with(stop: StopRequest, server: HttpServer, side: ApiSide) -> None:
    """Let a request to end close the streams, which an answer would wait for, the server, and meanwhile the replays."""
    stop.tell(side.services.close_streams)
    stop.tell(server.ask_to_end)
    if side.services.replays is not None:
        stop.tell(side.services.replays.close)
