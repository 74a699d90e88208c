"""What would have kept an alarm quiet: held against the engine, which is run again with what was advised."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from api.alarms.advice import advice_of
from api.alarms.engine import AlarmEngine
from api.people.roles import Role
from station.adapters.memory import MemoryReadings
from station.adapters.memory_journal import MemoryJournal
from station.domain import alarm_figures as figures
from station.domain.alarm_advice import deadband_advice, delay_advice
from station.domain.alarm_figures import Occurrence
from station.domain.plant import Plant
from station.domain.signals import Reading, UnitMessage
from station.errors import StoreUnavailableError
from station.ports import JournalEntry
from tests.support.alarm_timeline import START_MS, STATION, signal, spec, station
from tests.support.live_api import NOON, live_api

S, MIN, HOUR = 1000, 60_000, 3_600_000


def occurrences(spans: Sequence[tuple[int, int]], acked: dict[int, int] | None = None) -> list[Occurrence]:
    return [
        Occurrence("PT-1.H", start, "low", end, (acked or {}).get(number), 40.0)
        for number, (start, end) in enumerate(spans)
    ]


def test_a_delay_is_advised_that_quiets_and_costs_no_true_alarm() -> None:
    short = [(n * HOUR, n * HOUR + 8 * S) for n in range(14)]
    told = delay_advice(occurrences([*short, (20 * HOUR, 21 * HOUR)]))
    assert told is not None
    assert (told.kind, told.seconds, told.removed, told.of) == ("on-delay", 10, 14, 15)
    assert delay_advice(occurrences(short, {0: 4 * S})) is None, "somebody had reason to acknowledge one"
    told = delay_advice(occurrences([(n * 380 * S, n * 380 * S + 6 * MIN) for n in range(10)]))
    assert told is not None
    assert (told.kind, told.seconds, told.removed, told.of) == ("off-delay", 30, 9, 10)


def noisy(condition: str, limit: float, deadband: float, seed: int) -> tuple[list[tuple[int, float]], Plant]:
    """Return the course of a value that hangs about its limit, and a station that watches it."""
    dice, level = random.Random(seed), limit
    said = []
    for at in range(700):
        level += dice.gauss(0.0, 0.002) - 0.02 * (level - limit)
        said.append((START_MS + at * S, round(level + dice.gauss(0.0, 0.02), 3)))
    return said, station([signal("PT-1", "bank", spec(condition, limit, deadband=deadband))])


def history_by(plant: Plant, said: list[tuple[int, float]], store: MemoryReadings | None = None) -> figures.History:
    journal = MemoryJournal()
    engine = AlarmEngine(plant, journal, wall_ms=lambda: 0)
    engine.advance(START_MS)
    for t_ms, value in said:
        message = UnitMessage(STATION, "storage", "bank", t_ms, {"PT-1": value})
        engine.observe(message)
        engine.advance(t_ms)
        if store is not None:
            store.write([message])
    return figures.history_of(entry for _, entry in journal.entries(STATION, 0, 1 << 60, limit=10**6))


@pytest.mark.parametrize(("condition", "limit", "seed"), [("H", 0.9, 1), ("HH", 0.9, 2), ("L", 0.1, 3), ("LL", 0.1, 4)])
def test_the_engine_with_the_advised_dead_band_raises_as_many_fewer(condition: str, limit: float, seed: int) -> None:
    store = MemoryReadings()
    said, plant = noisy(condition, limit, 0.001, seed)
    before = history_by(plant, said, store)
    [told] = [one for one in advice_of(plant, store, before) if one["kind"] == "dead-band"]
    assert told["removed"] > 0.5 * told["of"] > 20
    _, wider = noisy(condition, limit, told["deadband"], seed)
    after = history_by(wider, said)
    assert len(before.occurrences) - len(after.occurrences) == told["removed"]
    assert after.occurrences[0].raised_ms == before.occurrences[0].raised_ms, "the first is raised as early as ever"


def test_what_came_back_by_far_or_late_wants_no_dead_band() -> None:
    watched = signal("PT-1", "bank", spec("H", 40.0))
    spans = [(n * MIN, n * MIN + 20 * S) for n in range(10)]

    def far(tag: str, start: int, end: int) -> tuple[float, float]:
        return 5.0, 41.0

    def near(tag: str, start: int, end: int) -> tuple[float, float]:
        return 39.95, 41.0

    alarm = watched.alarms[0]
    assert deadband_advice(occurrences(spans), watched, alarm, far) is None
    assert deadband_advice(occurrences(spans), watched, alarm, lambda *_: None) is None
    told = deadband_advice(occurrences(spans), watched, alarm, near)
    assert told is not None
    assert (told.kind, told.removed, told.of) == ("dead-band", 9, 10)
    rare = [(n * HOUR, n * HOUR + 20 * S) for n in range(10)]
    assert deadband_advice(occurrences(rare), watched, alarm, near) is None
    assert deadband_advice(occurrences(spans), watched, spec("STATE"), near) is None
    assert deadband_advice([], watched, alarm, near) is None


class _Away(MemoryReadings):
    def raw(self, station: str, signal: str, start_ms: int, end_ms: int, limit: int | None = None) -> list[Reading]:
        raise StoreUnavailableError("away")


def test_a_store_that_is_away_costs_the_advice_on_dead_bands_alone() -> None:
    said, plant = noisy("H", 0.9, 0.001, 1)
    kinds = [one["kind"] for one in advice_of(plant, _Away(), history_by(plant, said))]
    assert kinds
    assert "dead-band" not in kinds


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_advice_comes_with_the_figures_in_both_languages() -> None:
    api = live_api()
    limit, t_ms = 46.0, NOON - HOUR
    for number in range(20):
        at = t_ms + number * 40 * S
        entries = [
            JournalEntry("jinma", "PT-330A.H", f"PT-330A.H@{number}", event, when, when, "system", 46.1, limit)
            for event, when in (("raised", at + 15 * S), ("cleared", at + 35 * S))
        ]
        api.journal.append(entries)
        values = {0: 46.2, 20: 44.9, 38: 46.3}
        api.store.write(
            [UnitMessage("jinma", "storage", "bank-HB", at + s * S, {"PT-330A": v}) for s, v in values.items()]
        )
    async with api.client(Role.VIEWER) as client:
        found = (await client.get("/api/v1/stations/jinma/alarms/figures")).json()
    [told] = [one for one in found["advice"] if one["kind"] == "dead-band"]
    assert (told["alarm"], told["removed"], told["of"], told["unit"]) == ("PT-330A.H", 19, 20, "MPa")
    assert told["deadband"] > limit - 44.9
    assert "dead-band" in told["text"]["en"]
    assert "回差" in told["text"]["zh"]
