"""Sorting, dead letters, counts, retries and watermarks, with stores and publishers in memory."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest.ledger import DEAD_LETTERS_KEPT, DEAD_PAYLOAD_KEPT, DeadLetter, Ledger, encode_sequences, read_ledger
from ingest.service import IngestService, feed_filters
from ingest.spool import Position
from ingest.supervision import Supervised
from ingest.watermarks import SecondIngestError, SecondIngestWatch, Watermarks
from station.adapters.memory import MemoryReadings
from station.adapters.plant_files import shipped_plant
from station.domain.signals import UnitMessage
from station.errors import (
    DataDirectoryError,
    FinalError,
    JinmaError,
    StoreUnavailableError,
    TransientError,
)
from station.ports import OnMessages
from station.wire import topics
from station.wire.admission import Admission
from station.wire.plan_v1 import ClockReading
from tests.support.processes import wait_until

NOW_MS = 1_780_000_000_000
MINUTE_MS = NOW_MS - NOW_MS % 60_000
TAG = "PT-330A"


class FixedClock:
    def now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(NOW_MS / 1000, dt.UTC)

    def speed(self) -> float:
        return 1.0


class HandFeed:
    """A feed that hands over what the test gives it."""

    def __init__(self) -> None:
        self.give: OnMessages = lambda _: None
        self.stopped = False

    def start(self, on_messages: OnMessages) -> None:
        self.give = on_messages

    def stop(self) -> None:
        self.stopped = True


class NotingPublisher:
    connected = True
    unsettled = 0

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, object], bool]] = []

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        self.said.append((topic, json.loads(payload), retain))


class FlakyStore(MemoryReadings):
    """Away for the first tries; refuses any batch with a value of 13 in it as a whole."""

    def __init__(self, away: int = 0) -> None:
        super().__init__()
        self.away = away
        self.tries = 0

    def write(self, messages: Sequence[UnitMessage]) -> None:
        self.tries += 1
        if self.tries <= self.away:
            raise StoreUnavailableError("store at nowhere:1 does not answer")
        if any(13.0 in message.values.values() for message in messages):
            raise FinalError("thirteen is not stored here")
        super().write(messages)


def reading(seq: int, value: float | str = 1.0, *, t_ms: int | None = None, boot: str = "b1") -> tuple[str, bytes]:
    at = NOW_MS + 10 * seq if t_ms is None else t_ms
    body = {"t": at, "boot": boot, "seq": seq, "v": {TAG: value}}
    plant = shipped_plant()
    signal = plant.signals[TAG]
    return topics.reading(plant.id, signal.area, signal.unit), json.dumps(body).encode()


class Bench:
    """A whole ingest on fakes."""

    def __init__(self, directory: Path, store: MemoryReadings | None = None, **options: object) -> None:
        self.feed, self.publisher = HandFeed(), NotingPublisher()
        self.store = store or MemoryReadings()
        self.service = IngestService(
            self.feed,
            self.publisher,
            self.store,
            Admission([shipped_plant()]),
            FixedClock(),
            directory / "spool",
            **options,  # type: ignore[arg-type]
        )
        self.service.start()

    def settled(self, count: int) -> None:
        def done() -> bool:
            figures = self.service.figures()
            return figures.delivered + sum(figures.refused.values()) >= count

        wait_until(done, 5, f"{count} messages settled")

    def values(self) -> list[float | None]:
        return [r.value for r in self.store.raw("jinma", TAG, 0, 2 * NOW_MS)]


def test_messages_reach_the_store_and_the_watermark_says_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.feed.give([reading(n, float(n)) for n in range(1, 6)])
    bench.settled(5)
    bench.service.stop()
    assert bench.values() == [1.0, 2.0, 3.0, 4.0, 5.0]
    topic, body, retain = bench.publisher.said[-1]
    signal = shipped_plant().signals[TAG]
    assert topic == topics.stored("jinma", signal.area, signal.unit)
    assert (body["boot"], body["seq"], body["by"], retain) == ("b1", 5, bench.service.name, True)
    assert bench.feed.stopped


def test_poison_is_set_aside_with_its_reason_and_the_good_go_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    good = [reading(1, 1.0), reading(4, 4.0)]
    poison = [
        ("h2/v1/nowhere/storage/bank-HB", reading(1)[1]),
        ("h2/v1/jinma/storage/bank-XX", reading(1)[1]),
        (reading(2)[0], b"{not json"),
        reading(3, "three"),
        reading(9, t_ms=NOW_MS - 31 * 24 * 3600 * 1000, boot="old"),
        (reading(1)[0], b'{"t": 1, "v": {}}'),
    ]
    bench.feed.give([good[0], *poison, good[1]])
    bench.settled(8)
    figures = bench.service.figures()
    assert bench.values() == [1.0, 4.0]
    assert figures.refused == {"station": 1, "unit": 1, "json": 1, "value": 1, "time": 1, "shape": 1}
    letters = bench.service.dead_letters()
    assert {letter.reason for letter in letters} == set(figures.refused)
    assert all(letter.text and letter.topic for letter in letters)
    bench.service.stop()
    assert bench.publisher.said[-1][1]["boot"] in {"b1", "old"}


def test_a_dead_letter_with_a_number_is_no_gap(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.feed.give([reading(1, 1.0), reading(2, "two"), reading(3, 3.0)])
    bench.settled(3)
    assert bench.service.figures().missing == 0
    bench.service.stop()
    assert bench.publisher.said[-1][1]["seq"] == 3


def test_an_outage_of_the_store_costs_delay_only(tmp_path: Path) -> None:
    bench = Bench(tmp_path, FlakyStore(away=2))
    bench.feed.give([reading(1, 1.0)])
    wait_until(lambda: bench.service.figures().store_error is not None, 5, "an outage in sight")
    figures = bench.service.figures()
    assert "nowhere:1" in str(figures.store_error)
    assert figures.oldest_age_s is not None
    bench.feed.give([reading(2, 2.0)])
    bench.settled(2)
    assert bench.values() == [1.0, 2.0]
    assert bench.service.figures().store_error is None
    bench.service.stop()


def test_what_was_not_delivered_is_delivered_by_the_next_run(tmp_path: Path) -> None:
    bench = Bench(tmp_path, FlakyStore(away=10_000))
    bench.feed.give([reading(n, float(n)) for n in range(1, 4)])
    bench.service.stop()
    again = Bench(tmp_path)
    again.settled(3)
    assert again.values() == [1.0, 2.0, 3.0]
    assert again.service.name == bench.service.name
    again.service.stop()


def test_a_batch_that_the_store_refuses_as_a_whole_is_split_down_to_the_bad_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path, FlakyStore())
    bench.feed.give([reading(n, float(n)) for n in range(10, 20)])
    bench.settled(10)
    assert bench.values() == [float(n) for n in range(10, 20) if n != 13]
    (letter,) = bench.service.dead_letters()
    assert (letter.reason, letter.text) == ("store", "thirteen is not stored here")
    bench.service.stop()


def test_counts_per_unit_and_minute_reach_the_store_and_a_closed_gap_is_taken_back(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    at = [MINUTE_MS + 1000 * n for n in range(20)]
    bench.feed.give([reading(n, float(n), t_ms=at[n]) for n in (1, 2, 6)])
    bench.feed.give([reading(4, 4.0, t_ms=at[4]), reading(2, 2.0, t_ms=at[2]), reading(7, "bad", t_ms=at[7])])
    bench.settled(6)
    bench.service.stop()
    (point,) = bench.store.read_points("ingest", {"station": "jinma"}, 0, 2 * NOW_MS)
    assert point.t_ms == MINUTE_MS
    counts = {name: point.fields[name] for name in ("received", "gaps", "late", "duplicate", "refused")}
    assert counts == {"received": 5.0, "gaps": 2.0, "late": 1.0, "duplicate": 1.0, "refused": 1.0}
    assert (point.fields["gap_from"], point.fields["gap_to"]) == (float(at[2]), float(at[6]))


def test_counts_of_a_minute_go_on_after_a_restart(tmp_path: Path) -> None:
    store = MemoryReadings()
    for seq in (1, 2):
        bench = Bench(tmp_path, store)
        bench.feed.give([reading(seq, t_ms=MINUTE_MS + seq)])
        bench.settled(1)
        bench.service.stop()
    (point,) = store.read_points("ingest", {}, 0, 2 * NOW_MS)
    assert point.fields["received"] == 2.0


def test_replays_are_passed_over_and_the_clock_is_followed(tmp_path: Path) -> None:
    heard: list[ClockReading] = []
    bench = Bench(tmp_path, follow=heard.append)
    topic, payload = reading(1)
    bench.feed.give(
        [
            (topic.replace("jinma", "jinma~ab12cd34"), payload),
            ("h2/v1/jinma/clock", b'{"t": 5, "wall": 6, "speed": 20}'),
            ("h2/v1/jinma/clock", b"tick"),
            (topic, payload),
        ]
    )
    bench.settled(1)
    assert heard == [ClockReading(5, 6, 20.0)]
    figures = bench.service.figures()
    assert (figures.received, figures.committed, figures.delivered) == (4, 4, 1)
    assert figures.refused == {}
    bench.service.stop()


def test_filters_name_the_ten_areas_the_clock_and_the_group() -> None:
    assert len(feed_filters(station_clock=False)) == 10
    assert feed_filters(station_clock=True)[-1] == "h2/v1/+/clock"
    assert feed_filters(station_clock=False, shared_group="g")[0].startswith("$share/g/h2/v1/+/")


def test_watermarks_wait_for_the_broker_and_say_only_the_newest() -> None:
    publisher = NotingPublisher()
    publisher.connected = False
    marks = Watermarks(publisher, "me", 7)
    marks.note(("jinma", "storage", "bank-HB"), "b", 1)
    marks.flush()
    marks.note(("jinma", "storage", "bank-HB"), "b", 9)
    marks.note(("jinma~ab12cd34", "storage", "bank-HB"), "b", 9)
    assert publisher.said == []
    publisher.connected = True
    marks.flush()
    marks.flush(at_once=True)
    expected = {"boot": "b", "seq": 9, "by": "me", "since": 7}
    assert publisher.said == [("h2/v1/jinma/stored/storage/bank-HB", expected, True)]
    marks.repeat()
    marks.flush(at_once=True)
    assert publisher.said == [("h2/v1/jinma/stored/storage/bank-HB", expected, True)] * 2


def test_of_two_ingests_the_later_one_yields() -> None:
    told: list[SecondIngestError] = []
    mark = json.dumps({"boot": "b", "seq": 1, "by": "first", "since": 100}).encode()
    shown: list[int] = []
    watch = SecondIngestWatch("second", 200, told.append, lambda: shown.append(1))
    watch.on_messages([("h2/v1/jinma/stored/storage/bank-HB", mark)] * 3)
    assert len(told) == 1
    assert "first" in str(told[0])
    assert not shown
    elder = SecondIngestWatch("first", 100, told.append, lambda: shown.append(1))
    elder.on_messages(
        [("h2/v1/jinma/stored/a/b", mark.replace(b"first", b"second").replace(b"100", b"200")), ("x", b"?")]
    )
    assert len(told) == len(shown) == 1


def test_a_second_ingest_ends_itself_and_says_why(tmp_path: Path) -> None:
    ended: list[JinmaError] = []
    watched = HandFeed()
    bench = Bench(tmp_path, watch=watched, on_failure=ended.append)
    watched.give([("h2/v1/jinma/stored/storage/bank-HB", b'{"boot": "b", "seq": 1, "by": "elder", "since": 1}')])
    wait_until(lambda: bool(ended), 5, "the end")
    assert isinstance(ended[0], SecondIngestError)
    assert bench.feed.stopped
    with pytest.raises(TransientError):
        bench.feed.give([reading(1)])


def test_a_full_spool_stops_acknowledging_and_stop_ends_the_wait(tmp_path: Path) -> None:
    bench = Bench(tmp_path, FlakyStore(away=10_000), spool_bytes=20_000)
    raised: list[BaseException] = []

    def pour() -> None:
        try:
            for n in range(1000):
                bench.feed.give([reading(n) for _ in range(20)])
        except TransientError as error:
            raised.append(error)

    thread = threading.Thread(target=pour)
    thread.start()
    wait_until(lambda: bench.service.figures().spool_full, 5, "a full spool")
    assert bench.service.figures().spool_bytes <= 20_000
    bench.service.stop()
    thread.join(5)
    assert raised


def test_the_ledger_bounds_dead_letters_and_keeps_the_counts(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    for start in range(0, 3 * DEAD_LETTERS_KEPT, 5000):
        letters = [DeadLetter(n, "t", b"p" * 9000 if n == 0 else b"p", "json", "") for n in range(start, start + 5000)]
        ledger.commit(Position(1, start), encode_sequences({}), letters, {})
    kept = ledger.dead_letters(10**6)
    assert [letter.received_ms for letter in kept] == [*range(3 * DEAD_LETTERS_KEPT - 1, 2 * DEAD_LETTERS_KEPT - 1, -1)]
    assert ledger.dead_letters(1) == kept[:1]
    assert ledger.refused() == {"json": 3 * DEAD_LETTERS_KEPT}
    ledger.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as db:
        (in_file,) = db.execute("select count(*) from dead_letters").fetchone()
    assert DEAD_LETTERS_KEPT <= in_file <= DEAD_LETTERS_KEPT + 10_000


def test_a_dead_letter_is_kept_as_it_came_as_far_as_it_is_kept(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    whole = DeadLetter(1, "h2/v1/金马/x", b"\xff\x00\"'", "json", "no JSON: \n'")
    long = DeadLetter(2, "t" * 600, b"\xfe" * 9000, "size", "x" * 600)
    ledger.commit(Position(1, 0), encode_sequences({}), [whole, long], {})
    cut = DeadLetter(2, "t" * 512, b"\xfe" * DEAD_PAYLOAD_KEPT, "size", "x" * 500)
    assert ledger.dead_letters() == [cut, whole]
    ledger.close()
    again = Ledger(tmp_path / "ledger.sqlite")
    assert again.dead_letters() == [cut, whole]
    assert read_ledger(tmp_path / "ledger.sqlite").newest == cut
    again.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as db:
        seen = db.execute("select received_ms, topic, payload_base64, reason, text from dead_letters").fetchone()
    assert seen == (1, "h2/v1/金马/x", base64.b64encode(whole.payload).decode(), "json", whole.text)


def test_a_ledger_of_version_1_takes_its_dead_letters_along(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    Ledger(path).close()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript(
            """drop view dead_letters; drop table dead_blocks; pragma user_version = 1;
            create table dead_letters (
                id integer primary key autoincrement, received_ms integer not null, topic text not null,
                payload blob not null, reason text not null, text text not null);
            insert into dead_letters values (7, 1, 't', x'ff', 'json', 'a'), (8, 2, 't', x'00', 'time', 'b');"""
        )
    assert read_ledger(path).newest is None
    ledger = Ledger(path)
    assert ledger.dead_letters() == [DeadLetter(2, "t", b"\0", "time", "b"), DeadLetter(1, "t", b"\xff", "json", "a")]
    ledger.commit(Position(1, 0), encode_sequences({}), [DeadLetter(3, "t", b"", "unit", "c")], {})
    assert [letter.received_ms for letter in ledger.dead_letters()] == [3, 2, 1]
    ledger.close()


def test_a_damaged_ledger_is_set_aside_and_the_spool_delivered_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"this is no database" * 100)
    ledger = Ledger(path)
    assert ledger.position() is None
    assert list(tmp_path.glob("*.damaged-*"))
    ledger.close()


def test_a_newer_ledger_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("pragma user_version = 99")
    db.close()
    with pytest.raises(DataDirectoryError, match="version 99"):
        Ledger(path)


def test_a_supervised_thread_starts_again_after_a_failure() -> None:
    stopping, ran = threading.Event(), []

    def run() -> None:
        ran.append(1)
        if len(ran) < 2:
            raise RuntimeError("once")

    thread = Supervised("test", run, stopping)
    thread.start()
    assert thread.join(5)
    assert (len(ran), thread.failures) == (2, 1)
