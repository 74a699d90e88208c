"""Every way into an app, enumerated from the app itself, and what it answers first."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Message

VALUES = {"station": "jinma", "date": "2026-11-23", "area": "storage", "unit": "bank-HB", "signal": "PT-330A"}
"""What fills a path; anything else is the id of an alarm, which fits nearly everywhere."""


@dataclass(frozen=True)
class Door:
    """One way in: `method` is `SOCKET` for a web socket; `role` is what the route declares, None where nothing."""

    method: str
    path: str
    role: str | None
    endpoint: str

    @property
    def filled(self) -> str:
        """The path with its places filled."""
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: VALUES.get(found[1], "PT-330A.HH"), self.path)


def doors(app: FastAPI, mounted: Mapping[str, list[tuple[str, str]]]) -> list[Door]:
    """Return every way into an app and the apps mounted on it.

    Args:
        app: The whole app.
        mounted: Ways (method, path below it) into what is mounted at a path and is no app of routes.

    Raises:
        TypeError: A route of a kind that is not known here, which would escape.
    """
    return list(_doors(app.routes, "", mounted))


def _doors(routes: Any, before: str, mounted: Mapping[str, list[tuple[str, str]]]) -> Iterator[Door]:
    for context in iter_route_contexts(routes):
        path, original = before + (context.path or ""), context.original_route
        extra = getattr(context, "openapi_extra", None) or {}
        if isinstance(original, Mount):
            if original.routes:
                yield from _doors(original.routes, path, mounted)
            else:
                yield from (Door(method, path + below, None, "") for method, below in mounted[path])
        elif isinstance(original, WebSocketRoute):
            yield Door("SOCKET", path, extra.get("x-required-role"), context.name)
        elif isinstance(original, Route):
            for method in sorted(set(context.methods or ()) - {"HEAD"}):
                yield Door(method, path, extra.get("x-required-role"), context.name)
        else:
            raise TypeError(f"{path}: a {type(original).__name__}")


async def first_answer(
    app: ASGIApp, door: Door, headers: dict[str, str], address: str = "10.0.0.9"
) -> tuple[int, bytes]:
    """Return (status, body) of a request through a door; of a socket 101 or 403.

    A stream is left as soon as it has begun.
    """
    socket = door.method == "SOCKET"
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"} if socket else {}
    path, _, query = door.filled.partition("?")
    scope = {
        "type": "websocket" if socket else "http",
        **({"subprotocols": []} if socket else {"method": door.method}),
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", b"station"), *((k.lower().encode(), v.encode()) for k, v in (headers | upgrade).items())],
        "client": (address, 40000),
        "server": ("station", 80),
        "scheme": "ws" if socket else "http",
        "http_version": "1.1",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "state": {},
    }
    told: list[Message] = [{"type": "websocket.connect"} if socket else {"type": "http.request", "body": b""}]
    said: list[Message] = []
    enough = asyncio.Event()

    async def receive() -> Message:
        if not told:
            await asyncio.Event().wait()
        return told.pop()

    async def send(message: Message) -> None:
        said.append(message)
        if socket or (len(said) > 1 and b"text/event-stream" in dict(said[0]["headers"]).get(b"content-type", b"")):
            enough.set()

    serving = asyncio.ensure_future(app(scope, receive, send))
    waiting = asyncio.ensure_future(enough.wait())
    await asyncio.wait({serving, waiting}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    for task in (serving, waiting):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    if socket:
        return (101 if said[0]["type"] == "websocket.accept" else 403), b""
    return said[0]["status"], b"".join(message.get("body", b"") for message in said[1:])
