"""Sending what is kept: each target by a thread of its own, tried again until it arrives or is given up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from station.errors import NoticeFailedError
from station.ports import NoticeBook, NoticeRow, NoticeSender, NoticeTry

SENT, GIVEN_UP, WAITING = "sent", "given-up", "waiting"
_FIRST_PAUSE_MS: Final = 2_000
_LONGEST_PAUSE_MS: Final = 300_000
_TROUBLE_FROM: Final = 3
"""So many failures in a row are an alarm; one or two are the internet."""
_log = structlog.get_logger(__name__)


@dataclass
class Delivery:
    """Sends one target's notices, oldest first.

    Attributes:
        name: Of the target.
        sender: Hands them over.
        book: Where they are kept.
        wall_ms: Wall time, epoch ms.
        sent, failed: Tries so far.
        failing: Failures in a row.
    """

    name: str
    sender: NoticeSender
    book: NoticeBook
    wall_ms: Callable[[], int]
    sent: int = 0
    failed: int = 0
    failing: int = 0
    _unknown: set[int] = field(default_factory=set)
    _started_ms: int = 0
    _wake: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Remember when this began."""
        self._started_ms = self.wall_ms()

    def stir(self) -> None:
        """Say that there may be something to send."""
        self._wake.set()

    @property
    def in_trouble(self) -> bool:
        """Whether notices do not arrive there."""
        return self.failing >= _TROUBLE_FROM

    def step(self, wait_s: float = 0.0) -> None:
        """Try everything that is due, each once.

        Args:
            wait_s: Wait so long to be stirred first.
        """
        self._wake.wait(wait_s)
        self._wake.clear()
        for row in self.book.due(self.name, self.wall_ms()):
            self.deliver(row)

    def deliver(self, row: NoticeRow) -> NoticeTry:
        """Try one notice and keep how it went; a try that fails puts it off, each time for longer."""
        at_ms, began = self.wall_ms(), time.monotonic()
        # What was there before this start may have been sent by a process that died before it could say so.
        duplicate, unknown = row.number in self._unknown or row.created_ms < self._started_ms, False
        self._unknown.add(row.number)  # Until it is written down how it went.
        try:
            answer, ok = self.sender.send(row, duplicate=duplicate), True
        except NoticeFailedError as error:
            answer, ok, unknown = str(error), False, error.unknown
        took_ms = round(1000 * (time.monotonic() - began))
        tried = NoticeTry(row.number, at_ms, took_ms, ok, duplicate, answer[:500])
        self.book.settle(tried, *self._what_next(row, at_ms, ok=ok))
        if ok or not (unknown or duplicate):
            self._unknown.discard(row.number)
        self._count(row, tried)
        return tried

    def _what_next(self, row: NoticeRow, at_ms: int, *, ok: bool) -> tuple[str, int]:
        if ok:
            return SENT, row.due_ms
        if at_ms >= row.give_up_ms:
            return GIVEN_UP, row.due_ms
        return WAITING, at_ms + min(_LONGEST_PAUSE_MS, _FIRST_PAUSE_MS * 2 ** min(row.tries, 16))

    def _count(self, row: NoticeRow, tried: NoticeTry) -> None:
        if tried.ok:
            self.sent, self.failing = self.sent + 1, 0
            return
        self.failed, self.failing = self.failed + 1, self.failing + 1
        _log.warning(
            "notice not delivered", target=self.name, notice=row.number, tries=row.tries + 1, answer=tried.answer
        )
