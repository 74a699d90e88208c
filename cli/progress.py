"""A progress bar on a terminal, for what takes longer than 2 s; nothing elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

_QUIET_S: Final = 2.0


@contextmanager
def progress(label: str, total: float | None) -> Iterator[Callable[[float], None]]:
    """Give a function that is told how far the work is.

    Args:
        label: What is going on.
        total: What "done" is, in the unit of what is told; None where unknown.
    """
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    began = time.monotonic()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(label, total=total)
    shown = False

    def tell(done: float) -> None:
        nonlocal shown
        if not shown and time.monotonic() - began > _QUIET_S:
            bar.start()
            shown = True
        bar.update(task, completed=done)

    try:
        yield tell
    finally:
        if shown:
            bar.stop()
