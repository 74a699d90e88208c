"""SIGINT and SIGTERM end every command in good order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest(threading.Event):
    """Set when the process is asked to end.

    Attributes:
        exit_code: 130 after Ctrl-C, else 0: SIGTERM is how a service manager says good-bye.
    """

    def __init__(self) -> None:
        super().__init__()
        self.exit_code = 0
        self._told: list[Callable[[], None]] = []

    def tell(self, do: Callable[[], None]) -> None:
        """Have `do` called when the end is asked for; it must be quick and safe in a signal handler."""
        self._told.append(do)

    def ask(self, exit_code: int = 0) -> None:
        """Ask for the end."""
        self.exit_code = self.exit_code or exit_code
        self.set()
        for do in self._told:
            do()


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Give an event that SIGINT and SIGTERM set; the handlers before are put back afterwards."""
    request = StopRequest()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        request.ask(130 if number == signal.SIGINT else 0)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
