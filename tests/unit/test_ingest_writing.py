"""Writes beside each other: each unit's in order, everything booked in order, times counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ingest.ledger import Ledger
from ingest.sorting import Sorter
from ingest.spool import Batch, Position
from ingest.writing import Lanes, StoreWriter
from station.adapters.memory import MemoryReadings
from station.adapters.plant_files import shipped_plant
from station.domain.signals import UnitMessage
from station.errors import FinalError, StoreUnavailableError
from station.wire import topics
from station.wire.admission import Admission

NOW_MS = 1_780_000_000_000


class Slow(MemoryReadings):
    """Notes what it is given, and how many calls it had at once; waits for all who are expected first."""

    writes_at_once = 2

    def __init__(self, together: int = 1) -> None:
        super().__init__()
        self.order: list[UnitMessage] = []
        self._lock = threading.Lock()
        self._together = threading.Barrier(together)
        self.fail_once = False

    def write(self, messages: Sequence[UnitMessage]) -> None:
        self._together.wait(10)
        with self._lock:
            if self.fail_once:
                self.fail_once = False
                raise StoreUnavailableError("store at nowhere:1 does not answer")
            self.order += messages
        super().write(messages)


def batch(numbers: range) -> Batch:
    signal = {key: unit.tags[0] for key, unit in shipped_plant().units.items()}
    units = [key for key in signal if key[0] == "storage"][:5]
    messages = []
    for number in numbers:
        area, unit = units[number % len(units)]
        payload = b'{"t":%d,"boot":"b","seq":%d,"v":{"%s":1}}' % (
            NOW_MS + number,
            number // len(units),
            signal[area, unit].encode(),
        )
        messages.append((topics.reading("jinma", area, unit), payload))
    return Batch(NOW_MS, NOW_MS, messages, Position(1, numbers.stop))


def sorter() -> Sorter:
    return Sorter(Admission([shipped_plant()]), {})


def test_two_requests_are_under_way_and_each_units_messages_keep_their_order() -> None:
    store, sorted_by = Slow(together=2), sorter()
    lanes = Lanes(StoreWriter(store, threading.Event()), 2)
    pieces = [sorted_by.sort([batch(range(start, start + 1500))]) for start in range(0, 6000, 1500)]
    parts = [part for piece in pieces for part in lanes.write(piece)]
    assert len(parts) == 8, "each piece went out as two requests, and the store had both at once"
    assert [part.result(10) for part in parts] == [[]] * 8
    lanes.close()
    by_unit: dict[str, list[int]] = {}
    for message in store.order:
        by_unit.setdefault(message.unit, []).append(message.t_ms)
    assert len(by_unit) == 5
    assert all(times == sorted(times) and len(times) == 1200 for times in by_unit.values())


def test_a_transient_failure_is_waited_out_in_its_place() -> None:
    store, sorted_by = Slow(), sorter()
    store.fail_once = True
    writer = StoreWriter(store, threading.Event())
    lanes = Lanes(writer, 1)
    parts = [part for start in (0, 60) for part in lanes.write(sorted_by.sort([batch(range(start, start + 60))]))]
    assert [part.result(10) for part in parts] == [[], []]
    lanes.close()
    assert [message.t_ms for message in store.order] == list(range(NOW_MS, NOW_MS + 120))
    assert writer.error is None
    times = writer.times
    assert sum(times.counts) == 2
    assert len(times.counts) == len(times.bounds_s) + 1
    assert 0.0 <= times.sum_s < 1.0


def test_a_bad_point_is_split_off_with_its_device_and_reason() -> None:
    class Picky(MemoryReadings):
        def write(self, messages: Sequence[UnitMessage]) -> None:
            if any(message.t_ms == NOW_MS + 77 for message in messages):
                raise FinalError("seventy-seven is not stored here")
            super().write(messages)

    store, piece = Picky(), sorter().sort([batch(range(200))])
    lanes = Lanes(StoreWriter(store, threading.Event()), 1)
    (letter,) = lanes.write_part(piece, range(200))
    lanes.close()
    assert letter.reason == "store"
    assert letter.text == "seventy-seven is not stored here"
    assert (letter.topic, letter.payload) == batch(range(77, 78)).messages[0]
    assert sum(1 for _ in store.messages("jinma", 0, 2 * NOW_MS)) == 199


class Brittle(MemoryReadings):
    """Its adapter has a mistake, which some messages meet."""

    def __init__(self, meets: Callable[[UnitMessage], bool]) -> None:
        super().__init__()
        self._meets = meets

    def write(self, messages: Sequence[UnitMessage]) -> None:
        if any(map(self._meets, messages)):
            raise OverflowError("int too large")
        super().write(messages)


def test_messages_that_the_adapter_stumbles_over_are_set_aside_and_the_others_stored() -> None:
    store, piece = Brittle(lambda message: message.t_ms in {NOW_MS + 4, NOW_MS + 5}), sorter().sort([batch(range(60))])
    assert StoreWriter(store, threading.Event()).write(piece.messages) == dict.fromkeys(
        (4, 5), "OverflowError: int too large"
    )
    assert sum(1 for _ in store.messages("jinma", 0, 2 * NOW_MS)) == 58


def test_an_adapter_that_stumbles_over_every_message_is_no_fault_of_theirs() -> None:
    store, piece = Brittle(lambda _: True), sorter().sort([batch(range(60))])
    with pytest.raises(OverflowError):
        StoreWriter(store, threading.Event()).write(piece.messages)


def test_the_ledger_keeps_the_numbering_of_the_piece_not_of_what_was_sorted_since(tmp_path: Path) -> None:
    sorted_by = sorter()
    first = sorted_by.sort([batch(range(60))])
    sorted_by.sort([batch(range(60, 120))])
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.commit(Position(1, 60), first.sequences, (), first.minutes)
    assert {sequence.runs[-1].highest for sequence in ledger.sequences().values()} == {11}
    ledger.close()


def test_a_worker_of_a_group_counts_no_gaps() -> None:
    alone = Sorter(Admission([shipped_plant()]), {})
    worker = Sorter(Admission([shipped_plant()]), {}, numbered=False)
    every_other = batch(range(600))._replace(messages=batch(range(600)).messages[::12])
    assert alone.sort([every_other]).missing > 0
    done = worker.sort([every_other])
    assert (done.missing, done.marks) == (0, [])
    assert sum(count.received for count in done.minutes.values()) == len(done.messages) == 50


def test_the_time_of_a_write_is_counted_where_it_belongs() -> None:
    class Sleepy(MemoryReadings):
        def write(self, messages: Sequence[UnitMessage]) -> None:
            time.sleep(0.03)
            super().write(messages)

    writer = StoreWriter(Sleepy(), threading.Event())
    writer.write(sorter().sort([batch(range(5))]).messages)
    bounds, counts = writer.times.bounds_s, writer.times.counts
    assert sum(counts) == 1
    assert counts.index(1) >= bounds.index(0.05)
