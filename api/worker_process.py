"""How a process that works for the service begins, and that it ends with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading


def begin_worker() -> None:
    """Begin: Ctrl-C is for the service, which ends its workers itself; one that died of it would be restarted."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_service, name="service-watch", daemon=True).start()


def _end_with_service() -> None:
    """End this worker when its service is gone: one that was killed could not end it."""
    service = multiprocessing.parent_process()
    assert service is not None
    service.join()
    os._exit(1)
