"""Starting what plays a replay, and ending it."""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

from api.replay.orders import ReplayPlan
from api.replay.worker import run_process, serve

_END_S: Final = 0.4
"""A replay that hears of its end is gone within a slice; one that does not is ended by force."""


@dataclass(frozen=True)
class Launched:
    """What plays: our end of the connection, and what makes sure that it has ended once it was told to."""

    connection: Connection
    end: Callable[[], None]


Launch = Callable[[ReplayPlan], Launched]


def launch_process(plan: ReplayPlan) -> Launched:
    """Start a process that plays."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run_process, args=(theirs, plan), name=f"replay-{plan.name}")
    process.start()
    theirs.close()

    def end() -> None:
        for how in (None, process.terminate, process.kill):
            if how is not None:
                how()
            process.join(_END_S)
            if not process.is_alive():
                break
        with contextlib.suppress(ValueError):  # it lives still: the system has it by now
            process.close()

    return Launched(ours, end)


def launch_thread(plan: ReplayPlan) -> Launched:
    """Start a thread that plays, for tests: it sees what is in this process."""
    ours, theirs = multiprocessing.Pipe()
    thread = threading.Thread(target=serve, args=(theirs, plan), name=f"replay-{plan.name}", daemon=True)
    thread.start()
    return Launched(ours, lambda: thread.join(_END_S))
