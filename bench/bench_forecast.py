"""Milliseconds of a forecast, beside the time between two forecasts: `python -m bench.bench_forecast`."""

from __future__ import annotations

import itertools

from bench.figures import seconds_a_call, show
from station.adapters.plant_files import shipped_plant
from station.domain.capacity import forecast
from station.domain.static_capacity import static_capacity
from tests.support.capacity_snapshots import snapshot

STATIC_EVERY_S = 60.0
FORECAST_EVERY_S = 300.0

Figure = tuple[str, float, float]
"""Name, seconds it takes, seconds between two of them."""


def main() -> None:
    rows = [*_at(1.0, "01:00, the whole day ahead"), *_at(12.0, "12:00")]
    show(
        "forecast",
        ("", "ms", "one every [s]", "share of its time"),
        [(name, f"{took * 1e3:.2f}", f"{every:.0f}", f"{took / every:.3%}") for name, took, every in rows],
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
        (f"one rollout, {name}", seconds_a_call(lambda: forecast(plant, now, 0), 3), FORECAST_EVERY_S),
        (f"with 100 replicas, {name}", seconds_a_call(lambda: forecast(plant, now), 4), FORECAST_EVERY_S),
    ]


if __name__ == "__main__":
    main()
