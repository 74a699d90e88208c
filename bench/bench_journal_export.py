"""The alarm journal as a table: time and memory of 10 000 and of 100 000 rows, which should be flat.

Run: `python -m bench.bench_journal_export`
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

from api.journal_table import COLUMNS, Cell, csv_lines
from api.journal_workbook import write_xlsx
from api.routes.alarm_figures import table_rows
from bench.figures import show
from station.adapters.sql_journal import open_journal
from station.ports import AlarmJournal, JournalEntry
from tests.support.live_api import live_api

SIZES = (10_000, 100_000)
_STATE = {"state": {"active": True, "acked": False, "priority": "high", "occurrence": "PT-330A.HH@1", "raised_ms": 1}}


def rss_mib() -> float:
    """Return what this process holds in memory [MiB]."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


def peak_over(work: Callable[[], int]) -> tuple[float, float, int]:
    """Return (seconds, peak MiB above the start, bytes written) of some work."""
    over, peak, before = Event(), [0.0], rss_mib()

    def look() -> None:
        while not over.wait(0.02):
            peak[0] = max(peak[0], rss_mib() - before)

    watching = Thread(target=look)
    watching.start()
    began = time.perf_counter()
    try:
        size = work()
    finally:
        over.set()
        watching.join()
    return time.perf_counter() - began, peak[0], size


def filled(folder: Path, count: int) -> AlarmJournal:
    """Return a journal of so many rows."""
    journal = open_journal(f"sqlite:///{folder / f'{count}.sqlite'}")
    for start in range(0, count, 5_000):
        journal.append(
            [
                JournalEntry("jinma", "PT-330A.HH", f"PT-330A.HH@{n}", "raised", n * 1000, n * 1000 + 7, "system",
                             48.0 + n / count, 48.0, f"note {n}", _STATE)
                for n in range(start, start + 5_000)
            ]
        )  # fmt: skip
    return journal


def works(journal: AlarmJournal) -> dict[str, Callable[[], int]]:
    """Return what is done to a journal; each returns the bytes that came out."""
    live, heads = live_api().live, [heading.zh for heading in COLUMNS]

    def rows() -> Iterator[list[Cell]]:
        return table_rows(journal, live, (0, 1 << 50), "zh")

    def as_xlsx() -> int:
        with tempfile.TemporaryFile() as out:
            write_xlsx(heads, rows(), out)
            return out.tell()

    def verified() -> int:
        assert journal.verify() is None
        return 0

    return {
        "csv": lambda: sum(len(line.encode()) for line in csv_lines(heads, rows())),
        "xlsx": as_xlsx,
        "verify": verified,
    }


def main() -> None:
    """Print the figures."""
    table: list[tuple[str, ...]] = []
    with tempfile.TemporaryDirectory() as name:
        for count in SIZES:
            journal = filled(Path(name), count)
            for what, work in works(journal).items():
                seconds, mib, size = peak_over(work)
                table.append((f"{what}, {count} rows", f"{seconds:.1f}", f"+{mib:.0f}", f"{size / 2**20:.1f}"))
            journal.close()
    show("The journal out", ("", "s", "peak MiB", "MiB out"), table)


if __name__ == "__main__":
    main()
