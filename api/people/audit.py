"""Who did what, and who was not let do it: one row for each act and each refusal, written beside the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.people.session_book import Session
from api.people.sessions import NAME_KEY, SESSION_KEY, address_of
from station.ports import AuditRow

if TYPE_CHECKING:
    from api.services import ApiServices

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSED: Final = frozenset({401, 403, 429})
_LONGEST: Final = 200


class AuditNotes:
    """Notes acts and refusals under `/api/`.

    Args:
        app: What comes after.
        services: Of this app; take the rows.
    """

    def __init__(self, app: ASGIApp, services: ApiServices) -> None:
        self._app, self._services = app, services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return

        async def noted(message: Message) -> None:
            """Pass the answer on, and note what began it."""
            if message["type"] == "http.response.start":
                self._note(scope, message["status"])
            await send(message)

        await self._app(scope, receive, noted)

    def _note(self, scope: Scope, status: int) -> None:
        if scope["method"] in _SAFE and status not in _REFUSED:
            return
        session: Session | None = scope.get(SESSION_KEY)
        tried = scope.get(NAME_KEY, "")
        who = session.name if session is not None else tried
        self._services.note_act(
            AuditRow(
                at_ms=self._services.wall_ms(),
                who=who[:_LONGEST],
                role="" if session is None else session.role.label,
                address=address_of(HTTPConnection(scope)),
                action=f"{scope['method']} {scope['path']}"[:_LONGEST],
                status=status,
                detail="login" if tried else "",
            )
        )


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
