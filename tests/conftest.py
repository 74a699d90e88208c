"""Fixtures shared by all tests: real servers, started once a session and only when a test asks for them."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.scheduler import Scheduling

from tests.support.influxd import Influxd
from tests.support.mosquitto import Mosquitto
from tests.support.sharing_out import FileSeconds, InShares, known_seconds, longest_first

gc.disable()

# Programs that tests start compile their modules once and not at each start, as under `make test`.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A deadline would fail a test for what other programs do; 50 examples a run, and other ones each time, find the same.
settings.register_profile("jinma", deadline=None, max_examples=50)
settings.load_profile("jinma")


def pytest_configure(config: pytest.Config) -> None:
    """Note how long each file takes, if told to."""
    file = os.environ.get("JINMA_FILE_SECONDS")
    if file and config.getoption("numprocesses", None):
        config.pluginmanager.register(FileSeconds(Path(file)))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let a worker begin with the longest; without workers the order stays: unit tests come first and fail first."""
    if hasattr(config, "workerinput"):
        items[:] = [items[n] for n in longest_first([item.nodeid for item in items], known_seconds())]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling | None:
    """Share the files out between the workers by their length, not by their number of tests."""
    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return InShares(config, log)


def pytest_collection_finish() -> None:
    """Collect garbage from here on, and never look at what the imports made: that took a sixth of all unit tests."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)  # ten times the usual: a test's own garbage is small, and there are many tests
    gc.enable()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Tell the tests of the API's operations apart: they share one id, and side by side only one of them would run."""
    if label := getattr(item, "operation_label", ""):
        item._nodeid = f"{item.nodeid}[{label}]"


@pytest.fixture(scope="session")
def mosquitto() -> Iterator[Mosquitto]:
    """A mosquitto for the whole session; a test that stops or kills one makes its own `Mosquitto()`."""
    with Mosquitto() as broker:
        yield broker


@pytest.fixture(scope="session")
def influxd() -> Iterator[Influxd]:
    """An influxd for the whole session; tests keep apart by station ids or buckets of their own."""
    with Influxd() as server:
        yield server
