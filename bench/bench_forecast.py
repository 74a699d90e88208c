"""Milliseconds of a forecast, beside the time between two forecasts: `python -m bench.bench_forecast`."""

from __future__ import annotations

import itertools
import time

import numpy as np

from api.forecast.runners import WorkerRunner
from bench.figures import seconds_a_call, show
from station.adapters.plant_files import shipped_plant
from station.domain.capacity import forecast
from station.domain.static_capacity import static_capacity
from tests.support.capacity_snapshots import snapshot

STATIC_EVERY_S = 60.0
FORECAST_EVERY_S = 300.0

EVENTS = 60
LOOK_S = 0.01
"""How often the answer is looked for; the service looks no less often."""

Figure = tuple[str, float, float]
"""Name, seconds it takes, seconds between two of them."""


def main() -> None:
    rows = [*_at(0.0, "00:00, the whole day ahead"), *_at(12.0, "12:00")]
    show(
        "forecast, one core (demanded: static < 2 ms, rollout < 400 ms, 300 replicas < 1500 ms)",
        ("", "ms", "one every [s]", "share of its time"),
        [(name, f"{took * 1e3:.2f}", f"{every:.0f}", f"{took / every:.3%}") for name, took, every in rows],
    )
    latencies = [(name, _latencies(hour)) for hour, name in ((0.0, "00:00"), (12.0, "12:00"))]
    show(
        f"event -> forecast, worker, {EVENTS} events",
        ("100 replicas, p99 < 3000 ms", "p50 [ms]", "p99 [ms]", "longest [ms]"),
        [(name, *(f"{1e3 * np.percentile(took, p):.0f}" for p in (50, 99, 100))) for name, took in latencies],
    )


def _at(hour: float, name: str) -> list[Figure]:
    plant, now = shipped_plant(), snapshot(hour)
    # Each minute's pressures are new: the same ones again would only ask what is remembered.
    minutes = itertools.cycle([snapshot(hour, bank_mpa=38.0 + 0.01 * step) for step in range(500)])
    return [
        (
            f"static indicators, {name}",
            seconds_a_call(lambda: static_capacity(plant, next(minutes)), 0.5, 1),
            STATIC_EVERY_S,
        ),
        (f"all variants of one rollout, {name}", seconds_a_call(lambda: forecast(plant, now, 0), 3), FORECAST_EVERY_S),
        (f"with 100 replicas, {name}", seconds_a_call(lambda: forecast(plant, now, 100), 4), FORECAST_EVERY_S),
        (f"with 300 replicas, {name}", seconds_a_call(lambda: forecast(plant, now, 300), 4), FORECAST_EVERY_S),
    ]


def _latencies(hour: float) -> list[float]:
    """Return the seconds from each of many events, one after the other, until its forecast is here."""
    runner = WorkerRunner(shipped_plant())
    took = []
    try:
        for event in range(EVENTS + 1):
            now = snapshot(hour, bank_mpa=40.0 + 0.05 * event, trains_down=event % 3)
            begin = time.perf_counter()
            runner.submit(now, on_grid=False)
            while not runner.finished():
                time.sleep(LOOK_S)
            took.append(time.perf_counter() - begin)
    finally:
        runner.close()
    # The first one also starts the process.
    return took[1:]


if __name__ == "__main__":
    main()
