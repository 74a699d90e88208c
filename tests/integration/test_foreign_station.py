"""Another's log from its file to the operator's eye: imported by the shipped example, asked for, shown, replayed."""

from __future__ import annotations

from pathlib import Path

import httpx

from station.adapters.log_files import read_log
from tests.support.foreign import EXAMPLE, foreign_log
from tests.support.service import Service, jinma

SPAN = {"start": "2026-10-14T00:30:00Z", "end": "2026-10-14T00:40:00Z"}


def test_the_log_of_the_example_is_shown_and_replayed(tmp_path: Path) -> None:
    log, data_dir = foreign_log(tmp_path / "run.csv"), tmp_path / "data"
    plant = ("--plant", str(EXAMPLE / "station.toml"))
    done = jinma("import", str(log), "--map", str(EXAMPLE / "map.toml"), *plant, "--data-dir", str(data_dir))
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out.ndjson"
    span = ("--from", SPAN["start"], "--to", SPAN["end"], "--data-dir", str(data_dir))
    assert jinma("export", *span, "--output", str(out)).returncode == 0
    assert sum(1 for _ in read_log(out)) == 120 * 8
    with Service("--no-simulator", *plant, "--keep", "3650d", data_dir=data_dir) as service:
        told = service.get("/stations/h2station/readings", signal="PT-310A", aggregate="raw", **SPAN)
        points = told["series"][0]["points"]
        assert (len(points), points[2][1:]) == (120, [25.998, "good"])
        assert service.ask("GET", "/stations/h2station/capacity").status_code == 404
        with httpx.Client(base_url=service.url, follow_redirects=True) as browser:
            page = browser.get(service.login_url().removeprefix(service.url))
            assert page.status_code == 200
            for name in ("", "capacity", "alarms"):
                page = browser.get(f"/console/{name}")
                assert page.status_code == 200, (name, page.text[:500])
        replayed = jinma("replay", str(out), "--broker", service.broker, "--speed", "max", "--json")
        assert '"messages": 960' in replayed.stdout
        line = ("replay", str(log), "--map", str(EXAMPLE / "map.toml"), *plant, "--broker", service.broker)
        straight = jinma(*line, "--speed", "max", "--json")
        assert '"messages": 960, "bad_lines": 0' in straight.stdout, straight.stderr
