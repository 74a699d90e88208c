"""What running programs take of the machine, their children counted in."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """Return a process and all below it; the forecast's worker is no child of the main thread."""
    children: list[str] = []
    for task in _tasks(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # A thread ends when it likes.
            children += (task / "children").read_text().split()
    return [pid, *(one for child in children for one in family(int(child)))]


def cpu_s(pid: int) -> float:
    """Return the seconds of CPU that a process and its children have taken, also those that have ended."""
    return sum(_cpu_s(one) for one in family(pid))


def memory_mb(pid: int) -> float:
    """Return the memory of a process and its children [MB]; what they share is counted once (PSS)."""
    return sum(_rollup_kb(one, "Pss:") for one in family(pid)) / 1024


def own_memory_mb(pid: int) -> float:
    """Return the part of it that no file backs [MB]: programs that share libraries with us come and go."""
    return sum(_rollup_kb(one, "Pss_Anon:") for one in family(pid)) / 1024


def _tasks(pid: int) -> list[Path]:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return list(Path(f"/proc/{pid}/task").iterdir())
    return []


def _cpu_s(pid: int) -> float:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(ticks) for ticks in fields[11:15]) / _TICKS
    return 0.0


def _rollup_kb(pid: int, what: str) -> int:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next((int(row.split()[1]) for row in rows if row.startswith(what)), 0)
    return 0
