"""The event stream: ids, the ring, slow clients, conflation, revocation."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from api import stream
from api.stream import StreamHub

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Time:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def hub_on(time: Callable[[], float] | None = None, changes: list[bytes] | None = None) -> StreamHub:
    waiting = changes if changes is not None else []
    take = lambda: waiting.pop(0) if waiting else None  # noqa: E731 - as short as it is
    return StreamHub(lambda: b'{"whole":true}', take, *([time] if time else []))


@contextlib.asynccontextmanager
async def listening(listener: AsyncIterator[bytes]) -> AsyncIterator[AsyncIterator[bytes]]:
    try:
        yield listener
    finally:
        await listener.aclose()  # type: ignore[attr-defined]


async def next_block(listener: AsyncIterator[bytes]) -> bytes:
    return await asyncio.wait_for(anext(listener), 5)


async def started(listener: AsyncIterator[bytes], hub: StreamHub) -> asyncio.Task[bytes]:
    """Begin to listen, so that what is published from here on is heard."""
    before = hub.clients
    task = asyncio.ensure_future(next_block(listener))
    for _ in range(100):
        if hub.clients > before:
            break
        await asyncio.sleep(0)
    return task


def ids(block: bytes) -> list[str]:
    return [line[4:].decode() for line in block.split(b"\n") if line.startswith(b"id: ")]


async def test_an_event_reaches_every_client_and_is_encoded_once() -> None:
    hub = hub_on()
    async with listening(hub.listen()) as one, listening(hub.listen()) as two:
        first, second = await started(one, hub), await started(two, hub)
        hub.publish("alarm", b'{"id":"PT-330A.HH"}')
        block = await first
        assert block.endswith(b'event: alarm\ndata: {"id":"PT-330A.HH"}\n\n')
        assert await second is block


async def test_events_of_another_thread_come_in_order() -> None:
    hub = hub_on()
    async with listening(hub.listen()) as listener:
        task = await started(listener, hub)

        def publish() -> None:
            for number in range(1000):
                hub.publish("readings", b"%d" % number)

        thread = threading.Thread(target=publish)
        thread.start()
        heard = await task
        while heard.count(b"data: ") < 1000:
            heard += await next_block(listener)
        thread.join()
    assert [int(line[6:]) for line in heard.split(b"\n") if line.startswith(b"data: ")] == list(range(1000))


async def test_a_client_goes_on_after_its_last_event() -> None:
    hub = hub_on()
    for number in range(5):
        hub.publish("readings", b"%d" % number)
    second = hub.newest_id.replace("-5", "-2")
    async with listening(hub.listen(second)) as listener:
        block = await next_block(listener)
    assert [one.rpartition("-")[2] for one in ids(block)] == ["3", "4", "5"]


@pytest.mark.parametrize("last", ["another-3", "nonsense", "", "-", "{run}-99", "{run}-x", "{run}-" + "9" * 40])
async def test_an_id_that_the_ring_does_not_hold_gets_reset(last: str) -> None:
    hub = hub_on()
    hub.publish("readings", b"1")
    run = hub.newest_id.partition("-")[0]
    async with listening(hub.listen(last.replace("{run}", run))) as listener:
        block = await next_block(listener)
    assert b"event: reset" in block
    assert ids(block) == [hub.newest_id]


async def test_the_ring_forgets_what_is_older_than_ten_minutes() -> None:
    time = Time()
    hub = hub_on(time)
    hub.publish("readings", b"1")
    first = hub.newest_id
    time.now += stream.RING_S + 1
    hub.publish("readings", b"2")
    hub.publish("readings", b"3")
    async with listening(hub.listen(first)) as listener:
        assert b"data: 2" in await next_block(listener)
    run = first.partition("-")[0]
    async with listening(hub.listen(f"{run}-0")) as listener:
        assert b"event: reset" in await next_block(listener)


async def test_the_ring_is_bounded_by_bytes() -> None:
    hub = StreamHub(lambda: b"{}", lambda: None, ring_bytes=10_000)
    for _ in range(100):
        hub.publish("readings", b"x" * 1000)
    assert sum(len(frame.data) for frame in hub._ring) <= 10_000


async def test_a_slow_client_is_told_reset_and_cut_and_the_quick_one_misses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "CLIENT_BYTES", 5_000)
    hub = hub_on()
    async with listening(hub.listen()) as slow, listening(hub.listen()) as quick:
        slow_task, quick_task = await started(slow, hub), await started(quick, hub)
        heard = 0
        for number in range(50):
            hub.publish("readings", b"%d" % number + b" " * 200)
            heard += (await quick_task).count(b"data: ")
            quick_task = asyncio.ensure_future(next_block(quick))
            await asyncio.sleep(0)
        assert heard == 50
        await slow_task
        last = await next_block(slow)
        assert b"event: reset" in last
        assert b"too slowly" in last
        with pytest.raises(StopAsyncIteration):
            await next_block(slow)
        assert hub.cut_clients == 1
        quick_task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await quick_task
    assert hub.clients == 0


async def test_a_conflating_client_gets_the_whole_state_then_changes_and_other_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "CONFLATE_S", 0.01)
    changes: list[bytes] = []
    hub = hub_on(changes=changes)
    hub.publish("alarm", b'{"old":1}')
    async with listening(hub.listen(conflate=True)) as listener:
        assert b'{"whole":true}' in await next_block(listener)
        hub.publish("readings", b'{"single":1}')
        changes.append(b'{"changed":1}')
        block = await next_block(listener)
        assert b'event: readings\ndata: {"changed":1}' in block
        assert b"single" not in block
        hub.publish("alarm", b'{"new":1}')
        assert b'{"new":1}' in await next_block(listener)
    assert hub._conflating is None


async def test_a_conflating_client_that_comes_back_gets_missed_alarms_and_the_whole_state() -> None:
    hub = hub_on()
    hub.publish("alarm", b'{"n":1}')
    last = hub.newest_id
    hub.publish("readings", b'{"n":2}')
    hub.publish("alarm", b'{"n":3}')
    async with listening(hub.listen(last, conflate=True)) as listener:
        block = await next_block(listener)
    assert b'"n":2' not in block
    assert block.index(b'"n":3') < block.index(b"whole")


async def test_who_may_not_stay_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_CHECK_S", 0.02)
    hub = hub_on()
    may = [True, True, False]
    async with listening(hub.listen(may_stay=lambda: may.pop(0))) as listener:
        assert [block async for block in listener] == []
    assert hub.clients == 0


async def test_a_quiet_stream_has_a_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_CHECK_S", 0.01)
    time = Time()
    hub = hub_on(time)
    async with listening(hub.listen()) as listener:
        task = await started(listener, hub)
        time.now += stream.HEARTBEAT_S
        assert await task == stream.HEARTBEAT


async def test_closing_ends_every_stream_and_lets_nobody_in() -> None:
    hub = hub_on()
    async with listening(hub.listen()) as listener, listening(hub.listen(conflate=True)) as other:
        task = await started(listener, hub)
        await next_block(other)
        hub.close()
        with pytest.raises(StopAsyncIteration):
            await task
        with pytest.raises(StopAsyncIteration):
            await next_block(other)
    async with listening(hub.listen()) as late:
        with pytest.raises(StopAsyncIteration):
            await next_block(late)


def test_publishing_after_the_loop_has_closed_is_harmless() -> None:
    hub = hub_on()

    async def come_and_go() -> None:
        task = await started(hub.listen(), hub)
        task.cancel()

    asyncio.run(come_and_go())
    for _ in range(3):
        hub.publish("readings", b"1")
    assert hub.newest_id.endswith("-3")
