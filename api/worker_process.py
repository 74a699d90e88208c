"""How a process that works for the service begins, and that it ends with it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.process import BaseProcess


def begin_worker() -> None:
    """Begin: Ctrl-C is for the service, which ends its workers itself; one that died of it would be restarted."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_service, name="service-watch", daemon=True).start()


def processes_of(pool: ProcessPoolExecutor | None) -> list[BaseProcess]:
    """Return the processes of a pool, which tells them to nobody."""
    return list((getattr(pool, "_processes", None) or {}).values())


def end_pool(pool: ProcessPoolExecutor) -> None:
    """End a pool and its processes at once; what is under way is dropped."""
    processes = processes_of(pool)
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        with contextlib.suppress(OSError, ValueError):
            process.terminate()
            process.join(1.0)


def _end_with_service() -> None:
    """End this worker when its service is gone: one that was killed could not end it."""
    service = multiprocessing.parent_process()
    assert service is not None
    service.join()
    os._exit(1)
