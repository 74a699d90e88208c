"""How long a day's report takes from the SQLite store, and each of its forms: `python -m bench.bench_daily_report`.

`JINMA_BENCH_HOURS` shortens the day that is simulated first, at the sensors' own rates.
"""

from __future__ import annotations

import datetime as dt
import os
import resource
import tempfile
import time
from pathlib import Path

from api.reports.drawing import DrawOrder, draw_report
from api.reports.gathering import Sources
from api.reports.making import ReportOrder, make_report
from simulators.physics import StationPhysics
from simulators.scenario import shipped_scenario
from simulators.station import SimulatedStation
from station.adapters.plant_files import shipped_plant
from station.adapters.property_tables import hydrogen_tables
from station.adapters.sqlite_readings import SqliteReadings

BEGIN = dt.datetime.fromisoformat("2026-06-01T00:00+08:00")
ROUNDS = 3


def main() -> None:
    """Simulate, store, report."""
    hours = int(os.environ.get("JINMA_BENCH_HOURS", "24"))
    plant = shipped_plant()
    physics = StationPhysics(plant, hydrogen_tables(), shipped_scenario("normal-day"), BEGIN, 1)
    station = SimulatedStation(plant, physics, 1)
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteReadings(Path(folder) / "readings.sqlite")
        for _ in range(6 * hours):
            store.write(list(station.advance(600)))
        now_ms = round(BEGIN.timestamp() * 1000) + hours * 3_600_000
        order = ReportOrder(plant, BEGIN.date(), now_ms, 1, "bench", simulated=True)
        for number in range(ROUNDS):
            began, cpu = time.perf_counter(), time.process_time()
            report = make_report(Sources(store, None), order)
            took, used = time.perf_counter() - began, time.process_time() - cpu
            print(
                f"report of {hours} h, round {number + 1}: {took:.2f} s, {used:.2f} s of CPU, {len(report.fills)} fills"
            )
        store.close()
    for form in ("csv", "html", "pdf"):
        for language in ("zh", "en"):
            began = time.process_time()
            size = len(draw_report(DrawOrder(plant, report, (), language, form)))
            print(f"{form} {language}: {time.process_time() - began:.2f} s of CPU, {size / 1000:.0f} kB")
    print(f"memory at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB, the simulator's too")


if __name__ == "__main__":
    main()
