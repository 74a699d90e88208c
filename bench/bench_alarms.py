"""The alarm engine, beside keeping the latest values in a dict: `python -m bench.bench_alarms`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from api.alarms.engine import AlarmEngine
from bench.figures import count_values, messages, show
from station.adapters.memory_journal import MemoryJournal
from station.adapters.plant_files import shipped_plant
from station.domain.signals import UnitMessage

MINUTES = 20


def main() -> None:
    said = messages(MINUTES)
    latest: dict[str, float | None] = {}
    journal = MemoryJournal()
    engine = AlarmEngine(shipped_plant(), journal, wall_ms=lambda: 0)
    engine.restore()
    engine.advance(said[0].t_ms)

    def remember(message: UnitMessage) -> None:
        latest.update(message.values)

    def judge(message: UnitMessage) -> None:
        engine.observe(message)
        engine.advance(message.t_ms)

    base = _us(remember, said)
    rows = [("dict.update of the latest values", base), ("alarm engine", _us(judge, said))]
    entries = len(journal.entries(shipped_plant().id, 0, 1 << 60, limit=1_000_000))
    show(
        f"alarms: {MINUTES} min of normal day, {len(said)} messages, {count_values(said)} values, journalled {entries}",
        ("", "us a message", "messages/s", "x dict.update"),
        [(name, f"{us:.2f}", f"{1e6 / us:,.0f}", f"{us / base:.0f}") for name, us in rows],
    )


def _us(take: Callable[[UnitMessage], None], said: Sequence[UnitMessage]) -> float:
    begin = time.perf_counter()
    for message in said:
        take(message)
    return (time.perf_counter() - begin) / len(said) * 1e6


if __name__ == "__main__":
    main()
