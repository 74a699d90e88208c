"""What every reading store promises, run over the store in memory, SQLite and a real InfluxDB."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import os
import random
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station.adapters.influx_readings import InfluxReadings
from station.adapters.memory import MemoryReadings
from station.adapters.sqlite_readings import SEAL_ROWS, SqliteReadings
from station.adapters.store_urls import open_store
from station.domain.signals import Reading, UnitMessage
from station.errors import BadInputError, PointsRefusedError
from station.ports import Course, Minute, ReadingStore, ServicePoint, Window
from tests.support.influxd import Influxd

T0 = 1_795_420_800_000  # 2026-11-23T08:00:00Z
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
NUMBERS = ("mean", "min", "max", "last")
_numbers = itertools.count()


@pytest.fixture(params=["memory", "sqlite", "influx"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ReadingStore]:
    made: ReadingStore
    if request.param == "memory":
        made = MemoryReadings()
    elif request.param == "sqlite":
        made = SqliteReadings(tmp_path / "readings.db")
    else:
        influxd: Influxd = request.getfixturevalue("influxd")
        made = open_store(influxd.store_url(), influxd.token)
    yield made
    made.close()


@pytest.fixture
def station() -> str:
    return f"jinma-{os.getpid()}-{next(_numbers)}"


def bank(station: str, t_ms: int, quality: dict[str, str] | None = None, **values: float | None) -> UnitMessage:
    named: dict[str, float | None] = {name.replace("_", "-"): value for name, value in values.items()}
    return UnitMessage(station, "storage", "bank-HB", t_ms, named, quality or {})


def plain(message: UnitMessage) -> tuple[object, ...]:
    """A message as far as stores keep it."""
    qualities = {signal: message.quality_of(signal) for signal in message.values}
    return (message.station, message.area, message.unit, message.t_ms, dict(message.values), qualities)


def test_a_message_comes_back_whole(store: ReadingStore, station: str) -> None:
    sent = bank(station, T0, {"PT-330B": "uncertain:drift"}, PT_330A=44.12, PT_330B=44.09, ZS_330D=1.0, TT_330=None)
    store.write([sent])
    (back,) = store.messages(station, T0, T0 + 1)
    assert plain(back) == plain(sent)
    assert back.boot is None
    assert back.seq is None
    assert store.raw(station, "PT-330B", T0, T0 + 1) == [Reading("PT-330B", T0, 44.09, "uncertain:drift")]
    assert store.raw(station, "TT-330", T0, T0 + 1) == [Reading("TT-330", T0, None, "bad:null")]


def test_the_same_message_twice_is_the_same_point(store: ReadingStore, station: str) -> None:
    message = bank(station, T0, {"PT-330A": "bad:range"}, PT_330A=99.0, PT_330B=None)
    store.write([message, message])
    store.write([message])
    assert [plain(m) for m in store.messages(station, 0, T0 + DAY)] == [plain(message)]
    assert store.windows(station, "PT-330A", T0, T0 + MINUTE, MINUTE, "count")[0].value is None


def test_signals_of_the_same_time_merge_into_one_point(store: ReadingStore, station: str) -> None:
    store.write([bank(station, T0, PT_330A=1.0, PT_330B=2.0)])
    store.write([bank(station, T0, {"PT-330B": "uncertain"}, PT_330B=3.0, TT_330=20.0)])
    (back,) = store.messages(station, T0, T0 + 1)
    assert dict(back.values) == {"PT-330A": 1.0, "PT-330B": 3.0, "TT-330": 20.0}
    assert dict(back.quality) == {"PT-330B": "uncertain"}
    assert store.latest(station, ["PT-330B"])["PT-330B"] == Reading("PT-330B", T0, 3.0, "uncertain")


def test_null_wins_over_a_number_of_the_same_time(store: ReadingStore, station: str) -> None:
    store.write([bank(station, T0, PT_330A=1.0), bank(station, T0, PT_330A=None)])
    null = Reading("PT-330A", T0, None, "bad:null")
    assert store.raw(station, "PT-330A", T0, T0 + 1) == [null]
    assert store.latest(station, ["PT-330A"]) == {"PT-330A": null}
    assert store.windows(station, "PT-330A", T0, T0 + 1, MINUTE, "last") == [Window(T0, None, "bad:null")]


def test_messages_of_one_time_and_different_signals_merge_in_the_order_in_which_they_came(
    store: ReadingStore, station: str
) -> None:
    drifting = bank(station, T0, {"PT-330A": "uncertain"}, PT_330A=None, PT_330B=1.0)
    store.write([bank(station, T0, PT_330A=None), drifting, bank(station, T0, PT_330A=None)])
    null = Reading("PT-330A", T0, None, "bad:null")
    assert store.latest(station, ["PT-330A"]) == {"PT-330A": null}
    assert store.raw(station, "PT-330A", T0, T0 + 1) == [null]


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [("mean", [2.0, 7.5]), ("min", [1.0, 7.0]), ("max", [3.0, 8.0]), ("last", [3.0, 8.0]), ("count", [3.0, 2.0])],
)
def test_windows_of_every_aggregate(store: ReadingStore, station: str, aggregate: str, expected: list[float]) -> None:
    values = {0: 1.0, 20: 2.0, 59: 3.0, 180: 7.0, 181: 8.0}
    store.write([bank(station, T0 + s * SECOND, PT_330A=v) for s, v in values.items()])
    windows = store.windows(station, "PT-330A", T0, T0 + HOUR, MINUTE, aggregate)
    assert [(w.t_ms, w.quality) for w in windows] == [(T0, "good"), (T0 + 3 * MINUTE, "good")]
    assert [w.value for w in windows] == pytest.approx(expected, rel=1e-12)


def test_bad_values_are_left_out_and_the_worst_quality_is_told(store: ReadingStore, station: str) -> None:
    store.write(
        [
            bank(station, T0, PT_330A=1.0),
            bank(station, T0 + 1000, {"PT-330A": "uncertain:drift"}, PT_330A=3.0),
            bank(station, T0 + 2000, {"PT-330A": "bad:range"}, PT_330A=900.0),
            bank(station, T0 + 60_000, {"PT-330A": "uncertain:a"}, PT_330A=5.0),
            bank(station, T0 + 61_000, {"PT-330A": "uncertain:b"}, PT_330A=7.0),
            bank(station, T0 + 120_000, PT_330A=None),
            bank(station, T0 + 121_000, {"PT-330A": "bad:short"}, PT_330A=4.0),
            bank(station, T0 + 180_000, PT_330A=8.0),
        ]
    )
    expected = {
        "mean": [2.0, 6.0, None, 8.0],
        "min": [1.0, 5.0, None, 8.0],
        "max": [3.0, 7.0, None, 8.0],
        "last": [3.0, 7.0, None, 8.0],
        "count": [2.0, 2.0, None, 1.0],
    }
    for aggregate, values in expected.items():
        windows = store.windows(station, "PT-330A", T0, T0 + HOUR, MINUTE, aggregate)
        assert [w.value for w in windows] == values, aggregate
        assert [w.quality for w in windows] == ["bad:range", "uncertain:b", "bad:short", "good"]
        assert [w.t_ms for w in windows] == [T0, T0 + MINUTE, T0 + 2 * MINUTE, T0 + 3 * MINUTE]


def test_a_window_of_nothing_but_an_uncertain_null_is_there(store: ReadingStore, station: str) -> None:
    store.write([bank(station, T0, {"PT-330A": "uncertain"}, PT_330A=None), bank(station, T0 + MINUTE, PT_330A=1.0)])
    windows = store.windows(station, "PT-330A", T0, T0 + HOUR, MINUTE, "mean")
    assert windows == [Window(T0, None, "uncertain"), Window(T0 + MINUTE, 1.0, "good")]


def test_windows_are_aligned_and_take_only_what_was_asked(store: ReadingStore, station: str) -> None:
    hours = [T0 + n * HOUR for n in range(30)]
    store.write([bank(station, t, PT_330A=float(n)) for n, t in enumerate(hours)])
    start, end = T0 + HOUR // 2, T0 + 29 * HOUR  # the first window begins before the range
    epoch_days = store.windows(station, "PT-330A", start, end, DAY, "count")
    assert [(w.t_ms % DAY, w.value) for w in epoch_days] == [(0, 15.0), (0, 13.0)]
    # Shanghai's midnight is 16:00 UTC, eight hours after T0.
    local_days = store.windows(station, "PT-330A", start, end, DAY, "min", offset_ms=-8 * HOUR)
    assert [(w.t_ms, w.value) for w in local_days] == [(T0 - 16 * HOUR, 1.0), (T0 + 8 * HOUR, 8.0)]
    odd = store.windows(station, "PT-330A", T0, T0 + 3 * HOUR, 7 * MINUTE, "last", offset_ms=5)
    assert all((w.t_ms - 5) % (7 * MINUTE) == 0 for w in odd)
    assert [w.value for w in odd] == [0.0, 1.0, 2.0]


def test_a_window_ends_before_its_end(store: ReadingStore, station: str) -> None:
    store.write([bank(station, T0 + MINUTE - 1, PT_330A=1.0), bank(station, T0 + MINUTE, PT_330A=2.0)])
    assert store.windows(station, "PT-330A", T0, T0 + MINUTE, MINUTE, "count") == [Window(T0, 1.0, "good")]
    assert [r.value for r in store.raw(station, "PT-330A", T0 + MINUTE, T0 + MINUTE + 1)] == [2.0]
    assert store.raw(station, "PT-330A", T0, T0) == []
    assert store.windows(station, "PT-330A", T0, T0, MINUTE, "mean") == []


def test_wrong_questions_are_refused(store: ReadingStore, station: str) -> None:
    with pytest.raises(BadInputError, match="median"):
        store.windows(station, "PT-330A", T0, T0 + 1, MINUTE, "median")
    with pytest.raises(BadInputError, match="positive"):
        store.windows(station, "PT-330A", T0, T0 + 1, 0, "mean")


def test_stations_do_not_see_each_other(store: ReadingStore, station: str) -> None:
    replay = f"{station}~ab12cd34"
    store.write([bank(station, T0, PT_330A=1.0), bank(replay, T0 + 1, PT_330A=2.0)])
    assert [r.value for r in store.raw(station, "PT-330A", 0, T0 + DAY)] == [1.0]
    assert [r.value for r in store.raw(replay, "PT-330A", 0, T0 + DAY)] == [2.0]
    assert [m.station for m in store.messages(replay, 0, T0 + DAY)] == [replay]
    assert store.span(station) == (T0, T0)
    assert store.latest(replay, ["PT-330A"])["PT-330A"].value == 2.0
    assert [s for s in store.stations() if s.startswith(station)] == [station, replay]


def test_an_empty_station_has_nothing(store: ReadingStore, station: str) -> None:
    assert store.span(station) is None
    assert store.latest(station, ["PT-330A"]) == {}
    assert list(store.messages(station, 0, T0)) == []
    assert store.windows(station, "PT-330A", 0, T0, HOUR, "mean") == []
    assert station not in store.stations()
    store.write([])
    store.write_points([])


def test_latest_is_the_newest_by_its_own_time(store: ReadingStore, station: str) -> None:
    store.write([bank(station, T0 + 5000, {"PT-330B": "uncertain:drift"}, PT_330A=5.0, PT_330B=6.0)])
    store.write([bank(station, T0 + 1000, PT_330A=1.0, TT_330=21.0), bank(station, T0 + 6000, PT_330B=None)])
    assert store.latest(station, ["PT-330A", "PT-330B", "TT-330", "PT-999"]) == {
        "PT-330A": Reading("PT-330A", T0 + 5000, 5.0),
        "PT-330B": Reading("PT-330B", T0 + 6000, None, "bad:null"),
        "TT-330": Reading("TT-330", T0 + 1000, 21.0),
    }
    store.write([bank(station, T0 + 7000, PT_330B=7.0)])
    assert store.latest(station, ["PT-330B"])["PT-330B"] == Reading("PT-330B", T0 + 7000, 7.0)


def test_late_data_takes_its_place(store: ReadingStore, station: str) -> None:
    store.write([bank(station, T0 + n * SECOND, PT_330A=float(n)) for n in (3, 1, 4)])
    store.write([bank(station, T0 + 2 * SECOND, PT_330A=2.0), bank(station, T0 - 30 * MINUTE, PT_330A=-1.0)])
    assert [r.value for r in store.raw(station, "PT-330A", 0, T0 + DAY)] == [-1.0, 1.0, 2.0, 3.0, 4.0]
    assert [r.value for r in store.raw(station, "PT-330A", 0, T0 + DAY, limit=2)] == [-1.0, 1.0]
    assert store.raw(station, "PT-330A", 0, T0 + DAY, limit=0) == []
    assert store.span(station) == (T0 - 30 * MINUTE, T0 + 4 * SECOND)


def test_messages_come_in_order_of_time_area_and_unit(store: ReadingStore, station: str) -> None:
    units = [("vehicle", "hose-1A"), ("dispensing", "hose-1A"), ("dispensing", "dispenser-1")]
    sent = [UnitMessage(station, a, u, T0 + n * 500, {"X": float(n)}) for n in range(3) for a, u in units]
    random.Random(1).shuffle(sent)
    store.write(sent)
    back = list(store.messages(station, T0, T0 + 1000))
    expected = sorted((m for m in sent if m.t_ms < T0 + 1000), key=lambda m: (m.t_ms, m.area, m.unit))
    assert [plain(m) for m in back] == [plain(m) for m in expected]


def test_names_with_special_characters(store: ReadingStore, station: str) -> None:
    odd = f"{station} a,b=c\"d'e|f${{g}}"
    values = {'P T,1=2"x': 1.5, "温度": None, "${y}": 2.5}
    sent = UnitMessage(odd, "storage", "bank 1,=\"$'", T0, values, {'P T,1=2"x': 'uncertain:says "no", a=b'})
    store.write([sent])
    assert [plain(m) for m in store.messages(odd, T0, T0 + 1)] == [plain(sent)]
    assert store.raw(odd, 'P T,1=2"x', T0, T0 + 1)[0].quality == 'uncertain:says "no", a=b'
    assert set(store.latest(odd, list(values))) == set(values)
    assert store.windows(odd, "${y}", T0, T0 + 1, MINUTE, "mean") == [Window(T0, 2.5, "good")]


@pytest.mark.parametrize(
    "bad",
    [
        lambda s: UnitMessage(s, "storage", "bank-HB", T0, {}),
        lambda s: UnitMessage(s, "storage", "bank-HB", T0, {"PT-1": math.nan}),
        lambda s: UnitMessage(s, "storage", "bank-HB", T0, {"PT-1": 1.0, "PT-2": -math.inf}),
        lambda s: UnitMessage(s, "storage", "bank\nHB", T0, {"PT-1": 1.0}),
        lambda s: UnitMessage(s, "storage", "bank\\", T0, {"PT-1": 1.0}),
        lambda s: UnitMessage(s, "storage", "bank-HB", T0, {"PT-1.q": 1.0}),
        lambda s: UnitMessage(s, "storage", "bank-HB", -1, {"PT-1": 1.0}),
        lambda s: UnitMessage(s, "storage", "bank-HB", 10**16, {"PT-1": 1.0}),
    ],
)
def test_what_cannot_be_stored_is_named_and_the_rest_is_stored(
    store: ReadingStore, station: str, bad: Callable[[str], UnitMessage]
) -> None:
    good = [bank(station, T0 + n, PT_330A=float(n)) for n in range(3)]
    with pytest.raises(PointsRefusedError) as caught:
        store.write([good[0], bad(station), good[1], bad(station), good[2]])
    assert sorted(caught.value.refused) == [1, 3]
    assert all(caught.value.refused.values())
    assert [r.value for r in store.raw(station, "PT-330A", 0, T0 + DAY)] == [0.0, 1.0, 2.0]


def test_points_of_our_own_services(store: ReadingStore, station: str) -> None:
    tags = {"station": station, "id": "PT-330A.HH", "priority": "critical"}
    text = {"text_zh": '高压储氢 "压力" 高高\n第二行\\', "value": 45.2, "state": "UNACK"}
    store.write_points([ServicePoint("alarms", tags, text, T0), ServicePoint("alarms", tags, {"value": 1.0}, T0 + 5)])
    store.write_points([ServicePoint("alarms", tags, {"value": 46.0, "lost": math.nan}, T0)])
    store.write_points([ServicePoint("alarms", {"station": station, "id": "X", "group": ""}, {"value": 2.0}, T0 + 1)])
    store.write_points([ServicePoint("ingest", tags, {"received": 3}, T0)])
    assert store.read_points("alarms", {"station": station}, T0, T0 + 5) == [
        ServicePoint("alarms", tags, text | {"value": 46.0}, T0),
        ServicePoint("alarms", {"station": station, "id": "X"}, {"value": 2.0}, T0 + 1),
    ]
    assert [p.t_ms for p in store.read_points("alarms", {"station": station, "id": "PT-330A.HH"}, T0, T0 + 6)] == [
        T0,
        T0 + 5,
    ]
    assert store.read_points("alarms", {"station": "elsewhere"}, T0, T0 + 5) == []
    assert station not in store.stations()  # points of services are no readings
    assert store.span(station) is None


def test_forgetting_a_station(store: ReadingStore, station: str) -> None:
    other = f"{station}~ab12cd34"
    for of in (station, other):
        store.write([bank(of, T0 + n * MINUTE, PT_330A=float(n)) for n in range(90)])
        store.write_points([ServicePoint("ingest", {"station": of}, {"received": 3.0}, T0)])
    store.forget_station(other)
    assert other not in store.stations()
    assert store.span(other) is None
    assert store.latest(other, ["PT-330A"]) == {}
    assert store.minutes(other, "PT-330A", T0, T0 + DAY) == []
    assert store.windows(other, "PT-330A", T0, T0 + DAY, HOUR, "mean") == []
    assert store.read_points("ingest", {"station": other}, 0, T0 + DAY) == []
    assert store.span(station) == (T0, T0 + 89 * MINUTE)
    assert len(store.read_points("ingest", {"station": station}, 0, T0 + DAY)) == 1
    store.write([bank(other, T0, PT_330A=5.0)])  # it may come again
    assert store.latest(other, ["PT-330A"])["PT-330A"].value == 5.0


def test_forgetting(store: ReadingStore, station: str) -> None:
    store.write([bank(station, T0 + n * 10 * MINUTE, PT_330A=float(n)) for n in range(20)])
    store.write([UnitMessage(station, "storage", "vent", T0, {"TT-391": 20.0})])
    store.write_points([ServicePoint("ingest", {"station": station}, {"received": 3.0}, T0 + n) for n in (0, HOUR)])
    store.forget_before(T0 + 35 * MINUTE)
    assert store.raw(station, "PT-330A", 0, T0 + DAY)[0].t_ms == T0 + 40 * MINUTE
    assert store.span(station) == (T0 + 40 * MINUTE, T0 + 190 * MINUTE)
    assert store.latest(station, ["TT-391"]) == {}
    assert [p.t_ms for p in store.read_points("ingest", {"station": station}, 0, T0 + DAY)] == [T0 + HOUR]


def test_many_threads_write_and_read_at_once(store: ReadingStore, station: str) -> None:
    def work(number: int) -> None:
        for n in range(10):
            t_ms = T0 + n * SECOND
            store.write([UnitMessage(station, "dispensing", f"hose-{number}", t_ms, {f"FT-{number}": float(n)})])
            assert store.latest(station, [f"FT-{number}"])[f"FT-{number}"].value == n

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(len(m.values) for m in store.messages(station, T0, T0 + DAY)) == 60


def test_close_twice(store: ReadingStore) -> None:
    store.close()
    store.close()


def test_courses_hold_all_numbers_of_the_windows_of_some_signals(store: ReadingStore, station: str) -> None:
    said = [
        bank(station, T0 + n * 20 * SECOND, PT_330A=float(n % 37), PT_330B=2.0 * n) for n in range(600) if n % 200 < 150
    ]
    doubtful = [
        bank(station, T0 + 5 * MINUTE + 1, {"PT-330A": "uncertain:drift"}, PT_330A=99.0),
        bank(station, T0 + 40 * MINUTE + 1, {"PT-330A": "bad:range"}, PT_330A=-99.0),
        bank(station, T0 + 55 * MINUTE, PT_330A=None, PT_330B=1.0),
    ]
    store.write(said + doubtful)
    rolled_up(store, T0, T0 + 4 * HOUR)
    for every, offset in ((15 * MINUTE, 0), (HOUR, -8 * HOUR), (30 * MINUTE, 15 * MINUTE), (7 * MINUTE, 0), (5000, 0)):
        over = (T0 + MINUTE, T0 + 3 * HOUR, every)
        first, second, none = store.courses(station, ["PT-330B", "PT-330A", "PT-999"], *over, NUMBERS, offset)
        for signal, course in (("PT-330B", first), ("PT-330A", second), ("PT-999", none)):
            assert tuple(course.numbers) == NUMBERS
            for name in NUMBERS:
                assert course.windows(name) == store.windows(station, signal, *over, name, offset), (
                    signal,
                    name,
                    every,
                )
    assert {"good", "uncertain:drift", "bad:range"} < set(second.quality)
    (silent,) = store.courses(station, ["PT-330A"], T0 + 55 * MINUTE, T0 + HOUR, MINUTE, ["mean"])
    assert None in silent.numbers["mean"]
    assert store.courses(station, [], T0, T0 + HOUR, MINUTE, ["mean"]) == []
    assert store.courses(station, ["PT-330A"], T0, T0, MINUTE, ["mean"])[0].t_ms == []
    with pytest.raises(BadInputError, match="median"):
        store.courses(station, ["PT-330A"], T0, T0 + 1, MINUTE, ["mean", "median"])


def test_a_signal_that_moved_to_another_unit_has_one_course(store: ReadingStore, station: str) -> None:
    store.write([bank(station, T0 + n * MINUTE, PT_330A=1.0) for n in range(40)])
    store.write(
        [UnitMessage(station, "storage", "bank-LB", T0 + n * MINUTE + 1, {"PT-330A": 3.0}) for n in range(35, 90)]
    )
    rolled_up(store, T0, T0 + 2 * HOUR)
    (course,) = store.courses(station, ["PT-330A"], T0, T0 + 2 * HOUR, 15 * MINUTE, NUMBERS)
    assert course.t_ms == [T0 + n * 15 * MINUTE for n in range(6)]
    assert course.numbers["mean"] == [1.0, 1.0, pytest.approx((10 + 3 * 10) / 20), 3.0, 3.0, 3.0]
    assert course.numbers["min"] == [1.0, 1.0, 1.0, 3.0, 3.0, 3.0]
    assert course.numbers["max"] == [1.0, 1.0, 3.0, 3.0, 3.0, 3.0]


@pytest.mark.parametrize("signal", ["PT-330A", "PT-330B", "PT-320A", "PT-999"])
def test_a_mean_by_itself_is_the_mean_among_others(store: ReadingStore, station: str, signal: str) -> None:
    said = [
        bank(station, T0 + n * 10 * SECOND, PT_330A=n / 7, PT_330B=-n * 1e-7)
        for n in range(900)
        if n // 100 not in (2, 5)
    ]
    doubtful = [
        bank(station, T0 + 10 * MINUTE + 1, {"PT-330A": "uncertain:drift"}, PT_330A=99.0),
        bank(station, T0 + 40 * MINUTE + 1, {"PT-330A": "bad:range"}, PT_330A=-99.0),
        bank(station, T0 + 50 * MINUTE, {"PT-330A": "uncertain:drift"}, PT_330A=None),
        bank(station, T0 + 90 * MINUTE, PT_330A=None),
    ]
    moved = [
        UnitMessage(station, "storage", unit, T0 + n * MINUTE, {"PT-320A": 1.0 + n})
        for unit, minutes in (("bank-MB", range(20)), ("bank-LB", range(15, 60)))
        for n in minutes
    ]
    store.write(said + doubtful + moved)
    for start, end, every, offset in (
        (T0, T0 + 3 * HOUR, MINUTE, 0),
        (T0 + 1234, T0 + 100 * MINUTE + 567, MINUTE, 0),
        (T0 - 5 * MINUTE, T0 + 11 * MINUTE, 7 * MINUTE, 3 * MINUTE),
        (T0 + 30 * MINUTE, T0 + 4 * HOUR, 5000, 0),
        (T0 + 10 * MINUTE, T0 + 10 * MINUTE + 30_000, 10_000, 5000),
        (T0 + 20 * MINUTE, T0 + 30 * MINUTE, HOUR, -8 * HOUR),
        (T0 + DAY, T0 + 2 * DAY, MINUTE, 0),
    ):
        over = (station, [signal], start, end, every)
        (alone,), (among,) = (store.courses(*over, names, offset) for names in (["mean"], ["mean", "count"]))
        assert alone.windows("mean") == among.windows("mean"), (start - T0, every)


def test_minutes_are_over_what_counts(store: ReadingStore, station: str) -> None:
    store.write(
        [
            bank(station, T0, PT_330A=1.0),
            bank(station, T0 + 20 * SECOND, {"PT-330A": "uncertain:drift"}, PT_330A=4.0),
            bank(station, T0 + 30 * SECOND, {"PT-330A": "bad:range"}, PT_330A=99.0),
            bank(station, T0 + 40 * SECOND, PT_330A=None),
            bank(station, T0 + 59_999, PT_330A=2.5),
            bank(station, T0 + 2 * MINUTE, PT_330A=None),
            bank(station, T0 + 3 * MINUTE, PT_330A=7.0),
        ]
    )
    rolled_up(store, T0, T0 + HOUR)
    expected = [
        Minute(T0, 2.5, 1.0, 4.0, 2.5, 3, 2),
        Minute(T0 + 2 * MINUTE, None, None, None, None, 0, 1),
        Minute(T0 + 3 * MINUTE, 7.0, 7.0, 7.0, 7.0, 1, 0),
    ]
    assert store.minutes(station, "PT-330A", T0, T0 + HOUR) == expected
    assert store.minutes(station, "PT-330A", T0 + 1, T0 + 3 * MINUTE) == expected[1:2]
    assert store.minutes(station, "PT-330B", T0, T0 + HOUR) == []


def test_late_data_puts_minutes_right(store: ReadingStore, station: str) -> None:
    store.write([bank(station, T0 + n * 20 * SECOND, PT_330A=float(n)) for n in range(9)])
    rolled_up(store, T0, T0 + HOUR)
    late = [
        bank(station, T0 + 70 * SECOND, PT_330A=-5.0),
        bank(station, T0 + 120 * SECOND, {"PT-330A": "bad:range"}, PT_330A=6.0),
        bank(station, T0 + 10 * MINUTE, PT_330A=1.0),
    ]
    hour = (station, ["PT-330A"], T0, T0 + HOUR, HOUR, ["min", "last"])
    (before,) = store.courses(*hour)
    store.write(late)
    rolled_up(store, T0, T0 + HOUR)
    (after,) = store.courses(*hour)
    assert (before.numbers, before.quality) == ({"min": [0.0], "last": [8.0]}, ["good"])
    assert (after.numbers, after.quality) == ({"min": [-5.0], "last": [1.0]}, ["bad:range"])
    assert store.minutes(station, "PT-330A", T0, T0 + HOUR) == [
        Minute(T0, 1.0, 0.0, 2.0, 2.0, 3, 0),
        Minute(T0 + MINUTE, 1.75, -5.0, 5.0, 5.0, 4, 0),
        Minute(T0 + 2 * MINUTE, 7.5, 7.0, 8.0, 8.0, 2, 1),
        Minute(T0 + 10 * MINUTE, 1.0, 1.0, 1.0, 1.0, 1, 0),
    ]


def test_minutes_outlive_readings(store: ReadingStore, station: str) -> None:
    store.write([bank(station, T0 + n * 10 * SECOND, PT_330A=float(n)) for n in range(36)])
    rolled_up(store, T0, T0 + HOUR)
    minutes = store.minutes(station, "PT-330A", T0, T0 + HOUR)
    quarters = (station, ["PT-330A"], T0, T0 + HOUR, 15 * MINUTE, ["mean", "min", "last"])
    (course,) = store.courses(*quarters)
    store.forget_before(T0 + 3 * MINUTE)
    assert store.raw(station, "PT-330A", T0, T0 + DAY)[0].t_ms == T0 + 3 * MINUTE
    assert store.minutes(station, "PT-330A", T0, T0 + HOUR) == minutes
    assert course.numbers == {"mean": [17.5], "min": [0.0], "last": [35.0]}
    if not isinstance(
        store, InfluxReadings
    ):  # which asks its minutes once the bucket of readings says they are too old
        assert store.courses(*quarters) == [course]
    assert [m.mean for m in minutes] == [2.5, 8.5, 14.5, 20.5, 26.5, 32.5]
    store.forget_minutes_before(T0 + 2 * MINUTE)
    assert store.minutes(station, "PT-330A", T0, T0 + HOUR) == minutes[2:]


def rolled_up(store: ReadingStore, start_ms: int, end_ms: int) -> None:
    """Do what InfluxDB's own tasks would have done by now; the other stores need nobody for it."""
    if isinstance(store, InfluxReadings):
        store.roll_up(start_ms, end_ms)


signals = st.sampled_from(["PT-1", "PT-2", "TT-1", "ZS-1", "FQ-1"])
numbers = st.one_of(
    st.none(),
    st.floats(-1e300, 1e300),  # a dozen of the largest floats has no sum
    st.integers(-(10**7), 10**7).map(lambda n: n / 100),
    st.sampled_from([0.0, 1.0]),
)
qualities = st.sampled_from(["uncertain", "uncertain:drift", "bad", "bad:range", "bad:null"])
times = st.integers(45 * MINUTE, 80 * MINUTE).map(lambda ms: T0 + ms)  # two hours, and few enough minutes to work out


@st.composite
def messages(draw: st.DrawFn, station: str) -> UnitMessage:
    values = draw(st.dictionaries(signals, numbers, min_size=1))
    quality = draw(st.dictionaries(st.sampled_from(sorted(values)), qualities))
    area, unit = draw(st.sampled_from([("storage", "bank-HB"), ("storage", "bank-LB"), ("cooling", "chiller-1")]))
    return UnitMessage(station, area, unit, draw(times), values, quality)


NAMES = ("PT-1", "PT-2", "TT-1", "ZS-1", "FQ-1")


@st.composite
def written(draw: st.DrawFn, station: str) -> list[list[UnitMessage]]:
    """Messages in any order, some of them again, in a few writes."""
    sent = draw(st.lists(messages(station), min_size=1, max_size=12))
    sent += draw(st.lists(st.sampled_from(sent), max_size=6))
    cuts = sorted(draw(st.lists(st.integers(0, len(sent)), max_size=3)))
    return [sent[low:high] for low, high in itertools.pairwise([0, *cuts, len(sent)])]


def agree_with_memory(store: ReadingStore, batches: list[list[UnitMessage]], station: str) -> None:
    """Write; every question must have the answer of the store in memory."""
    memory = MemoryReadings()
    for batch in batches:
        memory.write(batch)
        store.write(batch)
    start, end = T0 + 40 * MINUTE, T0 + 90 * MINUTE
    assert [plain(m) for m in store.messages(station, T0, end)] == [plain(m) for m in memory.messages(station, T0, end)]
    assert store.span(station) == memory.span(station)
    if len({message.key for batch in batches for message in batch}) > 1:
        return  # the same tag in two units at one time has no order
    rolled_up(store, start, end)
    assert store.latest(station, NAMES) == memory.latest(station, NAMES)
    for name in NAMES:
        assert store.raw(station, name, T0, end) == memory.raw(station, name, T0, end)
        assert_same_minutes(store.minutes(station, name, start, end), memory.minutes(station, name, start, end))
        for every, offset in (
            (7 * MINUTE, 3 * MINUTE),
            (7 * MINUTE + 1, 7),
            (15 * MINUTE, 0),
            (30 * MINUTE, -15 * MINUTE),
        ):
            for aggregate in ("min", "max", "last", "count"):
                asked = (station, name, T0 + 50 * MINUTE + 1, end, every, aggregate, offset)
                assert store.windows(*asked) == memory.windows(*asked)
            over = (T0 + 50 * MINUTE + 1, end, every, NUMBERS, offset)
            assert_same_course(*store.courses(station, [name], *over), *memory.courses(station, [name], *over))


def assert_same_course(found: Course, expected: Course) -> None:
    """Means are sums of floats in another order; all else is exact."""
    exact = ("min", "max", "last")
    assert [found.windows(name) for name in exact] == [expected.windows(name) for name in exact]
    means = (found.numbers["mean"], expected.numbers["mean"])
    for mean, other, low, high in zip(*means, expected.numbers["min"], expected.numbers["max"], strict=True):
        assert (mean is None) == (other is None)
        if other is not None and low is not None and high is not None:
            assert mean == pytest.approx(other, rel=1e-12, abs=1e-12 * max(abs(low), abs(high)))


def assert_same_minutes(found: list[Minute], expected: list[Minute]) -> None:
    """Means are sums of floats in another order; all else is exact."""
    assert [replace(one, mean=None) for one in found] == [replace(one, mean=None) for one in expected]
    for one, other in zip(found, expected, strict=True):
        if one.mean is not None and other.min is not None and other.max is not None:
            assert one.mean == pytest.approx(other.mean, rel=1e-12, abs=1e-12 * max(abs(other.min), abs(other.max)))


@given(data=st.data())
@settings(max_examples=int(os.environ.get("JINMA_STORE_EXAMPLES", "60")), deadline=None)
def test_sqlite_agrees_with_memory(data: st.DataObject) -> None:
    station = f"s{next(_numbers)}"
    batches = data.draw(written(station))
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteReadings(Path(folder) / "one.db", data.draw(st.sampled_from([1, 3, SEAL_ROWS])))
        try:
            agree_with_memory(store, batches, station)
        finally:
            store.close()


@given(data=st.data())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_influx_agrees_with_memory(data: st.DataObject, influxd: Influxd) -> None:
    station = f"s{os.getpid()}-{next(_numbers)}"
    batches = data.draw(written(station))
    store = open_store(influxd.store_url(), influxd.token)
    try:
        agree_with_memory(store, batches, station)
    finally:
        store.close()


def test_sealed_blocks_and_newest_messages_answer_as_one(tmp_path: Path) -> None:
    rng = random.Random(7)
    sent = []
    for n in range(SEAL_ROWS + 700):
        values: dict[str, float | None] = {"PT-1": round(rng.uniform(0, 45), 2), "FQ-1": 5_000_000 + n * 0.001}
        if n % 5 == 0:
            values["XI-1"] = rng.uniform(-1e300, 1e300)
        if n % 997 == 0:
            values["PT-1"] = None
        quality = {"FQ-1": "uncertain:drift"} if n % 501 == 0 else {}
        sent.append(UnitMessage("jinma", "storage", "bank-HB", T0 + n * SECOND, values, quality))
    store, memory = SqliteReadings(tmp_path / "sealed.db"), MemoryReadings()
    late = UnitMessage("jinma", "storage", "bank-HB", T0 + 1500, {"PT-1": 7.0, "XI-1": None})
    again = UnitMessage("jinma", "storage", "bank-HB", T0 + 2000, {"PT-1": 8.0}, {"PT-1": "bad:late"})
    for batch in (sent[:3000], sent[3000:4500], [late, again], sent[4500:]):
        store.write(batch)
        memory.write(batch)
    end = T0 + DAY
    assert [plain(m) for m in store.messages("jinma", T0, end)] == [plain(m) for m in memory.messages("jinma", T0, end)]
    for signal in ("PT-1", "FQ-1", "XI-1"):
        assert store.raw("jinma", signal, T0, end) == memory.raw("jinma", signal, T0, end)
        assert store.raw("jinma", signal, T0, end, 10) == memory.raw("jinma", signal, T0, end, 10)
        for aggregate in ("min", "max", "last", "count"):
            asked = ("jinma", signal, T0, end, MINUTE, aggregate)
            assert store.windows(*asked) == memory.windows(*asked)
    store.forget_before(T0 + 30 * MINUTE)
    memory.forget_before(T0 + 30 * MINUTE)
    assert store.span("jinma") == memory.span("jinma")
    assert store.raw("jinma", "PT-1", T0, end) == memory.raw("jinma", "PT-1", T0, end)
    store.close()


def test_readings_outlive_the_process_and_serve_two(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "readings.db"
    first, second = SqliteReadings(path), SqliteReadings(path)
    first.write([bank("jinma", T0, PT_330A=1.0)])
    second.write([bank("jinma", T0 + 1, {"PT-330A": "uncertain:x"}, PT_330A=2.0)])
    first.write([bank("jinma", T0 + 2, {"PT-330A": "uncertain:x"}, PT_330A=3.0)])
    expected = [(1.0, "good"), (2.0, "uncertain:x"), (3.0, "uncertain:x")]
    assert [(r.value, r.quality) for r in second.raw("jinma", "PT-330A", T0, T0 + 9)] == expected
    first.close()
    second.close()
    third = SqliteReadings(path)
    assert [(r.value, r.quality) for r in third.raw("jinma", "PT-330A", T0, T0 + 9)] == expected
    third.close()


def test_alignment_holds_far_from_the_epoch(store: ReadingStore, station: str) -> None:
    moment = dt.datetime(2026, 6, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    start = int(moment.timestamp() * 1000)
    store.write([bank(station, start + h * HOUR, PT_330A=float(h)) for h in (0, 23, 24)])
    days = store.windows(station, "PT-330A", start, start + 2 * DAY, DAY, "last", offset_ms=-8 * HOUR)
    assert [(w.t_ms, w.value) for w in days] == [(start, 23.0), (start + DAY, 24.0)]
