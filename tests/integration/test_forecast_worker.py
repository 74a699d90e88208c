"""The worker process: results in order, the same as in process, and a worker that is killed is replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.forecast.runners import InlineRunner, WorkerRunner
from station.domain.capacity_forecast import Forecast
from tests.support.capacity_snapshots import snapshot
from tests.support.plants import jinma
from tests.support.processes import wait_until
from tests.support.service import ROOT

DEADLINE_S = 120.0


@pytest.fixture
def worker() -> Iterator[WorkerRunner]:
    runner = WorkerRunner(jinma(), replicas=2)
    yield runner
    runner.close()


def collect(runner: WorkerRunner, count: int) -> list[Forecast]:
    done: list[Forecast] = []
    until = time.monotonic() + DEADLINE_S
    while len(done) < count and time.monotonic() < until:
        done += runner.finished()
        time.sleep(0.02)
    return done


def processes(runner: WorkerRunner) -> list[int]:
    assert runner._pool is not None
    return list(runner._pool._processes)


def test_results_come_in_order_and_equal_those_made_here(worker: WorkerRunner) -> None:
    moments = [snapshot(12.0 + n / 4) for n in range(4)]
    here = InlineRunner(jinma(), replicas=2)
    for now in moments:
        worker.submit(now, on_grid=True)
        here.submit(now, on_grid=True)
    assert collect(worker, 4) == here.finished()
    assert worker.backlog == 0


def test_a_killed_worker_is_replaced_and_nothing_is_lost_or_doubled(worker: WorkerRunner) -> None:
    worker.submit(snapshot(12.0), on_grid=True)
    assert len(collect(worker, 1)) == 1
    for n in range(3):
        worker.submit(snapshot(13.0 + n), on_grid=n != 1)
    for pid in processes(worker):
        os.kill(pid, signal.SIGKILL)
    done = collect(worker, 3)
    assert [f.at_ms for f in done] == [snapshot(13.0 + n).at_ms for n in range(3)]
    assert [f.detail.on_grid for f in done] == [True, False, True]
    assert worker.deaths >= 1


def test_a_worker_that_hangs_is_ended_and_replaced() -> None:
    runner = WorkerRunner(jinma(), replicas=2, longest_s=25.0)
    try:
        runner.submit(snapshot(12.0), on_grid=True)
        assert len(collect(runner, 1)) == 1
        for pid in processes(runner):
            os.kill(pid, signal.SIGSTOP)
        runner.submit(snapshot(13.0), on_grid=True)
        assert [f.at_ms for f in collect(runner, 1)] == [snapshot(13.0).at_ms]
        assert runner.deaths >= 1
    finally:
        runner.close()


SERVICE = """
import time
from api.forecast.runners import WorkerRunner
from tests.support.capacity_snapshots import snapshot
from tests.support.plants import jinma

if __name__ == "__main__":
    runner = WorkerRunner(jinma(), replicas=2)
    runner.submit(snapshot(12.0), on_grid=True)
    while not runner.finished():
        time.sleep(0.02)
    print(*runner._pool._processes, flush=True)
    time.sleep(60)
"""


def test_a_killed_service_leaves_no_worker_behind(tmp_path: Path) -> None:
    file = tmp_path / "service.py"
    file.write_text(SERVICE)
    env = dict(os.environ) | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, str(file)], stdout=subprocess.PIPE, text=True, env=env) as service:
        assert service.stdout is not None
        worker = int(service.stdout.readline())
        service.kill()
    wait_until(lambda: not _runs(worker), 20.0, "the worker's end")


def _runs(pid: int) -> bool:
    """Return whether a process lives; one that has ended and that nobody has fetched does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_asking_does_not_wait_for_the_worker_to_have_started(worker: WorkerRunner) -> None:
    """The one who asks is the thread that takes the readings."""
    began_s = time.monotonic()
    worker.submit(snapshot(12.0), on_grid=True)
    asked_s = time.monotonic() - began_s
    assert len(collect(worker, 1)) == 1
    assert asked_s < (time.monotonic() - began_s) / 4


def test_ctrl_c_does_not_reach_the_worker_and_closing_ends_it_soon(worker: WorkerRunner) -> None:
    worker.submit(snapshot(12.0), on_grid=True)
    assert len(collect(worker, 1)) == 1
    (pid,) = processes(worker)
    os.kill(pid, signal.SIGINT)
    worker.submit(snapshot(13.0), on_grid=True)
    assert len(collect(worker, 1)) == 1
    assert processes(worker) == [pid]
    began = time.monotonic()
    worker.close()
    worker.close()
    assert time.monotonic() - began < 10.0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
