"""Process logs: to stderr, for a human on a terminal, else as JSON lines. Secrets never stand in them."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

_A_MINUTE, _MINUTE_S, _KINDS_KEPT = 10, 60.0, 1000
_TOLD = ("debug", "info")
_SECRET_NAMES = ("token", "password", "secret", "authorization")


def _hide_secrets(_logger: Any, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    for name in event:
        if any(part in name.lower() for part in _SECRET_NAMES):
            event[name] = "***"
    return event


class Seldom:
    """Lets a warning or an error through ten times a minute; the first one after that says how many were left out.

    What is only told (a fault that was started, a user that was made) is never left out. An outage or a device that
    sends rubbish at full speed then costs lines by the minute, not by the message.

    Args:
        monotonic: Seconds that never go back.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._seen: dict[tuple[str, str], _Seen] = {}

    def __call__(self, logger: Any, method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
        """Return the event, or drop it (a processor of structlog)."""
        if method in _TOLD:
            return event
        now = self._monotonic()
        key = (getattr(logger, "name", ""), str(event.get("event")))
        if len(self._seen) >= _KINDS_KEPT:
            self._seen.clear()
        seen = self._seen.setdefault(key, _Seen(now))
        if now - seen.since >= _MINUTE_S:
            if seen.left_out:
                event["left_out"] = seen.left_out
            seen = self._seen[key] = _Seen(now)
        seen.count += 1
        if seen.count > _A_MINUTE:
            seen.left_out += 1
            raise structlog.DropEvent
        return event


@dataclass(slots=True)
class _Seen:
    since: float
    count: int = 0
    left_out: int = 0


def configure(level: str) -> None:
    """Send structlog and the standard library's logging the same way.

    Args:
        level: `debug`, `info`, `warning` or `error`.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hide_secrets,
    ]
    structlog.configure(
        processors=[Seldom(), *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=True,
    )
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(number)
    # Some of them would tell addresses with keys in them.
    for chatty in ("asyncio", "urllib3", "httpx", "httpcore", "apprise", "uvicorn.access", "alembic", "fontTools"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
