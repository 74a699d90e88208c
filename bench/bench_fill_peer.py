"""Thirty seconds of filling, ours beside hydrogen-station-sim's: `python -m bench.bench_fill_peer`.

The peer (PyPI, MIT; module `h2station`) gets an environment of its own, made once in the user's cache. The two do not
play the same station: there two 70 MPa hoses fill 122 L light-duty tanks from three small banks, solved by BDF to 1e-6
at a control period of 0.2 s; here a whole 35 MPa heavy-duty station (four trains, three banks, bays, chillers, eight
hoses) goes on in steps of 1 s while one or more hoses fill 2 m3 tanks. What is compared is how long a user waits for
30 s of a fill.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from bench.figures import BUSY_HOUR, show, simulated
from simulators.physics import StationPhysics
from station.adapters.plant_files import shipped_plant
from station.adapters.property_tables import hydrogen_tables

PACKAGES = ("hydrogen-station-sim==0.1.2", "scipy<1.16", "numpy<3")
FILL_S = 30
ROUNDS = 5
NIGHT = dt.datetime(2026, 5, 31, 18, 0, tzinfo=dt.UTC)
"""02:00 at the station: few trucks, so that a hose fills alone."""
SEARCH_S = 4 * 3600
FILLING = 3
"""State `fill` of a hose."""


def main() -> None:
    station = _one_hose_filling()
    ours = _physics_s(station)
    sensors = _sensors_s()
    rows = [
        ("ours: whole station, one hose filling", ours),
        ("ours: whole station at its busy hour, measured and sampled", sensors),
    ]
    try:
        peer = _peer()
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", "") or ""
        print(f"hydrogen-station-sim cannot be had here: {error} {said}".strip())
        show(f"{FILL_S} s of a fill, the peer missing", ("", "seconds"), [(n, f"{s:.4f}") for n, s in rows])
        return
    kg = ", ".join(f"{amount:.2f}" for amount in peer.kg)
    show(
        f"{FILL_S} s of a fill; peer: {peer.start_mpa:.1f} -> {peer.end_mpa:.1f} MPa, {kg} kg",
        ("", "seconds", "x real time", "peer / this"),
        [_row(n, s, peer.took_s) for n, s in [("hydrogen-station-sim, its two hoses filling", peer.took_s), *rows]],
    )


def _row(name: str, seconds: float, peer_s: float) -> tuple[str, ...]:
    return name, f"{seconds:.4f}", f"{FILL_S / seconds:,.1f}", f"{peer_s / seconds:,.0f}"


class PeerFill(msgspec.Struct):
    """What the peer's own run says of itself."""

    took_s: float
    start_mpa: float
    end_mpa: float
    kg: list[float]


def _peer() -> PeerFill:
    python = _environment()
    script = Path(__file__).with_name("peer_fill.py")
    done = subprocess.run(
        [python, script, str(FILL_S)], capture_output=True, text=True, check=True, timeout=300, cwd=python.parent
    )
    return msgspec.json.decode(done.stdout, type=PeerFill)


def _environment() -> Path:
    """Return the Python of the peer's environment, made at the first call."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "jinma-bench" / "hydrogen-station-sim"
    python = cache / "bin" / "python"
    if not (cache / "ready").exists():
        uv = [sys.executable, "-m", "uv"]
        _quietly([*uv, "venv", "--clear", "--python", sys.executable, str(cache)])
        _quietly([*uv, "pip", "install", "--python", str(python), *PACKAGES])
        (cache / "ready").touch()
    return python


def _quietly(command: list[str]) -> None:
    subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)


def _one_hose_filling() -> bytes:
    """Return the state of a plant whose one busy hose has just begun to fill."""
    station = simulated(NIGHT).physics
    plant = shipped_plant()
    columns = [list(plant.signals).index(plant.tag("dispensing", hose.unit, "state")) for hose in plant.hoses]
    for _ in range(SEARCH_S // FILL_S):
        kept = station.snapshot()
        states = station.advance(FILL_S).values[:, columns]
        if ((states == FILLING).sum(axis=1) == 1).all() and ((states != 0).sum(axis=1) == 1).all():
            return kept
    raise SystemExit("no hose fills alone in these hours")


def _physics_s(kept: bytes) -> float:
    best = 1e9
    for _ in range(ROUNDS):
        station = StationPhysics.restore(shipped_plant(), hydrogen_tables(), kept)
        begin = time.perf_counter()
        station.advance(FILL_S)
        best = min(best, time.perf_counter() - begin)
    return best


def _sensors_s() -> float:
    station = simulated(BUSY_HOUR)
    best = 1e9
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        station.advance(FILL_S)
        best = min(best, time.perf_counter() - begin)
    return best


if __name__ == "__main__":
    main()
