"""Speed of the simulator, and where its time goes: `python -m bench.bench_simulator`."""

from __future__ import annotations

import datetime as dt
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.figures import show, simulated
from simulators.logs import station_log
from simulators.measuring.sampled import SampledBlock
from simulators.measuring.sampling import Sampler
from simulators.physics import StationPhysics
from simulators.physics import station as plant_station
from simulators.station import SimulatedStation
from station.adapters.log_files import write_log

HOUR_S = 3600
SLICE_S = 600
MIDNIGHT = dt.datetime(2026, 5, 31, 16, 0, tzinfo=dt.UTC)
"""00:00 at the station."""
FORMATS = (".ndjson", ".ndjson.gz", ".ndjson.zst", ".csv", ".lp", ".parquet")


def main() -> None:
    _parts_of_a_step()
    _day()
    _formats()


class Watch:
    """Seconds spent in a call, over all calls of it; `look` is shown each result, outside of the time."""

    def __init__(self, look: Callable[[Any], None] = lambda _: None) -> None:
        self.seconds, self._look = 0.0, look

    @contextmanager
    def on(self, owner: Any, name: str) -> Iterator[None]:
        """Time every call of `owner.name` while this lasts."""
        call = getattr(owner, name)

        def timed(*args: Any, **options: Any) -> Any:
            begin = time.perf_counter()
            result = call(*args, **options)
            self.seconds += time.perf_counter() - begin
            self._look(result)
            return result

        setattr(owner, name, timed)
        try:
            yield
        finally:
            setattr(owner, name, call)


def _parts_of_a_step() -> None:
    """An hour from 10:00 at steps of 1 s: whole, then once more with a watch on each part."""
    whole_s = min(_hour_s(simulated()) for _ in range(3))
    physics = simulated().physics
    assert isinstance(physics, StationPhysics)
    parts: dict[str, tuple[Any, str]] = {
        "hoses and trucks' tanks": (type(physics.dispensing), "advance"),
        "compressor trains": (type(physics.compression), "advance"),
        "banks": (type(physics.cascade), "advance"),
        "trailers and bays": (type(physics.supply), "advance"),
        "chillers and brine": (type(physics.cooling), "advance"),
        "electricity, vent stack": (type(physics.site), "advance"),
        "recording the row": (plant_station, "state_row"),
        "block: what only time moves": (type(physics.columns), "block"),
    }
    watches = {name: Watch() for name in parts}
    with ExitStack() as all_on:
        for name, (owner, method) in parts.items():
            all_on.enter_context(watches[name].on(owner, method))
        begin = time.perf_counter()
        _advance(physics, HOUR_S)
        watched_s = time.perf_counter() - begin
    found = {name: watch.seconds for name, watch in watches.items()}
    found["the rest of the loop, and the watches"] = watched_s - sum(found.values())
    rows = [(name, f"{s / HOUR_S * 1e6:.1f}", f"{s / watched_s:.0%}") for name, s in found.items()]
    show(
        f"a step of 1 s at a busy hour: {whole_s / HOUR_S * 1e6:.1f} us ({HOUR_S / whole_s:,.0f} x real time); by part",
        ("", "us a step", "share"),
        rows,
    )


def _hour_s(station: SimulatedStation) -> float:
    begin = time.perf_counter()
    _advance(station.physics, HOUR_S)
    return time.perf_counter() - begin


def _advance(physics: Any, seconds: int) -> None:
    for _ in range(seconds // SLICE_S):
        physics.advance(SLICE_S)


def _day() -> None:
    """A day at steps of 1 s to nowhere, with a watch on the physics, the measuring and the making of bytes."""
    station, values, messages = simulated(MIDNIGHT), 0, 0

    def count(block: SampledBlock) -> None:
        nonlocal values
        values += sum(len(group.t_ms) * len(group.tags) for group in block.groups)

    physics, sampling, wording = Watch(), Watch(count), Watch()
    on = (physics.on(StationPhysics, "advance"), sampling.on(Sampler, "sample"), wording.on(SampledBlock, "emissions"))
    with ExitStack() as all_on:
        for watch in on:
            all_on.enter_context(watch)
        begin = time.perf_counter()
        for _ in station_log(station, dt.timedelta(hours=24)):
            messages += 1
        whole_s = time.perf_counter() - begin
    rest_s = whole_s - physics.seconds - sampling.seconds - wording.seconds
    parts = (
        ("physics", physics.seconds),
        ("measuring and sampling", sampling.seconds),
        ("messages as bytes", wording.seconds),
        ("plan, queue, gateways, order", rest_s),
        ("all of it", whole_s),
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024.0 if sys.platform != "darwin" else 1024.0**2)
    show(
        f"a station-day at 1 s to nowhere: {messages:,} messages, {values:,} values; peak memory {peak:,.0f} MiB",
        ("", "seconds", "us a step", "us a value", "x real time"),
        [_row(name, seconds, values) for name, seconds in parts],
    )


def _row(name: str, seconds: float, values: int) -> tuple[str, ...]:
    day_s = 24 * HOUR_S
    return (
        name,
        f"{seconds:.1f}",
        f"{seconds / day_s * 1e6:.0f}",
        f"{seconds / values * 1e6:.2f}",
        f"{day_s / seconds:,.0f}",
    )


def _formats() -> None:
    """An hour from 10:00 into each format; what the same hour costs without writing is taken off."""
    hour, rows = dt.timedelta(hours=1), []
    with tempfile.TemporaryDirectory(prefix="jinma-bench-") as name:
        said = list(station_log(simulated(), hour))
        for suffix in FORMATS:
            path = Path(name) / f"hour{suffix}"
            took_s = _seconds(lambda path=path: write_log(path, iter(said), {"made_by": "bench"}))  # type: ignore[misc]
            size = path.stat().st_size
            path.unlink()
            rows.append(
                (suffix, f"{took_s:.2f}", f"{took_s / len(said) * 1e6:.1f}", f"{size / 1e6:.1f}", f"{took_s * 24:.0f}")
            )
    show(
        f"writing an hour of {len(said):,} messages",
        ("", "seconds", "us a message", "MB", "24 such hours [s]"),
        rows,
    )


def _seconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
