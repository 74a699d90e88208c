"""Who did what, and who was not let do it: one row for each act and each refusal, written beside the answer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.people.session_book import Session
from api.people.sessions import ACT_KEY, NAME_KEY, SAFE_METHODS, SESSION_KEY, address_of
from station.ports import AuditRow

if TYPE_CHECKING:
    from api.services import ApiServices

_REFUSED: Final = frozenset({401, 403, 429})
_LONGEST: Final = 200
_CLOSED: Final = 403
"""What a server answers where a socket is refused before it opened."""
_FAILED: Final = 500
_MOST_REFUSALS: Final = 60
_MINUTE_MS: Final = 60_000
_MOST_ADDRESSES: Final = 10_000


class AuditNotes:
    """Notes acts and refusals, whatever path they took.

    Args:
        app: What comes after.
        services: Of this app; take the rows.
    """

    def __init__(self, app: ASGIApp, services: ApiServices) -> None:
        self._app, self._services = app, services
        self._refusals = _RefusalCount()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        answered = False

        async def noted(message: Message) -> None:
            """Pass the answer on, and note what began it."""
            nonlocal answered
            if not answered:
                answered = True
                self._note(scope, _status_of(message))
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            if not answered and scope["type"] == "http":  # It broke; who sees to that stands outside of this.
                self._note(scope, _FAILED)

    def _note(self, scope: Scope, status: int) -> None:
        refused, act = status in _REFUSED, scope.get(ACT_KEY, "")
        method = scope.get("method", "SOCKET")
        if not refused and not act and (method in SAFE_METHODS or method == "SOCKET"):
            return
        now_ms, address = self._services.wall_ms(), address_of(HTTPConnection(scope))
        left_out = self._refusals.admit(address, now_ms) if refused else 0
        if left_out is None:
            return
        session: Session | None = scope.get(SESSION_KEY)
        who = session.name if session is not None else scope.get(NAME_KEY, "")
        more = f"and {left_out} more refusals in the minute before" if left_out else ""
        self._services.note_act(
            AuditRow(
                at_ms=now_ms,
                who=who[:_LONGEST],
                role="" if session is None else session.role.label,
                address=address,
                action=f"{method} {scope['path']}"[:_LONGEST],
                status=status,
                detail="; ".join(filter(None, (act, more))),
            )
        )


class _RefusalCount:
    """Keeps a flood of refusals from filling the disk: beyond 60 a minute from one address they are only counted."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def admit(self, address: str, now_ms: int) -> int | None:
        """Return how many were left out before, None where this one is left out too."""
        began_ms, count = self._seen.pop(address, (now_ms, 0))
        left_out = 0
        if now_ms - began_ms >= _MINUTE_MS:
            left_out, began_ms, count = max(0, count - _MOST_REFUSALS), now_ms, 0
        self._seen[address] = (began_ms, count + 1)
        if len(self._seen) > _MOST_ADDRESSES:
            self._seen.popitem(last=False)
        return left_out if count < _MOST_REFUSALS else None


def _status_of(message: Message) -> int:
    """Return the status that an answer's first message comes to; an opened socket is 101."""
    if message["type"] == "http.response.start":
        status: int = message["status"]
        return status
    return 101 if message["type"] == "websocket.accept" else _CLOSED


class MemoryAudit:
    """An audit trail in memory: for tests, and for a service without a journal."""

    def __init__(self) -> None:
        self._rows: list[AuditRow] = []

    def append(self, rows: Sequence[AuditRow]) -> None:
        """Keep rows."""
        self._rows.extend(rows)

    def range(
        self, start_ms: int, end_ms: int, who: str | None = None, limit: int = 1000, before: int | None = None
    ) -> list[tuple[int, AuditRow]]:
        """Return rows, newest first."""
        numbered = list(enumerate(self._rows, start=1))[::-1]
        found = [
            (number, row)
            for number, row in numbered
            if start_ms <= row.at_ms < end_ms and who in (None, row.who) and (before is None or number < before)
        ]
        return found[:limit]
