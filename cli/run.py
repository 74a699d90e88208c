"""`jinma run`: the whole service in one process."""

from __future__ import annotations

import os
import sys
import time
import webbrowser
from collections.abc import Callable
from contextlib import ExitStack
from socket import socket
from typing import Final

import structlog

from cli.api_side import ApiSide, Kept, Upkeep, build_api
from cli.data_directory import DataDirectory
from cli.failures import fail
from cli.http_server import HttpServer, listening_socket
from cli.ingest_side import IngestSide, build_ingest
from cli.replay_side import replay_desk
from cli.report_side import ReportUpkeep
from cli.serve import end_with, open_kept, tell_admin
from cli.simulation import Simulation, SimulationPlan
from cli.simulator_side import scenario_named
from cli.stations import live_policy_of, read_plants
from cli.stopping import StopRequest, stop_on_signals
from cli.stores import store_of
from station.adapters.embedded_broker import EmbeddedBroker
from station.domain.plant import Plant
from station.errors import BadInputError, JinmaError
from station.ports import ReadingStore
from station.settings import Settings

_log = structlog.get_logger(__name__)

_SIMULATOR_END_S: Final = 1.6
_TAKE_ALL_S: Final = 0.6
"""The ingest may take this long for what the embedded broker, which forgets, still has for it."""


def run_everything(settings: Settings, *, simulator: bool, browser: bool) -> int:
    """Run until asked to end; return the exit code.

    Raises:
        JinmaError: It could not begin.
    """
    plants = read_plants(settings.plant)
    scenario = scenario_named(settings.scenario, plants[0] if simulator else None)
    if simulator and len(plants) != 1:
        raise BadInputError("--plant: the simulator plays one station; add --no-simulator")
    failures: list[JinmaError] = []
    with stop_on_signals() as stop, ExitStack() as closing:

        def give_up(error: JinmaError) -> None:
            failures.append(error)
            stop.ask(1)

        listener = listening_socket(settings.host, settings.port)
        closing.callback(listener.close)
        directory = DataDirectory(settings.data_dir)
        closing.callback(directory.close)
        store = store_of(settings, directory)
        closing.callback(store.close)
        kept = open_kept(settings, directory)
        closing.callback(kept.database.close)
        run = _Run(settings, plants, directory, store, kept, stop, give_up)
        closing.callback(run.stop)
        run.build()
        if simulator:
            state = directory.simulator_state(plants[0].id)
            plan = SimulationPlan(plants[0], scenario, settings.seed, settings.speed, state, directory.outbox, store)
            run.simulation = Simulation(plan, run.broker, run.api.start, give_up)
        run.serve(listener, browser=browser)
    if failures:
        fail(str(failures[0]))
    return stop.exit_code


class _Run:
    """The parts of one run, and the order of their start and end."""

    broker: str
    api: ApiSide

    def __init__(
        self,
        settings: Settings,
        plants: list[Plant],
        directory: DataDirectory,
        store: ReadingStore,
        kept: Kept,
        stop: StopRequest,
        give_up: Callable[[JinmaError], None],
    ) -> None:
        self._settings = settings
        self._plants = plants
        self._directory = directory
        self._store = store
        self._stop = stop
        self._give_up = give_up
        self._kept = kept
        self._embedded: EmbeddedBroker | None = None
        self._ingest: IngestSide | None = None
        self.simulation: Simulation | None = None

    def build(self) -> None:
        """Start broker and ingest, and put the API together."""
        settings = self._settings
        if settings.broker is None:
            self._embedded = EmbeddedBroker()
            self._embedded.start()
            self.broker = self._embedded.url
        else:
            self.broker = settings.broker
        self._ingest = build_ingest(
            settings,
            self._plants,
            self.broker,
            self._store,
            settings.spool or self._directory.spool,
            follows_station=True,
            on_failure=self._give_up,
        )
        self._ingest.start()
        replays = replay_desk(settings, self._directory, self._kept.journal, self._kept.learned)
        self.api = build_api(
            self._plants,
            self.broker,
            self._store,
            self._kept,
            follows_station=True,
            upkeep=Upkeep.of(
                settings,
                ReportUpkeep.of(settings, self._directory, embedded=True),
                self._ingest.service.figures,
                replays,
            ),
            policy=live_policy_of(settings),
        )

    def serve(self, listener: socket, *, browser: bool) -> None:
        """Serve until asked to end."""
        port = listener.getsockname()[1]
        shown_broker = self.broker.rpartition("@")[2].removeprefix("mqtt://")
        self._directory.write_ports(http=port, broker=shown_broker)
        tell_admin(self._kept)
        server = HttpServer(self.api.app, lambda: self._started(port, browser=browser))
        end_with(self._stop, server, self.api)
        if self.simulation is None:
            self.api.start()
        if not self._stop.is_set():
            server.run(sockets=[listener])

    def _started(self, port: int, *, browser: bool) -> None:
        """Tell where the console is, and let the simulator begin.

        Not sooner: while the app starts, NiceGUI looks for its server among all objects of the process. A tuple that
        another thread is just making out of a generator is then held twice, and Python ends its making with a
        SystemError; numpy makes such tuples when the simulator builds its tables.
        """
        self._greet(port, browser=browser)
        if self.simulation is not None and not self._stop.is_set():
            self._stop.tell(self.simulation.ask_to_end)
            self.simulation.start()

    def stop(self) -> None:
        """End in the order in which messages flow, so that nothing is left between two parts."""
        if self.simulation is not None:
            self.simulation.ask_to_end()
            if not self.simulation.join(_SIMULATOR_END_S):
                _log.warning("the simulator did not end in time; it goes on from its last kept state")
        if self._ingest is not None:
            self._await_ingest(self._ingest)
            self._ingest.stop()
        if hasattr(self, "api"):
            self.api.stop()
        if self._embedded is not None:
            self._embedded.stop()

    def _await_ingest(self, ingest: IngestSide) -> None:
        """Let the ingest take what the simulator published; the embedded broker forgets it with this process."""
        published = self.simulation.published if self.simulation is not None else 0
        until = time.monotonic() + _TAKE_ALL_S
        while ingest.service.figures().committed < published and time.monotonic() < until:
            time.sleep(0.01)

    def _greet(self, port: int, *, browser: bool) -> None:
        code = self._kept.people.issue_login_code()
        url = f"http://127.0.0.1:{port}/console" + (f"?login={code}" if code else "")
        print(f"console: {url}", file=sys.stderr, flush=True)
        if browser and _has_screen():
            webbrowser.open(url)


def _has_screen() -> bool:
    """Without a screen a text browser might take over the terminal."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
