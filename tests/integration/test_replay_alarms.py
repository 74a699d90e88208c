"""A replay raises what was raised live, to the millisecond, capacity alerts too: out of the store, and out of a log.

Left aside, as the contract has it: STALE and SYS (a replay has no network), and what operators did. The stretch around
a fault is played; `JINMA_WHOLE_DAYS=1` plays whole days.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from api.forecast.runners import InlineRunner
from api.replay.comparison import Occurrence, journal_rows, occurrences_of, of_the_plant
from api.replay.player import Player, Stage
from api.replay.sandbox_books import LearnedThen
from api.replay.tape import Tape
from cli.replay_logs import open_log
from station.adapters.log_files import write_log
from station.adapters.sqlite_readings import SqliteReadings
from station.ports import JournalEntry, ReadingStore
from tests.support.lived_day import REPLICAS, Lived, live_through


def judged(rows: Iterable[JournalEntry], lived: Lived) -> set[Occurrence]:
    """Return the occurrences that a replay has to have in common with the living."""
    return set(of_the_plant(occurrences_of(rows, lived.start_ms, lived.end_ms)))


def then(lived: Lived) -> set[Occurrence]:
    return judged(journal_rows(lived.journal, lived.plant.id, lived.start_ms, lived.end_ms), lived)


def replayed(lived: Lived, store: ReadingStore) -> set[Occurrence]:
    """Return what a replay of the whole stretch at full speed raises."""
    tape, runner = Tape(store, lived.plant, lived.end_ms), InlineRunner(lived.plant, REPLICAS)
    stage = Stage(lived.plant, "jinma~ab12cd34", tape, lived.start_ms, [], LearnedThen(), runner, lambda *_: None)
    player = Player(stage, None)
    begin = time.monotonic()
    player.seek(lived.start_ms)
    player.play()
    while player.state == "playing":
        player.run(1.0)
    minutes = (lived.end_ms - lived.start_ms) / 60_000
    sys.stdout.write(f"{minutes:.0f} min replayed in {time.monotonic() - begin:.1f} s\n")
    return judged(player.rows.take_new(), lived)


def compare(scenario: str, hour: float, minutes: int, folder: Path) -> Lived:
    store = SqliteReadings(folder / "readings.sqlite")
    lived = live_through(scenario, store, hour=hour, minutes=minutes)
    told = then(lived)
    sys.stdout.write(f"{scenario}: {sorted(one.alarm_id for one in told)}\n")
    assert replayed(lived, store) == told
    store.close()
    return lived


@pytest.mark.parametrize(
    ("scenario", "hour", "minutes", "first"),
    [
        ("power-cut", 14.98, 16, "XS-797.STATE"),
        ("chiller-loss-hot-day", 13.98, 4, "XS-4107.STATE"),
    ],
)
def test_a_replay_out_of_the_store_raises_what_was_raised_live(
    scenario: str, hour: float, minutes: int, first: str, tmp_path: Path
) -> None:
    lived = compare(scenario, hour, minutes, tmp_path)
    assert first in {one.alarm_id for one in then(lived) if one.first_out}


def test_a_replay_out_of_a_log_raises_the_same(tmp_path: Path) -> None:
    lived = compare("emergency-stop", 10.98, 3, tmp_path)
    assert {one.alarm_id for one in then(lived) if one.first_out} == {"HS-794.HH"}
    log = tmp_path / "abcdefgh-log.ndjson.zst"
    write_log(log, lived.sent, {"version": "1"})
    store = open_log(log, lived.plant, lambda _: None)
    assert replayed(lived, store) == then(lived)
    store.close()


@pytest.mark.slow
@pytest.mark.skipif("JINMA_WHOLE_DAYS" not in os.environ, reason="takes minutes a day: JINMA_WHOLE_DAYS=1")
@pytest.mark.parametrize("scenario", ["emergency-stop", "train-trip", "chiller-loss-hot-day"])
def test_a_whole_day_replayed_raises_what_was_raised_live(scenario: str, tmp_path: Path) -> None:
    compare(scenario, 0.0, 24 * 60, tmp_path)
