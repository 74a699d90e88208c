"""A journal that hangs keeps nobody waiting, loses no row and writes none twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from api.alarms.engine import AlarmEngine
from station.adapters.memory_journal import MemoryJournal
from station.adapters.timed_journal import TimedJournal
from station.domain.signals import UnitMessage
from station.errors import JournalUnavailableError
from station.ports import JournalEntry
from tests.support.alarm_timeline import START_MS, STATION, ms, signal, spec, station
from tests.support.processes import wait_until

PLANT = station(
    [signal(f"PT-{n}", f"bank-{n}", spec("H", 40.0)) for n in range(3)], system={"SYS-JOURNAL": spec("SYS-JOURNAL")}
)


class Hanging(MemoryJournal):
    """A journal that hangs while `goes_on` is not set, then commits or fails."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.error: Exception | None = None

    def append(self, entries: Sequence[JournalEntry]) -> None:
        assert self.goes_on.wait(10), "nobody let it go on"
        if self.error is not None:
            raise self.error
        super().append(entries)

    def events(self) -> list[tuple[str, str]]:
        return [(entry.alarm_id, entry.event) for _, entry in self.entries(STATION, 0, 1 << 60)]


class Watched:
    """An engine over a timed journal, with a wall clock that the test moves past the pause between two tries."""

    def __init__(self) -> None:
        self.behind = Hanging()
        self.journal = TimedJournal(self.behind, patience_s=0.05)
        self.wall_ms, self.at = START_MS, 10
        self.engine = AlarmEngine(PLANT, self.journal, wall_ms=lambda: self.wall_ms)
        self.engine.advance(ms(0))

    def say(self, at: int, number: int, value: float) -> None:
        self.engine.observe(UnitMessage(STATION, "storage", f"bank-{number}", ms(at), {f"PT-{number}": value}))

    def go_on(self) -> None:
        """Let the journal end what hangs."""
        rows = len(self.behind.events())
        self.behind.goes_on.set()
        if self.behind.error is None:
            wait_until(lambda: len(self.behind.events()) > rows, 5.0, "the late commit")

    def retried(self) -> bool:
        """Let the pause pass and time go on; return whether nothing waits any more."""
        self.wall_ms += 6_000
        self.at += 2
        self.engine.advance(ms(self.at))
        return self.engine.journal_backlog == 0


@pytest.fixture
def watched() -> Iterator[Watched]:
    made = Watched()
    yield made
    made.behind.goes_on.set()
    made.journal.close()


def test_a_journal_that_hangs_delays_the_first_alarm_alone_and_its_rows_arrive_once(watched: Watched) -> None:
    watched.behind.goes_on.clear()
    watched.say(1, 0, 45.0)
    watched.say(2, 1, 45.0)
    assert [watched.engine.alarm(f"PT-{n}.H").state for n in (0, 1)] == ["UNACK", "UNACK"]
    watched.engine.advance(ms(4))
    assert watched.engine.alarm("SYS-JOURNAL").active
    watched.wall_ms += 6_000
    watched.say(5, 2, 45.0)
    assert watched.engine.journal_backlog == 4, "it hangs on, and nobody waits for it"
    watched.go_on()
    wait_until(watched.retried, 5.0, "all rows in the journal")
    watched.retried()
    assert not watched.engine.alarm("SYS-JOURNAL").active
    raised = [("PT-0.H", "raised"), ("PT-1.H", "raised"), ("SYS-JOURNAL", "raised"), ("PT-2.H", "raised")]
    assert watched.behind.events() == [*raised, ("SYS-JOURNAL", "cleared")]
    assert watched.behind.verify() is None


def test_a_late_failure_is_tried_again_whole(watched: Watched) -> None:
    watched.behind.goes_on.clear()
    watched.behind.error = JournalUnavailableError("disk full")
    watched.say(1, 0, 45.0)
    watched.go_on()
    assert not watched.retried()
    watched.behind.error = None
    wait_until(watched.retried, 5.0, "all rows in the journal")
    assert watched.behind.events()[0] == ("PT-0.H", "raised")
    assert len(watched.behind.events()) == len(set(watched.behind.events()))


def test_an_act_is_refused_while_the_journal_hangs(watched: Watched) -> None:
    watched.say(1, 0, 45.0)
    watched.behind.goes_on.clear()
    for _ in range(2):
        with pytest.raises(JournalUnavailableError, match="not answered"):
            watched.engine.acknowledge("PT-0.H", "Wang", "", ms(2))
    assert watched.engine.alarm("PT-0.H").state == "UNACK"
    watched.go_on()
    assert watched.engine.acknowledge("PT-0.H", "Wang", "", ms(3)).state == "ACKED"


def test_what_nobody_expected_is_told_as_a_failure_and_does_not_end_the_thread(watched: Watched) -> None:
    watched.behind.error = RuntimeError("torn")
    with pytest.raises(JournalUnavailableError, match="torn"):
        watched.journal.append([_row()])
    watched.behind.error = None
    wait_until(lambda: _appended(watched.journal), 5.0, "the journal's return")


def _row() -> JournalEntry:
    return JournalEntry(STATION, "PT-0.H", "PT-0.H@1", "raised", 1, 1, "system", 45.0, 40.0, "", {})


def _appended(journal: TimedJournal) -> bool:
    try:
        journal.append([_row()])
    except JournalUnavailableError:
        return False
    return True
