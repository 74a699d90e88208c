"""A journal that keeps nobody waiting: its database may hang (a lock, a dying disk, a lost server), alarms may not."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from typing import Final

from station.errors import JournalUnavailableError
from station.ports import AlarmJournal, JournalEntry

PATIENCE_S: Final = 2.0
"""A commit takes milliseconds; a disk that others keep busy was seen to take some hundred."""


class _Commit:
    """Rows on their way, and how it went once `ended` is set."""

    __slots__ = ("ended", "entries", "error")

    def __init__(self, entries: Sequence[JournalEntry]) -> None:
        self.entries = list(entries)
        self.ended = threading.Event()
        self.error: JournalUnavailableError | None = None


class TimedJournal:
    """An `AlarmJournal` whose `append` is refused after a while, for one caller at a time that tries again.

    A refused append may still arrive. Its rows are known when they are handed over again: those that have arrived are
    left out, so that none is written twice. Since a refusal nobody waits any more: a try is begun, and the next call
    learns how it went, until one has succeeded.

    Args:
        journal: The journal behind, which may hang; closed by its owner.
        patience_s: How long `append` waits for a commit.
    """

    def __init__(self, journal: AlarmJournal, patience_s: float = PATIENCE_S) -> None:
        self._journal = journal
        self._patience_s = patience_s
        self._line: queue.SimpleQueue[_Commit | None] = queue.SimpleQueue()
        self._late: _Commit | None = None
        self._trusted = True
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def append(self, entries: Sequence[JournalEntry]) -> None:
        """Commit entries durably, in order.

        Raises:
            JournalUnavailableError: It failed, or has not come to its end in time.
        """
        left = self._without_arrived(entries)
        if not left:
            return
        commit = _Commit(left)
        self._line.put(commit)
        if not commit.ended.wait(self._patience_s if self._trusted else 0.0):
            self._late, self._trusted = commit, False
            raise JournalUnavailableError("the journal has not answered yet")
        self._trusted = commit.error is None
        if commit.error is not None:
            raise commit.error

    def _without_arrived(self, entries: Sequence[JournalEntry]) -> list[JournalEntry]:
        late = self._late
        if late is None:
            return list(entries)
        if not late.ended.is_set():
            raise JournalUnavailableError("the journal has not answered yet")
        self._late = None
        if late.error is not None:
            return list(entries)
        self._trusted = True
        arrived = {id(entry) for entry in late.entries}
        return [entry for entry in entries if id(entry) not in arrived]

    def entries(
        self,
        station: str,
        start_ms: int,
        end_ms: int,
        after: int = 0,
        limit: int = 1000,
        *,
        alarm_id: str | None = None,
        newest_first: bool = False,
    ) -> list[tuple[int, JournalEntry]]:
        """Return rows of a station; see `AlarmJournal.entries`."""
        return self._journal.entries(
            station, start_ms, end_ms, after, limit, alarm_id=alarm_id, newest_first=newest_first
        )

    def newest_by_alarm(self, station: str) -> list[JournalEntry]:
        """Return each alarm's newest entry; see `AlarmJournal.newest_by_alarm`."""
        return self._journal.newest_by_alarm(station)

    def verify(self) -> int | None:
        """Return the first row whose hash does not follow; see `AlarmJournal.verify`."""
        return self._journal.verify()

    def close(self) -> None:
        """End the thread once it is idle; idempotent."""
        self._line.put(None)

    def _work(self) -> None:
        while (commit := self._line.get()) is not None:
            try:
                self._journal.append(commit.entries)
            except JournalUnavailableError as error:
                commit.error = error
            except Exception as error:  # noqa: BLE001 - the supervisor of commits: what broke one must not end the thread
                commit.error = JournalUnavailableError(f"journal: {error}")
            commit.ended.set()
