"""SIGINT and SIGTERM end every command in good order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest(threading.Event):
    """Set when the process is asked to end.

    Attributes:
        exit_code: 130 after Ctrl-C, else 0: SIGTERM is how a service manager says good-bye.
    """

    exit_code = 0


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Give an event that SIGINT and SIGTERM set; the handlers before are put back afterwards."""
    request = StopRequest()

    def ask(number: int, _frame: FrameType | None) -> None:
        request.exit_code = 130 if number == signal.SIGINT else 0
        request.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
