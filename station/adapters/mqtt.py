"""MQTT in and out: a feed that acknowledges what was taken, a publisher that keeps what was not acknowledged."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import structlog

from station.adapters.mqtt_frames import BatchClient, Outgoing, Received
from station.adapters.mqtt_link import (
    BrokerAddress,
    BrokerRefusedError,
    BrokerUnavailableError,
    MqttLink,
    Will,
    parse_broker_url,
)
from station.errors import TransientError
from station.ports import OnMessages

__all__ = [
    "BrokerAddress",
    "BrokerRefusedError",
    "BrokerUnavailableError",
    "MqttFeed",
    "MqttPublisher",
    "Will",
    "forget_session",
    "parse_broker_url",
]

_log = structlog.get_logger(__name__)

OnConnectionChange = Callable[[bool], None]

_WAITING_MOST: Final = 20_000
_WAITING_BYTES_MOST: Final = 16 * 1024 * 1024
"""Beyond either of these the rest is left with the broker until `on_messages` has caught up."""
_QUIET_S: Final = 0.002
"""While gathering: nothing new for this long means that the broker waits for acknowledgements before it sends more."""
_RETRY_LEAST_S, _RETRY_MOST_S = 0.1, 5.0


def _nothing(_: bool) -> None:
    pass


class MqttFeed:
    """A `station.ports.Feed` over MQTT; a batch is acknowledged when `on_messages` has returned from it.

    Args:
        url: The broker, as text or as an address.
        client_id: Ours, to the broker; fixed where `persistent`.
        filters: Topic filters, subscribed on every connect.
        persistent: The broker keeps what comes while we are away.
        insistent: A batch that `on_messages` raised on is handed over until it is taken; else only after a
            TransientError, anything else costs that batch and is counted. As `persistent` where None.
        gather_s: Wait this long for more before a batch is handed over (group commit); cut short when the broker has
            nothing more to send. 0 hands over at once.
        batch_most: Hand over no more messages than this at a time.
        first_connect_s: How long `start` keeps trying where nobody answers.
        skip_retained: Leave out what the broker had kept from before the subscription.
        on_connection_change: Told of every up (True) and down (False), in a thread of the feed's; must not block.
        version5: Speak MQTT 5 with a broker that does, else 3.1.1.
    """

    def __init__(  # noqa: PLR0913 - each has its reason above
        self,
        url: str | BrokerAddress,
        client_id: str,
        filters: Sequence[str],
        persistent: bool = False,
        *,
        insistent: bool | None = None,
        gather_s: float = 0.0,
        batch_most: int = 4096,
        first_connect_s: float = 0.0,
        skip_retained: bool = False,
        on_connection_change: OnConnectionChange = _nothing,
        version5: bool = True,
    ) -> None:
        address = parse_broker_url(url) if isinstance(url, str) else url
        self._insistent = persistent if insistent is None else insistent
        self._gather_s = gather_s
        self._batch_most = batch_most
        self._first_connect_s = first_connect_s
        self._skip_retained = skip_retained
        self._on_change = on_connection_change
        self._link = MqttLink(
            address, client_id, self, clean_session=not persistent, filters=filters, version5=version5
        )
        self._changed = threading.Condition()
        self._waiting = Received()
        self._waiting_bytes = 0
        self._waiting_epoch = 0
        self._settled: list[int] = []
        self._settled_epoch = 0
        self._first_arrival = 0.0
        self._idle = True
        self._full = False
        self._draining = False
        self._stopping = threading.Event()
        self._on_messages: OnMessages | None = None
        self._thread = threading.Thread(target=self._deliver, name=f"feed-{client_id}", daemon=True)
        self.failures = 0
        """Batches that `on_messages` raised on, for the metrics."""
        self.takeovers = 0
        """Times another client came with our id, for the metrics."""

    @property
    def address(self) -> BrokerAddress:
        """The broker."""
        return self._link.address

    @property
    def connected(self) -> bool:
        """True while subscribed."""
        return self._link.connected

    @property
    def losses(self) -> int:
        """Connections lost since the start."""
        return self._link.losses

    @property
    def waiting(self) -> int:
        """Messages that are here and not handed over yet."""
        return len(self._waiting.mids)

    def start(self, on_messages: OnMessages) -> None:
        """Connect, subscribe and begin to deliver; returns when subscribed.

        Raises:
            BrokerUnavailableError: Nobody answers.
            BrokerRefusedError: Wrong user or password, or a forbidden subscription.
        """
        self._on_messages = on_messages
        self._thread.start()
        try:
            self._link.start(self._first_connect_s)
        except Exception:
            self.stop()
            raise

    def stop(self) -> None:
        """Take no more, let what is at hand be delivered and acknowledged (1 s at most), disconnect; idempotent."""
        deadline = time.monotonic() + 1.0
        with self._changed:
            self._draining = True
            self._changed.notify_all()
            own = threading.current_thread() is self._thread
            while self._thread.is_alive() and not own and (self._waiting.mids or not self._idle):
                if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                    break
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        self._link.stop()
        if self._thread.ident is not None and not own:
            self._thread.join(0.5)

    def end_session(self) -> None:
        """Connect once, which ends any kept session of this client id where the feed is not persistent, and stop.

        Raises:
            BrokerUnavailableError: Nobody answers.
            BrokerRefusedError: Wrong user or password.
        """
        self._link.start(self._first_connect_s)
        self._link.stop()

    # What the link's thread calls.

    def on_received(self, received: Received) -> None:
        """Queue what came for the delivering thread."""
        size = sum([len(payload) for _, payload in received.messages])
        with self._changed:
            waiting = self._waiting
            if not waiting.mids:
                self._first_arrival = time.monotonic()
            self._waiting_epoch = self._link.epoch
            if received.retained:
                offset = len(waiting.mids)
                waiting.retained += [offset + index for index in received.retained]
            waiting.messages += received.messages
            waiting.mids += received.mids
            self._waiting_bytes += size
            self._full = len(waiting.mids) >= _WAITING_MOST or self._waiting_bytes >= _WAITING_BYTES_MOST
            self._changed.notify_all()

    def on_acknowledged(self, mids: list[int]) -> None:
        """A feed publishes nothing."""

    def on_taken_over(self) -> None:
        """Count it."""
        self.takeovers += 1

    def on_up(self) -> None:
        """Tell whoever wants to know."""
        self._on_change(True)

    def on_down(self) -> None:
        """Forget the packet ids, which the next connection would not know.

        The messages stay: a broker that lost the session too would not send them again, and one that kept it sends
        them twice, which a store does not mind.
        """
        with self._changed:
            self._waiting.mids = [0] * len(self._waiting.mids)
            self._settled = []
            self._changed.notify_all()
        self._on_change(False)

    def write(self, client: BatchClient) -> None:
        """Send the acknowledgements that are due."""
        with self._changed:
            mids, self._settled = self._settled, []
            if self._settled_epoch != self._link.epoch:
                return
        client.acknowledge(mids)

    def wants_read(self) -> bool:
        """Return False while too much waits, and in the end."""
        return not (self._full or self._draining)

    # What the delivering thread does.

    def _take_waiting(self) -> tuple[Received, int]:
        taken, self._waiting = self._waiting, Received()
        if len(taken.mids) > self._batch_most:
            most = self._batch_most
            self._waiting = Received(
                taken.messages[most:], taken.mids[most:], [i - most for i in taken.retained if i >= most]
            )
            taken = Received(taken.messages[:most], taken.mids[:most], [i for i in taken.retained if i < most])
        self._waiting_bytes = sum([len(payload) for _, payload in self._waiting.messages])
        was_full, self._full = self._full, False
        if was_full:
            self._link.wake()
        return taken, self._waiting_epoch

    def _gather(self) -> None:
        """Wait until a batch is due; the caller holds the lock."""
        due = self._first_arrival + self._gather_s
        while not self._draining:
            before = len(self._waiting.mids)
            left = due - time.monotonic()
            if left <= 0.0 or not 0 < before < self._batch_most:
                return
            self._changed.wait(min(left, _QUIET_S))
            if len(self._waiting.mids) == before:
                return

    def _next_batch(self) -> tuple[Received, int] | None:
        with self._changed:
            self._idle = True
            self._changed.notify_all()
            while not self._waiting.mids:
                if self._stopping.is_set():
                    return None
                self._changed.wait()
            self._gather()
            self._idle = False
            return self._take_waiting()

    def _deliver(self) -> None:
        while (taken := self._next_batch()) is not None:
            batch, epoch = taken
            messages = batch.messages
            if self._skip_retained and batch.retained:
                kept = set(batch.retained)
                messages = [message for index, message in enumerate(messages) if index not in kept]
            if messages and not self._hand_over(messages):
                return
            with self._changed:
                if epoch == self._link.epoch:
                    if self._settled_epoch != epoch:
                        self._settled, self._settled_epoch = [], epoch
                    self._settled += [mid for mid in batch.mids if mid] if 0 in batch.mids else batch.mids
            self._link.wake()

    def _hand_over(self, messages: Sequence[tuple[str, bytes]]) -> bool:
        """Return False if the feed was stopped before the batch was taken."""
        assert self._on_messages is not None
        pause = _RETRY_LEAST_S
        while not self._stopping.is_set():
            try:
                self._on_messages(messages)
            except Exception as error:  # noqa: BLE001 - supervises what is done with messages: it must not end the feed
                self.failures += 1
                transient = isinstance(error, TransientError)
                _log.warning("messages not taken", error=str(error), count=len(messages), exc_info=not transient)
                if not (transient or self._insistent):
                    return True
                self._stopping.wait(pause)
                pause = min(_RETRY_MOST_S, 2 * pause)
            else:
                return True
        return False


def forget_session(url: str | BrokerAddress, client_id: str, within_s: float) -> None:
    """Make a broker drop a client's session: its subscriptions, and every message kept for it.

    Args:
        url: The broker.
        client_id: Whose session.
        within_s: Keep trying this long where nobody answers.

    Raises:
        BrokerUnavailableError: Nobody answers.
        BrokerRefusedError: Wrong user or password.
    """
    MqttFeed(url, client_id, (), first_connect_s=within_s).end_session()


class MqttPublisher:
    """Publishes at QoS 1 in order; what is not acknowledged is sent again after a reconnect.

    Args:
        url: The broker, as text or as an address.
        client_id: Ours, to the broker.
        window: Messages that may be on their way; a caller that would have more waits.
        will: The last will.
        first_connect_s: How long to keep trying at first where nobody answers.
        on_connection_change: Told of every up (True) and down (False) in the link's thread, in which `publish` never
            waits.

    Raises:
        BrokerUnavailableError: Nobody answers.
        BrokerRefusedError: Wrong user or password.
    """

    def __init__(
        self,
        url: str | BrokerAddress,
        client_id: str,
        window: int = 2000,
        will: Will | None = None,
        *,
        first_connect_s: float = 0.0,
        on_connection_change: OnConnectionChange = _nothing,
    ) -> None:
        address = parse_broker_url(url) if isinstance(url, str) else url
        self._window = window
        # Waiting callers wake when a quarter is free: one switch of threads for many messages, not one for each.
        self._room_wanted = max(1, window // 4)
        self._on_change = on_connection_change
        self._changed = threading.Condition()
        self._queue: deque[Outgoing] = deque()
        self._again: list[Outgoing] = []
        self._inflight: dict[int, Outgoing] = {}
        self._unsettled = 0
        self._closed = False
        self._link = MqttLink(address, client_id, self, clean_session=True, will=will)
        self._link.start(first_connect_s)

    @property
    def connected(self) -> bool:
        """True while the broker has us."""
        return self._link.connected

    @property
    def unsettled(self) -> int:
        """Messages taken and not acknowledged yet."""
        return self._unsettled

    @property
    def losses(self) -> int:
        """Connections lost since the start."""
        return self._link.losses

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Publish one message; waits while the window is full.

        Raises:
            TransientError: The publisher was closed.
        """
        self._take([(topic, payload, retain)])

    def publish_many(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Publish messages in order; waits while the window is full.

        Raises:
            TransientError: The publisher was closed; how many of them were sent is not known.
        """
        self._take([(topic, payload, False) for topic, payload in messages])

    def _take(self, items: list[Outgoing]) -> None:
        position = 0
        hurry = self._link.in_own_thread
        while position < len(items):
            with self._changed:
                if self._unsettled >= self._window and not hurry:
                    self._changed.wait_for(lambda: self._closed or self._unsettled + self._room_wanted <= self._window)
                if self._closed:
                    raise TransientError(f"publisher to {self._link.address} is closed")
                room = len(items) if hurry else self._window - self._unsettled
                piece = items[position : position + room]
                self._queue.extend(piece)
                self._unsettled += len(piece)
            position += len(piece)
            self._link.wake()

    def settle(self, timeout_s: float) -> bool:
        """Return True when all that was published is acknowledged, False if that takes longer."""
        with self._changed:
            return (
                self._changed.wait_for(lambda: self._unsettled == 0 or self._closed, timeout_s) and not self._unsettled
            )

    def close(self, timeout_s: float = 1.0) -> bool:
        """Settle, say goodbye (the will is not published) and end; return False if something was not acknowledged."""
        settled = self.settle(timeout_s)
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._link.stop()
        return settled

    # What the link's thread calls.

    def on_received(self, received: Received) -> None:
        """A publisher subscribes to nothing."""

    def on_acknowledged(self, mids: list[int]) -> None:
        """Strike off what arrived."""
        inflight = self._inflight
        count = 0
        for mid in mids:
            if inflight.pop(mid, None) is not None:
                count += 1
        with self._changed:
            self._unsettled -= count
            if self._unsettled == 0 or self._unsettled + self._room_wanted <= self._window:
                self._changed.notify_all()

    def on_up(self) -> None:
        """Tell whoever wants to know."""
        self._on_change(True)

    def on_taken_over(self) -> None:
        """Nothing: what was under way goes out with the next connection."""

    def on_down(self) -> None:
        """Keep what was under way, in order, for the next connection."""
        self._again = [*self._inflight.values(), *self._again]
        self._inflight.clear()
        self._on_change(False)

    def write(self, client: BatchClient) -> None:
        """Send what waits: first what an earlier connection had not settled."""
        if self._again:
            again, self._again = self._again, []
            client.send(again, self._inflight, again=True)
        if self._queue:
            with self._changed:
                batch = list(self._queue)
                self._queue.clear()
            client.send(batch, self._inflight)

    def wants_read(self) -> bool:
        """Return True: acknowledgements are always welcome."""
        return True
