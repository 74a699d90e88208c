"""SIGINT and SIGTERM end every command in good order."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """The wish that the process end. Whoever has asked to be told is told in a thread of its own.

    A signal handler runs between any two instructions of the main thread, which may hold any lock; so it does nothing
    but put a number into a queue made for that.

    Attributes:
        exit_code: 130 after Ctrl-C, else 0: SIGTERM is how a service manager says good-bye.
    """

    def __init__(self) -> None:
        self.exit_code = 0
        self._asked: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._event = threading.Event()
        self._told: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="stop-request", daemon=True)
        self._thread.start()

    @property
    def event(self) -> threading.Event:
        """Set once the end is asked for."""
        return self._event

    def is_set(self) -> bool:
        """Return whether the end was asked for."""
        return self._event.is_set()

    def wait(self) -> None:
        """Return when the end is asked for."""
        self._event.wait()

    def tell(self, do: Callable[[], None]) -> None:
        """Have `do` called when the end is asked for, at once if it was."""
        with self._lock:
            self._told.append(do)
            already = self._event.is_set()
        if already:
            do()

    def ask(self, exit_code: int = 0) -> None:
        """Ask for the end; from any thread or signal handler."""
        self._asked.put(exit_code)

    def close(self) -> None:
        """End the thread."""
        self._asked.put(None)

    def _watch(self) -> None:
        while (code := self._asked.get()) is not None:
            self.exit_code = self.exit_code or code
            with self._lock:
                self._event.set()
                told, self._told = self._told, []
            for do in told:
                do()


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Give a request that SIGINT and SIGTERM make; the handlers before are put back afterwards."""
    request = StopRequest()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        request.ask(130 if number == signal.SIGINT else 0)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        request.close()
