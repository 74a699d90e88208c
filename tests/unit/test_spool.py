"""The spool keeps what it said it has, whatever happens to its files."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.spool import Position, Spool, SpoolClosedError, SpoolWriteError
from station.errors import DataDirectoryError
from tests.support.processes import wait_until

BIG = 100_000_000


def message(number: int, size: int = 50) -> tuple[str, bytes]:
    return (f"h2/v1/jinma/storage/bank-{number % 3}", b"%d:" % number + b"x" * size)


def read_all(spool: Spool, position: Position | None = None) -> list[tuple[str, bytes]]:
    return [m for batch in spool.read(position, 10**9, 0.0) for m in batch.messages]


def drain(spool: Spool, count: int, most_bytes: int) -> list[tuple[str, bytes]]:
    """Read and release until `count` messages came, as the delivery does."""
    position, got = Position(0, 0), list[tuple[str, bytes]]()

    def turn() -> bool:
        nonlocal position
        assert spool.size_bytes <= most_bytes
        for batch in spool.read(position, 3, 0.01):
            got.extend(batch.messages)
            position = batch.end
        spool.release(position)
        return len(got) >= count

    wait_until(turn, 10, f"{count} messages", every_s=0.0)
    return got


def segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.spool"))


def test_what_was_appended_comes_back_in_order_with_its_times(tmp_path: Path) -> None:
    spool = Spool(tmp_path, BIG)
    spool.append([message(1), message(2)], 1000, 2000)
    spool.append([message(3)], 1001, 2001)
    first, second = spool.read(None, 10, 0.0)
    assert (first.station_ms, first.wall_ms, first.messages) == (1000, 2000, [message(1), message(2)])
    assert second.messages == [message(3)]
    assert spool.read(first.end, 10, 0.0) == [second]
    assert spool.read(second.end, 10, 0.0) == []
    spool.close()


def test_a_reopened_spool_goes_on_where_the_reader_stood(tmp_path: Path) -> None:
    spool = Spool(tmp_path, BIG)
    for number in range(6):
        spool.append([message(number)], 0, 0)
    stood = spool.read(None, 2, 0.0)[-1].end
    spool.close()
    spool = Spool(tmp_path, BIG)
    spool.append([message(6)], 0, 0)
    assert read_all(spool, stood) == [message(number) for number in range(2, 7)]
    spool.close()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.floats(0, 1), st.binary(max_size=40))
def test_any_cut_of_the_tail_loses_only_what_is_behind_it(sizes: list[int], where: float, rubbish: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        spool = Spool(directory, BIG)
        ends = []
        for number, size in enumerate(sizes):
            spool.append([message(number * 10 + i) for i in range(size)], number, number)
            ends.append(spool.end.offset)
        spool.close()
        (file,) = segments(directory)
        cut = int(where * ends[-1])
        content = file.read_bytes()[:cut]
        file.write_bytes(content + rubbish if cut != ends[-1] else content)
        spool = Spool(directory, BIG)
        whole = sum(end <= cut for end in ends)
        got = [batch.station_ms for batch in spool.read(None, 10**9, 0.0)]
        # Rubbish may by chance repeat what was cut off; nothing else can pass the checksum.
        assert got[:whole] == list(range(whole))
        assert len(got) <= len(sizes)
        spool.append([message(99)], 99, 99)
        assert read_all(spool)[-1] == message(99)
        spool.close()


def test_damage_in_the_middle_of_an_old_segment_costs_its_rest_and_no_other(tmp_path: Path) -> None:
    spool = Spool(tmp_path, BIG, segment_bytes=400)
    for number in range(12):
        spool.append([message(number)], 0, 0)
    spool.close()
    victim = segments(tmp_path)[1]
    content = bytearray(victim.read_bytes())
    content[60] ^= 0xFF
    victim.write_bytes(content)
    spool = Spool(tmp_path, BIG)
    got = read_all(spool)
    assert got[0] == message(0)
    assert got[-1] == message(11)
    assert 6 <= len(got) < 12
    spool.close()


def test_segments_are_freed_once_they_are_delivered(tmp_path: Path) -> None:
    spool = Spool(tmp_path, BIG, segment_bytes=500)
    for number in range(40):
        spool.append([message(number)], 0, 0)
    before = spool.size_bytes
    batches = spool.read(None, 10**9, 0.0)
    spool.release(batches[19].end)
    assert spool.size_bytes < before
    assert read_all(spool, batches[19].end) == [message(number) for number in range(20, 40)]
    spool.release(batches[-1].end)
    assert len(segments(tmp_path)) <= 2
    spool.close()


def test_a_full_spool_waits_for_room_and_drops_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 4000)
    taken: list[int] = []

    def fill() -> None:
        for number in range(100):
            spool.append([message(number, 200)], 0, 0)
            taken.append(number)

    thread = threading.Thread(target=fill)
    thread.start()
    wait_until(lambda: spool.full, 5, "a full spool")
    assert len(taken) < 25
    assert spool.size_bytes <= 4000
    got = drain(spool, 100, 4000)
    thread.join(5)
    assert got == [message(number, 200) for number in range(100)]
    spool.close()


def test_what_waits_for_too_long_keeps_more_from_being_taken(tmp_path: Path) -> None:
    spool = Spool(tmp_path, BIG, most_age=dt.timedelta(hours=1))
    spool.append([message(1)], 0, 0)
    now_ms = time.time_ns() // 1_000_000
    spool.note_waiting(now_ms - 1_800_000)
    assert spool.fullness == pytest.approx(0.5, abs=0.01)
    spool.append([message(2)], 0, 0)
    spool.note_waiting(now_ms - 3_600_001)
    assert spool.fullness == 1.0
    thread = threading.Thread(target=lambda: spool.append([message(3)], 0, 0))
    thread.start()
    wait_until(lambda: spool.full, 5, "a spool that takes no more")
    spool.note_waiting(None)
    spool.release(Position(0, 0))
    thread.join(5)
    assert read_all(spool) == [message(1), message(2), message(3)]
    spool.close()


def test_a_great_batch_keeps_to_the_bound(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 4000)
    thread = threading.Thread(target=lambda: spool.append([message(n, 100) for n in range(100)], 0, 0))
    thread.start()
    got = drain(spool, 100, 4000)
    thread.join(5)
    assert got == [message(n, 100) for n in range(100)]
    spool.close()


def test_a_record_greater_than_the_bound_is_taken_when_all_before_it_is_gone(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 2000)
    spool.append([message(1, 5000)], 0, 0)
    assert read_all(spool) == [message(1, 5000)]
    spool.close()


def test_a_delivered_segment_that_is_no_longer_written_to_makes_room(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 4000, segment_bytes=1000)
    spool.append([message(1, 3000)], 0, 0)
    (batch,) = spool.read(None, 10, 0.0)
    spool.release(batch.end)
    spool.append([message(2, 3000)], 0, 0)
    assert read_all(spool, batch.end) == [message(2, 3000)]
    spool.close()


def test_damage_does_not_keep_its_room_for_ever(tmp_path: Path) -> None:
    spool = Spool(tmp_path, BIG)
    spool.append([message(1, 3000)], 0, 0)
    spool.close()
    (file,) = segments(tmp_path)
    file.write_bytes(file.read_bytes()[:-1])
    spool = Spool(tmp_path, 4000)
    thread = threading.Thread(target=lambda: spool.append([message(2, 3000)], 0, 0))
    thread.start()
    wait_until(lambda: spool.full, 5, "a full spool")
    spool.release(Position(0, 0))
    thread.join(5)
    assert read_all(spool) == [message(2, 3000)]
    spool.close()


def test_closing_lets_a_waiting_append_go_untaken(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1000)
    spool.append([message(1, 900)], 0, 0)
    raised: list[BaseException] = []

    def fill() -> None:
        try:
            spool.append([message(2, 900)], 0, 0)
        except SpoolClosedError as error:
            raised.append(error)

    thread = threading.Thread(target=fill)
    thread.start()
    wait_until(lambda: spool.full, 5, "a full spool")
    spool.close_for_writing()
    thread.join(5)
    assert raised
    assert read_all(spool) == [message(1, 900)]
    spool.close()


def test_a_disk_that_refuses_leaves_the_spool_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path, BIG)
    spool.append([message(1)], 0, 0)
    with monkeypatch.context() as patch:

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(os, "fdatasync", full)
        with pytest.raises(SpoolWriteError, match="No space left"):
            spool.append([message(2, 500)], 0, 0)
    spool.append([message(3)], 0, 0)
    assert read_all(spool) == [message(1), message(3)]
    spool.close()
    spool = Spool(tmp_path, BIG)
    assert read_all(spool) == [message(1), message(3)]
    spool.close()


def test_a_second_user_of_the_directory_is_refused(tmp_path: Path) -> None:
    spool = Spool(tmp_path, BIG)
    with pytest.raises(DataDirectoryError, match="in use"):
        Spool(tmp_path, BIG)
    spool.close()
    Spool(tmp_path, BIG).close()


def test_a_reader_waits_for_the_next_commit(tmp_path: Path) -> None:
    spool = Spool(tmp_path, BIG)
    got: list[list[tuple[str, bytes]]] = []
    thread = threading.Thread(target=lambda: got.extend(batch.messages for batch in spool.read(None, 1, 5.0)))
    thread.start()
    spool.append([message(1)], 0, 0)
    thread.join(5)
    assert got == [[message(1)]]
    spool.close()
