"""Commands find the service of their data directory by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.data_directory import DataDirectory
from cli.running import api_of, broker_of, needed_broker
from station.errors import BadInputError
from station.settings import load_settings


def test_the_service_that_runs_is_found_until_it_ends(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    assert (api_of(settings), broker_of(settings)) == ("http://127.0.0.1:8000", None)
    running = DataDirectory(tmp_path)
    running.write_ports(http=8123, broker="127.0.0.1:1884")
    assert (api_of(settings), broker_of(settings)) == ("http://127.0.0.1:8123", "mqtt://127.0.0.1:1884")
    running.close()
    assert (api_of(settings), broker_of(settings)) == ("http://127.0.0.1:8000", None)


def test_what_was_named_goes_before_what_runs(tmp_path: Path) -> None:
    running = DataDirectory(tmp_path)
    running.write_ports(http=8123, broker="127.0.0.1:1884")
    named = load_settings(data_dir=tmp_path, api="http://elsewhere:81/", broker="mqtt://other")
    assert (api_of(named), broker_of(named)) == ("http://elsewhere:81", "mqtt://other")
    running.close()


def test_what_a_killed_service_left_is_not_believed(tmp_path: Path) -> None:
    DataDirectory(tmp_path).close()
    (tmp_path / "run.json").write_text('{"pid": 1, "http": 8123, "broker": "127.0.0.1:1884"}')
    settings = load_settings(data_dir=tmp_path)
    assert broker_of(settings) is None
    with pytest.raises(BadInputError, match=f"--broker: name the broker of the simulator; .*{tmp_path.name}"):
        needed_broker(settings, "of the simulator")
