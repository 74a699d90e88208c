"""Sending what is kept: each target by a thread of its own, tried again until it arrives or is given up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from station.errors import NoticeFailedError, TransientError
from station.notice_ports import NoticeBook, NoticeRow, NoticeSender, NoticeTry

SENT, GIVEN_UP, WAITING = "sent", "given-up", "waiting"
_FIRST_PAUSE_MS: Final = 2_000
_LONGEST_PAUSE_MS: Final = 300_000
_TROUBLE_FROM: Final = 3
"""So many failures in a row are an alarm; one or two are the internet."""
_log = structlog.get_logger(__name__)


class Unkept(Protocol):
    """Where notices are that the book could not take; see `NoticeDesk`."""

    def unkept(self, target: str) -> Sequence[NoticeRow]:
        """Return a target's."""
        ...

    def sent_unkept(self, row: NoticeRow) -> None:
        """Take that one of them was sent."""
        ...


@dataclass
class Delivery:
    """Sends one target's notices, oldest first.

    Attributes:
        name: Of the target.
        sender: Hands them over.
        book: Where they are kept.
        wall_ms: Wall time, epoch ms.
        desk: Has what the book could not take; None where nothing is sent but from the book.
        sent, failed: Tries so far.
        failing: Failures in a row.
    """

    name: str
    sender: NoticeSender
    book: NoticeBook
    wall_ms: Callable[[], int]
    desk: Unkept | None = None
    sent: int = 0
    failed: int = 0
    failing: int = 0
    _unknown: set[int] = field(default_factory=set)
    _unsettled: dict[int, tuple[NoticeTry, str, int]] = field(default_factory=dict)
    _settling: threading.Lock = field(default_factory=threading.Lock)
    _unkept_due_ms: int = 0
    _unkept_unknown: NoticeRow | None = None
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
        self._send_unkept()
        self._settle()
        try:
            due = self.book.due(self.name, self.wall_ms())
        except TransientError as error:
            _log.warning("notices wait: the journal database is away", target=self.name, error=str(error))
            return
        for row in due:
            if row.number not in self._unsettled:
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
        self._unsettled[row.number] = (tried, *self._what_next(row, at_ms, ok=ok))
        self._settle()
        if ok or not (unknown or duplicate):
            self._unknown.discard(row.number)
        self._count(row, tried)
        return tried

    def _settle(self) -> None:
        """Keep how tries went; a notice whose try the book cannot take now is not sent again before it has."""
        with self._settling:
            for number, (tried, state, due_ms) in list(self._unsettled.items()):
                try:
                    self.book.settle(tried, state, due_ms)
                except TransientError as error:
                    _log.warning("a try cannot be kept now", target=self.name, notice=number, error=str(error))
                    return
                del self._unsettled[number]

    def _send_unkept(self) -> None:
        """Send what the book could not take: a broken journal must not silence notices."""
        now_ms = self.wall_ms()
        if self.desk is None or now_ms < self._unkept_due_ms:
            return
        for row in self.desk.unkept(self.name):
            try:
                self.sender.send(row, duplicate=row is self._unkept_unknown)
            except NoticeFailedError as error:
                if error.unknown:
                    self._unkept_unknown = row
                self.failed, self.failing = self.failed + 1, self.failing + 1
                self._unkept_due_ms = now_ms + _pause_ms(self.failing - 1)
                _log.warning("notice not delivered", target=self.name, alarm=row.alarm_id, answer=str(error))
                return
            self.sent, self.failing = self.sent + 1, 0
            self.desk.sent_unkept(row)

    def _what_next(self, row: NoticeRow, at_ms: int, *, ok: bool) -> tuple[str, int]:
        if ok:
            return SENT, row.due_ms
        if at_ms >= row.give_up_ms:
            return GIVEN_UP, row.due_ms
        return WAITING, at_ms + _pause_ms(row.tries)

    def _count(self, row: NoticeRow, tried: NoticeTry) -> None:
        if tried.ok:
            self.sent, self.failing = self.sent + 1, 0
            return
        self.failed, self.failing = self.failed + 1, self.failing + 1
        _log.warning(
            "notice not delivered", target=self.name, notice=row.number, tries=row.tries + 1, answer=tried.answer
        )


def _pause_ms(failures: int) -> int:
    """Return how long to wait after a failure that so many came before."""
    return min(_LONGEST_PAUSE_MS, int(_FIRST_PAUSE_MS * 2 ** min(failures, 16)))
