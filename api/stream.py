"""Server-sent events: every reading, alarm and forecast to any number of clients, each event encoded once.

Events are published by the thread that takes the readings and handed to the server's loop in batches. A client has a
bounded queue; one that cannot keep up is told `reset` and cut, and never slows the others. A ring of ten minutes lets a
client that lost its connection go on where it was (`Last-Event-ID`); who comes later gets `reset` and begins anew.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

HEARTBEAT_S: Final = 5.0
CONFLATE_S: Final = 1.0
RING_S: Final = 600.0
RING_BYTES: Final = 32 * 1024 * 1024
"""Ten minutes at the normal 43 messages/s are about 9 MiB; at 200 times that speed the bytes bound the ring."""
_FRAME_BYTES: Final = 150
"""What a frame takes in memory beside its data."""
CLIENT_BYTES: Final = 4 * 1024 * 1024
"""What may wait for one client: some seconds of the fastest stream, hours of a screen that conflates."""
_BLOCK_BYTES: Final = 64 * 1024
_CHECK_S: Final = 1.0
"""How often a client is asked whether it may stay; with 2 s of caching a revoked token's stream ends within 4 s."""

READINGS: Final = "readings"
HEARTBEAT: Final = b": heartbeat\n\n"


@dataclass(frozen=True, slots=True)
class _Frame:
    number: int
    born_s: float
    is_reading: bool
    data: bytes


class _Client:
    """What waits for one listener. Only the loop's thread touches it."""

    def __init__(self, *, conflated: bool) -> None:
        self.conflated = conflated
        self.blocks: deque[bytes] = deque()
        self.waiting_bytes = 0
        self.ended = False
        self.arrived = asyncio.Event()

    def offer(self, block: bytes) -> bool:
        """Queue a block; returns False where the client is too far behind."""
        if self.waiting_bytes + len(block) > CLIENT_BYTES:
            return False
        self.blocks.append(block)
        self.waiting_bytes += len(block)
        self.arrived.set()
        return True

    def cut(self, last_words: bytes) -> None:
        """Forget what waits, say `last_words`, end."""
        self.blocks.clear()
        self.waiting_bytes = 0
        if last_words:
            self.offer(last_words)
        self.ended = True
        self.arrived.set()

    def take(self) -> bytes:
        """Return a block of what waits, empty where nothing does."""
        self.arrived.clear()
        taken = []
        size = 0
        while self.blocks and size < _BLOCK_BYTES:
            taken.append(self.blocks.popleft())
            size += len(taken[-1])
        self.waiting_bytes -= size
        if self.blocks or self.ended:
            self.arrived.set()
        return b"".join(taken)


class StreamHub:
    """One station's stream.

    Args:
        whole_state: Encoded conflated state, all signals: the first event of a conflating client.
        changes: Encoded conflated state of what changed since the last call, None where nothing did.
        monotonic: Seconds that never go back.
        ring_bytes: What the ring may hold.
    """

    def __init__(
        self,
        whole_state: Callable[[], bytes],
        changes: Callable[[], bytes | None],
        monotonic: Callable[[], float] = time.monotonic,
        ring_bytes: int = RING_BYTES,
    ) -> None:
        self._whole_state = whole_state
        self._changes = changes
        self._monotonic = monotonic
        self._most_ring_bytes = ring_bytes
        self._run = secrets.token_hex(3)
        self._lock = threading.Lock()
        self._ring: deque[_Frame] = deque()
        self._ring_bytes = 0
        self._number = 0
        self._pending: list[_Frame] = []
        self._handed_over = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._clients: set[_Client] = set()
        self._conflating: asyncio.Task[None] | None = None
        self._closed = False
        self.cut_clients = 0

    @property
    def clients(self) -> int:
        """How many listen now."""
        return len(self._clients)

    @property
    def behind_bytes(self) -> int:
        """What waits for the client that is furthest behind."""
        with self._lock:
            return max((client.waiting_bytes for client in self._clients), default=0)

    def forget_ring(self) -> None:
        """Tell whoever comes back with an id of before that events are missing; from any thread."""
        with self._lock:
            self._run = secrets.token_hex(3)
            self._ring.clear()
            self._ring_bytes = 0

    def begin_anew(self, reason: str) -> None:
        """Tell all `reset`, also whoever comes back with an older id; from any thread."""
        self.forget_ring()
        self.publish("reset", b'{"reason":"%s"}' % reason.encode())

    @property
    def newest_id(self) -> str:
        """Id of the newest event."""
        with self._lock:
            return self._id(self._number)

    def publish(self, event: str, data: bytes) -> None:
        """Send an event to all; from any thread. `data` is one line of JSON."""
        with self._lock:
            self._number += 1
            frame = _Frame(
                self._number, self._monotonic(), event == READINGS, _encode(event, data, self._id(self._number))
            )
            self._keep(frame)
            if not self._clients or self._loop is None:
                return
            self._pending.append(frame)
            if self._handed_over:
                return
            self._handed_over = True
            loop = self._loop
        try:
            loop.call_soon_threadsafe(self._distribute)
        except RuntimeError:  # The server's loop has closed: nobody listens any more.
            self._forget_clients()

    async def listen(
        self, last_event_id: str | None = None, *, conflate: bool = False, may_stay: Callable[[], bool] | None = None
    ) -> AsyncIterator[bytes]:
        """Yield blocks of the event stream for one client, until it goes, falls behind or may not stay.

        Args:
            last_event_id: Where the client was cut off; events after it come first.
            conflate: Merge readings to at most one event a second, beginning with the whole state.
            may_stay: Asked each second; False ends the stream.
        """
        client, backlog = self._join(last_event_id, conflate=conflate)
        try:
            for block in _blocks(backlog):
                yield block
            async for block in self._live(client, may_stay):
                yield block
        finally:
            self._leave(client)

    def close(self) -> None:
        """End every client's stream, so that a server can stop; from any thread."""
        self._closed = True
        with self._lock:
            loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._cut_all)

    async def _live(self, client: _Client, may_stay: Callable[[], bool] | None) -> AsyncIterator[bytes]:
        last_sent = self._monotonic()
        next_check = last_sent + _CHECK_S
        while True:
            await _wait(client.arrived, _CHECK_S)
            now = self._monotonic()
            if may_stay is not None and now >= next_check:
                next_check = now + _CHECK_S
                if not await asyncio.to_thread(may_stay):
                    return
            block = client.take()
            if not block and client.ended:
                return
            if not block and now - last_sent >= HEARTBEAT_S - _CHECK_S / 2:
                block = HEARTBEAT
            if block:
                last_sent = now
                yield block

    def _join(self, last_event_id: str | None, *, conflate: bool) -> tuple[_Client, list[bytes]]:
        client = _Client(conflated=conflate)
        self._take_loop(asyncio.get_running_loop())
        self._distribute()  # What is pending belongs to those who listen already.
        with self._lock:
            if self._closed:
                client.cut(b"")
            else:
                self._clients.add(client)
            backlog = self._missed(last_event_id, conflate=conflate)
            newest = self._id(self._number)
        if conflate:
            backlog.append(_encode(READINGS, self._whole_state(), newest))
            self._keep_conflating()
        return client, backlog

    def _take_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            if self._loop is not loop:
                self._loop, self._clients, self._conflating = loop, set(), None
                self._handed_over = False

    def _missed(self, last_event_id: str | None, *, conflate: bool) -> list[bytes]:
        """Return the frames after an id, or one `reset` frame where the ring no longer reaches back to it."""
        if last_event_id is None:
            return []
        self._forget_old()
        run, _, number = last_event_id.partition("-")
        seen = int(number) if number.isdigit() and len(number) < 18 else -1
        oldest = self._ring[0].number if self._ring else self._number + 1
        if run != self._run or seen < oldest - 1 or seen > self._number:
            return [_reset(self._id(self._number), "the stream no longer holds what came after this id")]
        frames = (frame for frame in self._ring if frame.number > seen)
        return [frame.data for frame in frames if not (conflate and frame.is_reading)]

    def _leave(self, client: _Client) -> None:
        with self._lock:
            self._clients.discard(client)
            conflating = any(other.conflated for other in self._clients)
        if not conflating and self._conflating is not None:
            self._conflating.cancel()
            self._conflating = None

    def _distribute(self) -> None:
        """Hand what is pending to every client; in the loop's thread."""
        with self._lock:
            frames, self._pending = self._pending, []
            self._handed_over = False
            clients = list(self._clients)
        if not frames:
            return
        everything = b"".join(frame.data for frame in frames)
        without_readings = b"".join(frame.data for frame in frames if not frame.is_reading)
        for client in clients:
            block = without_readings if client.conflated else everything
            if block and not client.ended and not client.offer(block):
                self._cut(client, frames[-1].number)

    def _cut(self, client: _Client, number: int) -> None:
        self.cut_clients += 1
        client.cut(_reset(self._id(number), "this client reads too slowly"))
        with self._lock:
            self._clients.discard(client)

    def _cut_all(self) -> None:
        for client in list(self._clients):
            client.cut(b"")
        if self._conflating is not None:
            self._conflating.cancel()
            self._conflating = None

    def _keep_conflating(self) -> None:
        if self._conflating is None or self._conflating.done():
            self._conflating = asyncio.get_running_loop().create_task(self._conflate(), name="stream-conflation")

    async def _conflate(self) -> None:
        while True:
            await asyncio.sleep(CONFLATE_S)
            data = self._changes()
            if data is None:
                continue
            with self._lock:
                number = self._number
            frame = _encode(READINGS, data, self._id(number))
            for client in [one for one in self._clients if one.conflated and not one.ended]:
                if not client.offer(frame):
                    self._cut(client, number)

    def _forget_clients(self) -> None:
        with self._lock:
            self._loop, self._clients, self._pending = None, set(), []
            self._handed_over = False

    def _keep(self, frame: _Frame) -> None:
        self._ring.append(frame)
        self._ring_bytes += len(frame.data) + _FRAME_BYTES
        self._forget_old()

    def _forget_old(self) -> None:
        oldest_s = self._monotonic() - RING_S
        while self._ring and (self._ring_bytes > self._most_ring_bytes or self._ring[0].born_s < oldest_s):
            self._ring_bytes -= len(self._ring.popleft().data) + _FRAME_BYTES

    def _id(self, number: int) -> str:
        return f"{self._run}-{number}"


def _encode(event: str, data: bytes, event_id: str) -> bytes:
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (event_id.encode(), event.encode(), data)


def _reset(event_id: str, reason: str) -> bytes:
    return _encode("reset", b'{"reason":"%s"}' % reason.encode(), event_id)


def _blocks(frames: list[bytes]) -> list[bytes]:
    """Return frames joined to blocks of about 64 KiB: one write each."""
    blocks: list[bytes] = []
    block: list[bytes] = []
    size = 0
    for frame in frames:
        block.append(frame)
        size += len(frame)
        if size >= _BLOCK_BYTES:
            blocks.append(b"".join(block))
            block, size = [], 0
    if block:
        blocks.append(b"".join(block))
    return blocks


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), timeout_s)
    except TimeoutError:
        return
