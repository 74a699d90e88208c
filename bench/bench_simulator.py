"""Speed of the simulator from one busy hour in virtual time: `python -m bench.bench_simulator`."""

from __future__ import annotations

import time

from bench.figures import count_values, packets, show, simulated

HOUR_S = 3600
SLICE_S = 60


def main() -> None:
    station = simulated()
    said, begin = [], time.perf_counter()
    for _ in range(HOUR_S // SLICE_S):
        said += station.advance(SLICE_S)
    took = time.perf_counter() - begin
    begin = time.perf_counter()
    packets(said)
    encoding = time.perf_counter() - begin
    begin = time.perf_counter()
    simulated().physics.advance(HOUR_S)
    physics = time.perf_counter() - begin
    show(
        f"simulator: one hour from 10:00, steps of 1 s, {len(said)} messages, {count_values(said)} values",
        ("", "s an hour", "us a step", "us a message", "x real time", "a station-day [s]"),
        [
            _row("physics alone", physics, len(said)),
            _row("with instruments and sampling", took, len(said)),
            _row("with encoding", took + encoding, len(said)),
        ],
    )


def _row(name: str, seconds: float, count: int) -> tuple[str, ...]:
    return (
        name,
        f"{seconds:.2f}",
        f"{seconds / HOUR_S * 1e6:.0f}",
        f"{seconds / count * 1e6:.1f}",
        f"{HOUR_S / seconds:.0f}",
        f"{seconds * 24:.0f}",
    )


if __name__ == "__main__":
    main()
