"""The outbox on disk: what a dead process left, what a damaged file costs, and where it ends."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.watermarks import Watermarks
from simulators.gateways import durable_outbox
from simulators.gateways.durable_outbox import Bounds, FileKeeping
from simulators.gateways.outbox import Outbox
from simulators.measuring.sampled import Emission
from station.errors import DataDirectoryError
from station.wire.plan_v1 import Watermark, watermark_payload
from tests.support.plants import jinma

PLANT = jinma()
BANK, HOSE = "storage/bank-HB", "dispensing/hose-1A"


@pytest.fixture(autouse=True)
def _no_syncing_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable_outbox, "SYNC_S", 60.0)


class Run:
    """One run of the simulator with an outbox in a folder; `die` leaves the files as a kill would."""

    def __init__(self, folder: Path, boot: str, bounds: Bounds | None = None) -> None:
        self.boot = boot
        self.keeping = FileKeeping(folder, [PLANT], {"jinma": boot}, bounds)
        self.box = Outbox({"jinma": boot}, self.keeping)

    def say(self, first: int, last: int, unit: str = BANK) -> None:
        self.box.keep([message(seq, self.boot, unit) for seq in range(first, last + 1)])

    def die(self) -> None:
        """Give up the lock, and nothing else."""
        for file in self.keeping._locks:
            os.close(file)
        self.keeping._locks.clear()


def message(seq: int, boot: str, unit: str) -> Emission:
    return (seq * 1000, f"h2/v1/jinma/{unit}", b'{"boot":"%s","seq":%d}' % (boot.encode(), seq), seq)


def mark(boot: str, seq: int, unit: str = BANK) -> tuple[str, bytes]:
    return f"h2/v1/jinma/stored/{unit}", watermark_payload(Watermark(boot, seq, "i"))


def seqs(sent: Iterator[tuple[str, bytes]]) -> list[tuple[str, int]]:
    return [(said["boot"], said["seq"]) for said in (json.loads(payload) for _, payload in sent)]


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.outbox"))


def test_what_a_dead_run_left_above_its_watermark_goes_first_in_order_of_time(tmp_path: Path) -> None:
    first = Run(tmp_path, "a")
    first.say(1, 5)
    first.say(2, 4, HOSE)
    first.die()
    second = Run(tmp_path, "b")
    assert second.box.has_earlier
    second.say(1, 2)
    second.box.take_watermark(*mark("a", 3))
    sent = list(second.box.of_earlier_runs())
    assert [(topic.split("/")[-1], json.loads(payload)["seq"]) for topic, payload in sent] == [
        ("hose-1A", 2), ("hose-1A", 3), ("bank-HB", 4), ("hose-1A", 4), ("bank-HB", 5),
    ]  # fmt: skip
    assert [json.loads(payload).get("oldest") for _, payload in sent] == [2, None, None, None, None]
    assert seqs(second.box.after_reconnect(0.0))[-2:] == [("b", 1), ("b", 2)]
    second.box.close()


def test_only_the_word_about_a_run_settles_it_and_then_its_files_go(tmp_path: Path) -> None:
    first = Run(tmp_path, "a")
    first.say(1, 3)
    first.die()
    second = Run(tmp_path, "b")
    second.say(1, 1)
    second.box.take_watermark(*mark("b", 1))
    assert seqs(second.box.of_earlier_runs()) == [("a", 1), ("a", 2), ("a", 3)]
    assert len(files(tmp_path)) == 2
    second.box.take_watermark(*mark("a", 3))
    assert not second.box.has_earlier
    assert len(files(tmp_path)) == 1
    second.box.close()
    assert files(tmp_path) == []


def test_a_third_run_sends_what_two_left_the_older_first(tmp_path: Path) -> None:
    for boot in ("a", "b"):
        run = Run(tmp_path, boot)
        run.say(1, 2)
        run.die()
    third = Run(tmp_path, "c")
    assert seqs(third.box.of_earlier_runs()) == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]
    third.box.close()


@pytest.mark.parametrize("damage", ["cut", "flipped", "tail of noise"])
def test_a_damaged_tail_costs_its_own_record_only(tmp_path: Path, damage: str) -> None:
    first = Run(tmp_path, "a")
    first.say(1, 3)
    whole = files(tmp_path)[0].stat().st_size
    first.say(4, 6)
    first.die()
    file = files(tmp_path)[0]
    data = bytearray(file.read_bytes())
    if damage == "cut":
        del data[-3:]
    elif damage == "flipped":
        data[whole + 20] ^= 0xFF
    else:
        data += b"\xff" * 11
    file.write_bytes(bytes(data))
    second = Run(tmp_path, "b")
    kept = 6 if damage == "tail of noise" else 3
    assert seqs(second.box.of_earlier_runs()) == [("a", seq) for seq in range(1, kept + 1)]
    second.say(1, 1)
    assert seqs(second.box.of_earlier_runs())[-1] == ("a", kept)
    second.box.close()


def test_a_file_that_is_none_of_ours_is_set_aside(tmp_path: Path) -> None:
    folder = tmp_path / "jinma" / PLANT.gateways[0].id
    folder.mkdir(parents=True)
    (folder / "000000000007.outbox").write_bytes(b"\0" * 50)
    run = Run(tmp_path, "a")
    assert not run.box.has_earlier
    assert (folder / "000000000007.damaged").exists()
    run.box.close()


def test_beyond_its_bounds_the_oldest_goes_and_the_gap_is_named(tmp_path: Path) -> None:
    run = Run(tmp_path, "a", Bounds(most_bytes=3000, segment_bytes=500))
    run.box.take_watermark(*mark("a", 0))
    for seq in range(1, 201):
        run.say(seq, seq)
    size = sum(file.stat().st_size for file in files(tmp_path))
    assert size <= 3000
    again = [json.loads(payload) for _, payload in run.box.after_reconnect(0.0)]
    assert again[0]["oldest"] == again[0]["seq"] > 1
    assert [said["seq"] for said in again] == list(range(again[0]["seq"], 201))
    assert run.keeping.dropped == again[0]["seq"] - 1
    assert "oldest" not in again[1]
    run.box.close()


def test_messages_are_bounded_too(tmp_path: Path) -> None:
    run = Run(tmp_path, "a", Bounds(most_messages=20, segment_bytes=500))
    run.box.take_watermark(*mark("a", 0))
    for seq in range(1, 101):
        run.say(seq, seq)
    assert len(run.box) <= 40
    run.box.close()


def test_where_nobody_says_what_is_stored_little_is_kept(tmp_path: Path) -> None:
    run = Run(tmp_path, "a", Bounds(segment_bytes=500))
    for seq in range(1, 201):
        run.say(seq, seq)
    assert sum(file.stat().st_size for file in files(tmp_path)) <= 2500
    assert list(run.box.after_reconnect(0.0)) == []
    run.box.take_watermark(*mark("a", 190))
    run.die()
    told = Run(tmp_path, "b", Bounds(segment_bytes=500))
    for seq in range(1, 201):
        told.say(seq, seq)
    assert seqs(told.box.of_earlier_runs())[-1] == ("a", 200)
    assert len(told.box) >= 200
    told.box.close()


def test_a_full_disk_costs_durability_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tmp_path, "a")
    run.say(1, 2)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        run.say(3, 4)
    run.say(5, 5)
    assert run.keeping.dropped == 2
    run.die()
    after = Run(tmp_path, "b")
    assert seqs(after.box.of_earlier_runs()) == [("a", 1), ("a", 2), ("a", 5)]
    after.box.close()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    run = Run(tmp_path, "a")
    with pytest.raises(DataDirectoryError, match="in use"):
        Run(tmp_path, "b")
    run.box.close()
    Run(tmp_path, "b").box.close()


def test_what_is_appended_is_synced_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    run = Run(tmp_path, "a")
    run.say(1, 2)
    box = run.keeping._box_of[f"h2/v1/jinma/{BANK}"]
    box.sync()
    box.sync()
    assert len(synced) == 1
    run.box.close()


class Broker:
    """Notes what an ingest says."""

    connected = True
    unsettled = 0

    def __init__(self) -> None:
        self.said: list[tuple[str, int]] = []

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        said = json.loads(payload)
        assert topic.endswith(BANK)
        assert retain
        self.said.append((said["boot"], said["seq"]))


def test_an_ingest_says_of_an_earlier_run_what_came_before_it_speaks_of_the_present_one() -> None:
    broker = Broker()
    marks = Watermarks(broker, "i", 1)
    name = ("jinma", "storage", "bank-HB")
    marks.note(name, "b", 4)
    marks.flush(at_once=True)
    marks.note(name, "a", 9, earlier=True)
    marks.note(name, "b", 4)
    marks.flush(at_once=True)
    assert broker.said == [("b", 4), ("a", 9), ("b", 4)]
    marks.note(name, "b", 4)
    marks.flush(at_once=True)
    assert len(broker.said) == 3
