"""Milliseconds of loading the station file, beside its TOML alone: `python -m bench.bench_station_file`."""

from __future__ import annotations

import tomllib

from bench.figures import seconds_a_call, show
from station.adapters.plant_files import shipped_plant_text
from station.domain.plant_file import load_plant


def main() -> None:
    text = shipped_plant_text()
    parsing = seconds_a_call(lambda: tomllib.loads(text), 1.0)
    loading = seconds_a_call(lambda: load_plant(text), 2.0)
    show(
        "the shipped station file (demanded: loaded in < 150 ms)",
        ("", "ms", "of its TOML"),
        [
            ("TOML parsed by tomllib", f"{parsing * 1e3:.0f}", "1.0"),
            ("loaded and checked", f"{loading * 1e3:.0f}", f"{loading / parsing:.1f}"),
        ],
    )


if __name__ == "__main__":
    main()
