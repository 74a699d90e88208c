from __future__ import annotations

import datetime as dt
import itertools
import json
import threading
from collections.abc import Iterable

import pytest

from simulators import logs
from simulators.gateways import publishing
from simulators.gateways.outbox import MemoryKeeping, Outbox
from simulators.gateways.pacing import Pace
from simulators.gateways.publishing import Progress, Published, listening_filters, publish_station
from simulators.history import fill_history
from simulators.logs import station_log
from simulators.measuring.sampled import Emission, with_oldest
from simulators.station import SimulatedStation
from station.domain.signals import UnitMessage
from station.errors import TransientError
from station.ports import OnMessages
from station.wire.plan_v1 import Watermark, watermark_payload
from tests.support.fake_physics import START_MS, FakePhysics
from tests.support.plants import jinma

PLANT = jinma()
WALL_START_MS = START_MS + 5 * 3_600_000


class VirtualTime(threading.Event):
    """A wall clock that passes only while somebody waits for the stop; stops after `ends_after_s`."""

    def __init__(self, ends_after_s: float = 1e9, start_ms: int = WALL_START_MS) -> None:
        super().__init__()
        self.wall_ms = float(start_ms)
        self._end_ms = start_ms + ends_after_s * 1000.0

    def now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.wall_ms / 1000, dt.UTC)

    def speed(self) -> float:
        return 1.0

    def wait(self, timeout: float | None = None) -> bool:
        if timeout:
            self.wall_ms += timeout * 1000.0
        if self.wall_ms >= self._end_ms:
            self.set()
        return self.is_set()


class FakePublisher:
    """Takes everything and notes when; `slow_s` of virtual time for each reading."""

    def __init__(self, time: VirtualTime, slow_s: float = 0.0) -> None:
        self.time = time
        self.slow_s = slow_s
        self.sent: list[tuple[float, str, bytes]] = []
        self.retained: list[tuple[float, str, bytes]] = []
        self.connected = True
        self.losses = 0
        self.unsettled = 0
        self.closed = threading.Event()

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        assert retain
        self.retained.append((self.time.wall_ms, topic, payload))
        self.sent.append((self.time.wall_ms, topic, payload))

    def publish_many(self, messages: Iterable[tuple[str, bytes]]) -> None:
        for topic, payload in messages:
            self.sent.append((self.time.wall_ms, topic, payload))
            self.time.wall_ms += self.slow_s * 1000.0

    def settle(self, timeout_s: float) -> bool:
        return True

    def close(self, timeout_s: float) -> bool:
        self.closed.set()
        return True

    def readings(self) -> list[tuple[float, str, int]]:
        return [(at, topic, t) for at, topic, payload in self.sent if (t := said_t(topic, payload)) is not None]

    def clocks(self) -> list[tuple[float, dict[str, float]]]:
        return [(at, json.loads(payload)) for at, topic, payload in self.retained if topic.endswith("/clock")]


class FakeFeed:
    def __init__(self) -> None:
        self.stopped = False

    def start(self, on_messages: OnMessages) -> None:
        self.say = on_messages

    def stop(self) -> None:
        self.stopped = True


def said_t(topic: str, payload: bytes) -> int | None:
    """Return when a reading was taken: on a mark of 200 ms, from which no gateway's clock strays half as far."""
    said = json.loads(payload)
    return round(said["t"] / 200) * 200 if "v" in said else None


def station(t_ms: int = WALL_START_MS) -> SimulatedStation:
    return SimulatedStation(PLANT, FakePhysics(PLANT, ("hose-1A",), t_ms=t_ms), seed=1)


def published(seconds: float, speed: float | None, **options: object) -> tuple[FakePublisher, Published]:
    time = VirtualTime(seconds)
    publisher = FakePublisher(time)
    return publisher, publish_station(station(), publisher, speed, time, time, **options)  # type: ignore[arg-type]


def test_at_speed_1_each_sample_goes_out_when_it_is_due() -> None:
    publisher, _ = published(25, 1.0)
    lags = [at - t for at, _, t in publisher.readings()]
    assert min(lags) >= 0.0
    assert max(lags) <= 30.0
    fast = [t for _, topic, t in publisher.readings() if topic.endswith("dispensing/hose-1A")]
    assert any(after - before == 200 for before, after in itertools.pairwise(fast))


def test_at_speed_1_the_clock_is_told_once_and_is_wall_time() -> None:
    publisher, _ = published(10, 1.0)
    assert publisher.clocks() == [
        (WALL_START_MS, {"t": WALL_START_MS, "wall": WALL_START_MS, "speed": 1.0}),
    ]


@pytest.mark.parametrize("speed", [20.0, 60.0])
def test_at_a_speed_station_time_keeps_to_it_and_the_clock_never_leads_the_readings(speed: float) -> None:
    publisher, done = published(3, speed)
    assert done.speed == speed
    assert done.t_ms == pytest.approx(WALL_START_MS + 3000 * speed, abs=500 * speed)
    newest = WALL_START_MS
    told = 0
    for _, topic, payload in publisher.sent:
        t = said_t(topic, payload)
        if t is not None:
            newest = max(newest, t)
        elif topic.endswith("/clock"):
            told += 1
            assert json.loads(payload)["t"] <= newest
            assert json.loads(payload)["speed"] == speed
    assert told >= 3


def test_a_slow_broker_makes_a_slower_station_that_owes_nothing() -> None:
    time = VirtualTime(8)
    publisher = FakePublisher(time, slow_s=0.001)  # 1000 messages a second: about 25 station seconds
    done = publish_station(station(), publisher, 100.0, time, time)
    assert 15 < done.speed < 40
    publisher.slow_s = 0.0
    assert [c["speed"] for _, c in publisher.clocks()][-1] == pytest.approx(done.speed, rel=0.3)


def test_wall_time_is_kept_whatever_it_costs() -> None:
    time = VirtualTime(10)
    late = station(WALL_START_MS - 30_000)
    publisher = FakePublisher(time)
    done = publish_station(late, publisher, 1.0, time, time)
    assert abs(done.t_ms - time.wall_ms) <= 1500
    times = [t for _, topic, t in publisher.readings() if topic.endswith("bank-HB")]
    assert times == sorted(times)
    assert times[0] == WALL_START_MS - 30_000
    assert {b - a for a, b in itertools.pairwise(times)} == {1000}


def test_a_long_sleep_is_filled_coarsely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "_COARSE_BEHIND_S", 60.0)
    time = VirtualTime(10)
    publisher = FakePublisher(time)
    publish_station(station(WALL_START_MS - 900_000), publisher, 1.0, time, time)
    times = [t for _, topic, t in publisher.readings() if topic.endswith("bank-HB")]
    assert 60_000 in {b - a for a, b in itertools.pairwise(times)}
    assert len(times) < 100
    assert times[-1] > WALL_START_MS


def test_it_ends_at_its_time_says_farewell_and_reports_progress() -> None:
    told: list[Progress] = []
    publisher, done = published(1e6, None, until_ms=WALL_START_MS + 95_000, on_progress=told.append)
    assert done.t_ms == WALL_START_MS + 94_000
    assert done.settled
    assert done.messages == len(publisher.readings())
    assert told[0].messages <= done.messages
    farewell = [json.loads(payload) for _, topic, payload in publisher.retained if "/gateway/" in topic]
    assert [g["online"] for g in farewell] == [True] * len(PLANT.gateways) + [False] * len(PLANT.gateways)


def test_a_fault_by_message_reaches_the_physics_and_a_bad_one_does_no_harm() -> None:
    time = VirtualTime(5)
    plant = station()
    feed = FakeFeed()
    commands = [
        b'{"fault":"train-trip","unit":"train-2","for_s":600}',
        b'{"unit":"train-2"}',
        b"\xff",
        b"[]",
    ]

    def say(_: Progress) -> None:
        while commands:
            feed.say([(listening_filters("jinma")[0], commands.pop(0))])

    publish_station(plant, FakePublisher(time), 1.0, time, time, say, feed=feed)
    assert isinstance(plant.physics, FakePhysics)
    assert plant.physics.injected == [("train-trip", "train-2", {"for_s": 600})]
    assert feed.stopped


def test_after_a_reconnect_what_is_above_the_watermark_goes_out_again() -> None:
    time = VirtualTime(8)
    plant = station()
    feed = FakeFeed()
    publisher = FakePublisher(time)
    topic = "h2/v1/jinma/stored/storage/bank-HB"

    def events(progress: Progress) -> None:
        if progress.t_ms >= WALL_START_MS + 3000 and publisher.losses == 0:
            feed.say([(topic, watermark_payload(Watermark(plant.boot, 1, "ingest-1")))])
            publisher.losses = 1

    publish_station(plant, publisher, 1.0, time, time, events, feed=feed)
    seqs = [json.loads(p)["seq"] for _, t, p in publisher.sent if t == "h2/v1/jinma/storage/bank-HB"]
    assert seqs[:2] == [1, 2]
    assert seqs.count(1) == 1
    assert seqs.count(2) == 2
    assert set(seqs) == set(range(1, max(seqs) + 1))
    plans = [t for _, t, _ in publisher.retained if "/plan/" in t]
    assert len(plans) == 4


def test_a_publisher_that_hangs_is_closed_when_the_end_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "_STOP_S", 0.05)

    class Hanging(FakePublisher):
        def publish_many(self, messages: Iterable[tuple[str, bytes]]) -> None:
            stop.set()
            if not self.closed.wait(10.0):
                raise AssertionError("never closed")
            raise TransientError("closed")

    stop = threading.Event()
    clock = VirtualTime()
    done = publish_station(station(), Hanging(clock), None, clock, stop)
    assert not done.settled


def test_a_publisher_that_fails_by_itself_is_an_error() -> None:
    class Failing(FakePublisher):
        def publish_many(self, messages: Iterable[tuple[str, bytes]]) -> None:
            raise TransientError("broken")

    clock = VirtualTime(100)
    with pytest.raises(TransientError, match="broken"):
        publish_station(station(), Failing(clock), None, clock, clock)


def emission(seq: int, unit: str = "storage/bank-HB") -> Emission:
    return (START_MS + seq * 1000, f"h2/v1/jinma/{unit}", b'{"seq":%d}' % seq, seq)


def stored(seq: int, boot: str = "b", unit: str = "storage/bank-HB") -> tuple[str, bytes]:
    return f"h2/v1/jinma/stored/{unit}", watermark_payload(Watermark(boot, seq, "i"))


def test_the_outbox_lets_go_of_what_is_stored_and_ignores_other_boots() -> None:
    box = Outbox({"jinma": "b"})
    box.keep([emission(seq) for seq in range(1, 11)])
    box.take_watermark(*stored(4))
    assert len(box) == 6
    box.take_watermark(*stored(9, boot="other"))
    box.take_watermark(stored(1)[0], b"nonsense")
    box.take_watermark("h2/v1/jinma/clock", b"{}")
    assert len(box) == 6
    again = box.after_reconnect(0.0)
    assert [payload for _, payload in again] == [b'{"seq":%d}' % seq for seq in range(5, 11)]


def test_an_outbox_that_had_to_drop_says_the_oldest_it_holds() -> None:
    box = Outbox({"jinma": "b"}, MemoryKeeping({"jinma": "b"}, kept_most=3))
    box.keep([emission(1)])
    box.take_watermark(*stored(1))
    box.keep([emission(seq) for seq in range(2, 11)])
    again = [json.loads(payload) for _, payload in box.after_reconnect(0.0)]
    assert again == [{"seq": 8, "oldest": 8}, {"seq": 9}, {"seq": 10}]
    assert with_oldest(b'{"t":1}', 5) == b'{"t":1,"oldest":5}'


def test_without_any_watermark_the_brokers_word_is_enough() -> None:
    box = Outbox({"jinma": "b"})
    box.keep([emission(1)])
    assert list(box.after_reconnect(0.0)) == []
    assert list(box.overdue(1e9)) == []


def test_what_stays_unstored_after_a_reconnect_is_sent_ever_more_rarely() -> None:
    box = Outbox({"jinma": "b"})
    box.keep([emission(1), emission(2), emission(1, "storage/bank-LB")])
    box.take_watermark(*stored(1))
    assert len(list(box.after_reconnect(0.0))) == 2
    assert list(box.overdue(9.0)) == []
    box.take_watermark(*stored(1, unit="storage/bank-LB"))
    assert [payload for _, payload in box.overdue(11.0)] == [b'{"seq":2}']
    assert list(box.overdue(25.0)) == []
    assert len(list(box.overdue(32.0))) == 1
    box.take_watermark(*stored(2))
    assert list(box.overdue(1e6)) == []
    assert list(box.overdue(2e6)) == []


def test_a_pace_measures_and_forgives() -> None:
    now = [0]
    pace = Pace(lambda: now[0], 0, 10.0, keeps_wall_time=False)
    assert pace.due_ms() == 0.0
    now[0] = 2000
    assert pace.due_ms() == 20_000.0
    assert pace.seconds_until(25_000) == pytest.approx(0.5)
    assert pace.behind_s(5_000) == pytest.approx(1.5)
    pace.write_off(5_000)
    assert pace.behind_s(5_000) == 0.0
    assert pace.measure(5_000) == 2.5
    now[0] = 3000
    assert pace.measure(29_000) == 10.0  # 9.67: as asked
    free = Pace(lambda: now[0], 0, None, keeps_wall_time=True)
    assert free.due_ms() == float("inf")
    assert free.measure(0) is None
    assert (free.seconds_until(10**15), free.behind_s(0)) == (0.0, 0.0)


def test_history_fills_a_store_from_the_start_and_ends_with_a_new_boot() -> None:
    batches: list[list[UnitMessage]] = []
    plant = SimulatedStation(PLANT, FakePhysics(PLANT, ("hose-1A",)), seed=1)
    boot = plant.boot
    begin = dt.datetime.fromtimestamp(START_MS / 1000, dt.UTC)
    end = begin + dt.timedelta(hours=2, seconds=7, milliseconds=300)
    told: list[int] = []
    count = fill_history(plant, batches.append, begin + dt.timedelta(hours=1), end, on_time=told.append)
    messages = [message for batch in batches for message in batch]
    assert count == len(messages)
    assert min(m.t_ms for m in messages) >= START_MS + 3_600_000
    assert plant.t_ms == told[-1] == START_MS + 2 * 3_600_000 + 7000
    assert plant.boot != boot
    assert {m.seq for m in plant.advance(1)} == {1}
    assert fill_history(plant, batches.append, begin, end) == 0


def test_a_log_holds_the_retained_words_first_and_is_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "BLOCK_S", 100.0)
    monkeypatch.setattr(logs, "COARSE_BLOCK_S", 100.0)

    def made() -> list[tuple[str, bytes]]:
        plant = SimulatedStation(PLANT, FakePhysics(PLANT, ("hose-1A",), waiting_since=(15,)), seed=1)
        return list(station_log(plant, dt.timedelta(seconds=150)))

    first = made()
    assert first == made()
    assert "/gateway/" in first[0][0]
    assert sum(topic.endswith("queue/gate") for topic, _ in first) == 1 + 2 + 1
    coarse = SimulatedStation(PLANT, FakePhysics(PLANT, ("hose-1A",)), seed=1)
    told: list[int] = []
    minute = dt.timedelta(seconds=60)
    lines = list(station_log(coarse, dt.timedelta(seconds=1205), every=minute, on_time=told.append))
    assert told == [START_MS + 100_000 * n for n in range(1, 13)]
    assert len(lines) < 51 * 21 + 400
