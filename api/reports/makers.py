"""Where reports are made and drawn: in the calling thread for tests and commands, else in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from typing import Final, Protocol, TypeVar

from api.reports.drawing import DrawOrder, draw_report
from api.reports.gathering import Sources
from api.reports.making import ReportOrder, make_report
from api.reports.shelf import decoded, encoded
from api.worker_process import begin_worker, end_pool
from station.domain.report.daily_report import DailyReport
from station.errors import TransientError

T = TypeVar("T")
OpenSources = Callable[[], AbstractContextManager[Sources]]
"""Opens store and journal where the work is done; travels to another process, so it holds addresses and no more."""

_NICENESS: Final = 10
"""A report can wait; alarms of the same machine cannot."""
_LONGEST_S: Final = 120.0
_QUEUE_S: Final = 60.0
_IDLE_S: Final = 300.0
"""The process holds 200 MB: it ends when nobody has asked for so long."""


class ReportWorkerError(TransientError):
    """The process that makes reports is busy, or has died; the next try may go well."""


class ReportMaker(Protocol):
    """Makes and draws reports."""

    def make(self, order: ReportOrder) -> DailyReport:
        """Return a report; see `make_report`."""
        ...

    def draw(self, order: DrawOrder) -> bytes:
        """Return a report as a file; see `draw_report`."""
        ...

    def rest(self) -> None:
        """Let go of what is not needed just now."""
        ...

    def close(self) -> None:
        """Release everything; idempotent."""
        ...


class InlineMaker:
    """Works in the calling thread.

    Args:
        sources: Where the data are; open.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def make(self, order: ReportOrder) -> DailyReport:
        """Return a report."""
        return make_report(self._sources, order)

    def draw(self, order: DrawOrder) -> bytes:
        """Return a report as a file."""
        return draw_report(order)

    def rest(self) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """Nothing is held."""


class WorkerMaker:
    """Works in one process of its own, one thing after the other; it begins when asked and ends when idle.

    Args:
        open_sources: Opens store and journal there.
    """

    def __init__(self, open_sources: OpenSources) -> None:
        self._open_sources = open_sources
        self._turn = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._used_s = 0.0
        self._closed = False

    def make(self, order: ReportOrder) -> DailyReport:
        """Return a report.

        Raises:
            StoreUnavailableError, JournalUnavailableError: What it is made of is away.
            ReportWorkerError: The process is busy or has died.
        """
        return decoded(self._asked(_make, self._open_sources, order))

    def draw(self, order: DrawOrder) -> bytes:
        """Return a report as a file.

        Raises:
            ReportWorkerError: The process is busy or has died.
        """
        return self._asked(draw_report, order)

    def _asked(self, work: Callable[..., T], *parts: object) -> T:
        if not self._turn.acquire(timeout=_QUEUE_S):
            raise ReportWorkerError("other reports are being made: ask again in a minute")
        try:
            if self._closed:
                raise ReportWorkerError("the service is ending")
            if self._pool is None:
                context = multiprocessing.get_context("spawn")
                self._pool = ProcessPoolExecutor(1, context, initializer=_begin)
            return self._pool.submit(work, *parts).result(_LONGEST_S)
        except BrokenProcessPool as error:
            self._end()
            raise ReportWorkerError("the process that makes reports has died: ask again") from error
        except TimeoutError as error:
            self._end()
            raise ReportWorkerError(f"a report took longer than {_LONGEST_S:g} s and was given up") from error
        finally:
            self._used_s = time.monotonic()
            self._turn.release()

    def rest(self) -> None:
        """End the process where nobody has asked for a while."""
        if self._pool is not None and time.monotonic() - self._used_s > _IDLE_S and self._turn.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._turn.release()

    def close(self) -> None:
        """End the process at once; what is under way is dropped; idempotent."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            end_pool(pool)


def _begin() -> None:
    os.nice(_NICENESS)
    begin_worker()


def _make(open_sources: OpenSources, order: ReportOrder) -> bytes:
    with open_sources() as sources:
        return encoded(make_report(sources, order))
