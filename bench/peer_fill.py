"""Thirty seconds of two fills in `hydrogen-station-sim`, run by that package's own Python; prints one JSON line."""

from __future__ import annotations

import json
import sys
import time

from h2station.scenario import ReferenceScenario, build_reference_scenario  # type: ignore[import-not-found]


def main() -> None:
    seconds = float(sys.argv[1])
    # The calibrated tank that is the default needs a file which its wheel lacks.
    scenario = ReferenceScenario(duration_s=seconds, vehicle_tank_calibration="reference")
    # Consequences of a leak are another program's work and no leak is played: no backend.
    built = build_reference_scenario(scenario, None)
    begin = time.perf_counter()
    done = built.simulator.simulate(built.initial_state, seconds, scenario.control_period_s)
    took_s = time.perf_counter() - begin
    steps = [later - earlier for earlier, later in zip(done.time_s, done.time_s[1:], strict=False)]
    said = {
        "took_s": took_s,
        "start_mpa": done.vehicle_pressure_pa[0] / 1e6,
        "end_mpa": done.vehicle_pressure_pa[-1] / 1e6,
        "kg": [
            sum(flow * step for flow, step in zip(flows[1:], steps, strict=True))
            for flows in (done.nozzle_1_mass_flow_kg_s, done.nozzle_2_mass_flow_kg_s)
        ],
    }
    print(json.dumps(said, default=float))


if __name__ == "__main__":
    main()
