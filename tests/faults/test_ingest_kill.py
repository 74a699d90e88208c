"""kill -9 of ingest at full rate: nothing lost, nothing doubled, quickly back; `JINMA_FAULT_ROUNDS` times."""

from __future__ import annotations

import os
import random
import signal
import statistics
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.support.mosquitto import Mosquitto
from tests.support.pouring import Marks, Pouring, stored_numbers
from tests.support.processes import OwnedProcess, wait_until

ROUNDS = int(os.environ.get("JINMA_FAULT_ROUNDS", "10"))


@pytest.mark.slow
def test_kill_9_of_ingest_loses_and_doubles_nothing(tmp_path: Path) -> None:
    chance = random.Random(1)
    # The broker lives on here; without saving its state it is ten times as fast.
    with Mosquitto(persistence=False) as broker:
        command = [sys.executable, "-m", "tests.faults.ingest_child", broker.url, str(tmp_path)]
        log = tmp_path / "ingest.log"
        with OwnedProcess(command, log) as first:
            wait_until(lambda: "started" in first.output(), 20, "the first ingest")
            pouring, marks = Pouring(broker.url), Marks(broker.url)
            pouring.start()
            first.kill()
        back_s = []
        for _ in range(ROUNDS):
            log.unlink(missing_ok=True)
            before = marks.seq
            began = time.monotonic()
            with OwnedProcess(command, log) as child:
                wait_until(lambda: "started" in child.output(), 20, "an ingest")
                wait_until(lambda: marks.seq > before, 10, "the first delivery")  # noqa: B023 - used in this round only
                back_s.append(time.monotonic() - began)
                threading.Event().wait(chance.uniform(0.0, 0.3))  # the moment of death is what is varied
                child.kill()
        pouring.stop()
        with OwnedProcess(command, log) as last:
            wait_until(lambda: marks.seq == pouring.sent - 1, 60, "all settled")
            last.stop()
            assert last.output().count("Traceback") == 0
        pouring.publisher.close()
        marks.stop()
    _check_store(tmp_path / "readings.sqlite", pouring)
    sys.stdout.write(
        f"{ROUNDS} kills, {pouring.sent} messages, first delivery {statistics.median(back_s):.2f} s after the start, "
        f"{max(back_s):.2f} s at most\n"
    )


def _check_store(path: Path, pouring: Pouring) -> None:
    stored = stored_numbers(path, pouring)
    lost = set(range(pouring.sent)) - set(stored)
    assert not lost, f"{len(lost)} of {pouring.sent} lost, the first is {min(lost)}"
    assert len(stored) == pouring.sent


def test_sigterm_ends_ingest_at_once_with_nothing_lost(tmp_path: Path) -> None:
    with Mosquitto(persistence=False) as broker:
        command = [sys.executable, "-m", "tests.faults.ingest_child", broker.url, str(tmp_path)]
        with OwnedProcess(command, tmp_path / "ingest.log") as child:
            wait_until(lambda: "started" in child.output(), 20, "the ingest")
            pouring = Pouring(broker.url)
            pouring.start()
            wait_until(lambda: pouring.sent > 500, 10, "some messages")
            os.kill(child.pid, signal.SIGTERM)
            wait_until(lambda: not child.running(), 20, "the end")
            assert child.stop() == 0
        pouring.stop()
        with OwnedProcess(command, tmp_path / "ingest.log") as child:
            marks = Marks(broker.url)
            wait_until(lambda: marks.seq == pouring.sent - 1, 20, "all settled")
            marks.stop()
        pouring.publisher.close()
    _check_store(tmp_path / "readings.sqlite", pouring)
