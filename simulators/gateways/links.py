"""The gateways' links to the broker: what an outage holds back and lets go, and what the site computer sees of it.

While a gateway is cut off its readings wait, and go out at the end of the outage, in order, with the time and the
number that they always had.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from simulators.block import TruthBlock
from simulators.estimates import estimates
from simulators.faults import ALL, Fault, FaultBoard
from simulators.measuring.gateway_clocks import GatewayClocks
from simulators.measuring.instruments import seed_of
from simulators.measuring.sampled import NOT_NUMBERED, Emission, with_oldest
from station.domain.plant import Plant
from station.wire import plan_v1, topics


@dataclass(frozen=True, slots=True)
class LinkEstimates:
    """Heartbeats, the broker's patience, and how many readings may wait."""

    heartbeat_s: float
    latency_s: float
    will_after_s: float
    held_most: int
    kept_most: int


LINKS: Final = estimates("simulators.gateways", "links", LinkEstimates)
_WILL_MS: Final = round(LINKS.will_after_s * 1000)
_BEAT_MS: Final = round(LINKS.heartbeat_s * 1000)
_SITE: Final = "site"
"""Stands for what no gateway carries, the plan and the queue at the gate: cut off only when all is."""
_OUTAGE: Final = "network-outage"
_BETWEEN_STEPS_MS: Final = 10_000
"""A filling hose's samples lie up to one step, at most this, before the step that made them."""

Span = tuple[int, int]


class LinkState(msgspec.Struct):
    """What waits, oldest first, and before which of it something was lost; which gateways were said to be off line."""

    held: list[tuple[int, str, str, int]]
    gapped: list[str]
    offline: list[str]


class Links:
    """Every gateway's link.

    Args:
        plant: The station.
        seed: Of the heartbeats' phases.
        held_most: Readings that may wait, of all gateways; beyond that the oldest are lost.
        kept_most: Of these so many of the newest stand in a snapshot.
    """

    def __init__(
        self, plant: Plant, seed: int, held_most: int = LINKS.held_most, kept_most: int = LINKS.kept_most
    ) -> None:
        self._plant = plant
        self._held_most, self._kept_most = held_most, kept_most
        self._ids = tuple(gateway.id for gateway in plant.gateways)
        self._gateway_of = {
            topics.reading(plant.id, *key): gateway.id for gateway in plant.gateways for key in gateway.units
        }
        tags = list(plant.signals)
        self._heartbeats = [
            (gateway.id, tags.index(gateway.heartbeat), seed_of(seed, "heartbeat", gateway.id) % _BEAT_MS)
            for gateway in plant.gateways
            if gateway.heartbeat is not None
        ]
        watched = {column for _, column, _ in self._heartbeats}
        # The gateway that watches the others hears none of them while it is cut off itself.
        self._watcher = next((plant.signals[tags[column]].gateway for column in watched), "")
        self._offsets = [column for column, tag in enumerate(tags) if plant.signals[tag].role == "clock_offset"]
        self._clocks = GatewayClocks(plant, seed)
        self._held: deque[Emission] = deque()
        self._gapped: set[str] = set()
        self._offline: set[str] = set()

    @property
    def state(self) -> LinkState:
        """What must be kept to go on; of what waits, the newest."""
        held = list(self._held)
        left_out = {topic for _, topic, _, _ in held[: -self._kept_most]} if len(held) > self._kept_most else set()
        kept = [(t_ms, topic, payload.decode(), seq) for t_ms, topic, payload, seq in held[-self._kept_most :]]
        return LinkState(kept, sorted(self._gapped | left_out), sorted(self._offline))

    def resume(self, state: LinkState) -> None:
        """Go on from what `state` was."""
        self._held = deque((t_ms, topic, payload.encode(), seq) for t_ms, topic, payload, seq in state.held)
        self._gapped, self._offline = set(state.gapped), set(state.offline)

    def gateway_of(self, topic: str) -> str:
        """Return the id of the gateway that publishes on a reading's topic; empty for other topics."""
        return self._gateway_of.get(topic, "")

    def cut_off(self, faults: FaultBoard, t_ms: int) -> frozenset[str]:
        """Return the gateways that cannot reach the broker at a moment."""
        cuts = self._cuts(faults, t_ms, t_ms)
        return frozenset(name for name in self._ids if _end_of(cuts.get(name, []), t_ms))

    def tell(self, block: TruthBlock, faults: FaultBoard) -> None:
        """Write into a block of truth what the site computer knows: ages of heartbeats, the worst clock's offset."""
        first_ms, last_ms = int(block.t_ms[0]), int(block.t_ms[-1])
        cuts = self._cuts(faults, first_ms, last_ms)
        own = cuts.get(self._watcher, [])
        for name, column, phase in self._heartbeats:
            heard_ms = block.t_ms.copy()
            for start_ms, end_ms in _merged(cuts.get(name, []) + own):
                heard_ms[(heard_ms >= start_ms) & (heard_ms < end_ms)] = start_ms
            beat_ms = (heard_ms - phase) // _BEAT_MS * _BEAT_MS + phase
            block.values[:, column] = (block.t_ms - beat_ms) / 1000.0 + LINKS.latency_s
        if self._offsets:
            worst = self._clocks.worst_ms(block.t_ms, faults.of_layer("gateway", first_ms, last_ms))
            block.values[:, self._offsets] = worst[:, None]

    def carry(self, emissions: Sequence[Emission], faults: FaultBoard, from_ms: int, end_ms: int) -> list[Emission]:
        """Return what gets through in a stretch of time, in order of its going out.

        Args:
            emissions: What is to go out in it, in order of true time, retained words among them.
            faults: The station's.
            from_ms: Begin of the stretch, the end of the last one.
            end_ms: Its end, which is not of it.
        """
        cuts = self._cuts(faults, from_ms - _BETWEEN_STEPS_MS, end_ms)
        if not cuts and not self._held and not self._offline:
            return list(emissions)
        out: list[Emission] = []
        waiting, self._held = self._held, deque()
        behind = {self.gateway_of(emission[1]) for emission in waiting}
        for emission in waiting:
            self._pass(emission, max(emission[0], from_ms), cuts, end_ms, out)
        for emission in emissions:
            # A sample between the last step and this one goes after what its gateway had kept.
            t_ms = max(emission[0], from_ms) if self.gateway_of(emission[1]) in behind else emission[0]
            self._pass(emission, t_ms, cuts, end_ms, out)
        self._bound()
        out = _last_words(out)
        out += self._presence(cuts, from_ms, end_ms)
        out.sort(key=_moment)  # stable: what waited goes before what is new at the same moment
        return out

    @property
    def offline(self) -> list[str]:
        """The gateways that were last said to be off line."""
        return sorted(self._offline)

    def _pass(
        self, emission: Emission, t_ms: int, cuts: dict[str, list[Span]], end_ms: int, out: list[Emission]
    ) -> None:
        """Let one message through at `t_ms`, or when its gateway is back, or keep it."""
        topic = emission[1]
        goes_ms = _end_of(cuts.get(self._gateway_of.get(topic, _SITE), []), t_ms) or t_ms
        if goes_ms >= end_ms:
            if emission[3] == NOT_NUMBERED:
                self._held = deque(held for held in self._held if held[1] != topic)
            self._held.append(emission)
            return
        payload = emission[2]
        if topic in self._gapped:
            self._gapped.discard(topic)
            payload = with_oldest(payload, emission[3])
        out.append((goes_ms, topic, payload, emission[3]))

    def _bound(self) -> None:
        while len(self._held) > self._held_most:
            _, topic, _, seq = self._held.popleft()
            if seq != NOT_NUMBERED:
                self._gapped.add(topic)

    def _presence(self, cuts: dict[str, list[Span]], from_ms: int, end_ms: int) -> Iterator[Emission]:
        """Yield the words of a gateway that the broker has given up, or that is back."""
        for name in self._ids:
            spans = cuts.get(name, [])
            if name in self._offline and not _end_of(spans, from_ms):
                yield self._word(name, from_ms, online=True)
            for start_ms, back_ms in spans:
                given_up_ms = start_ms + _WILL_MS
                if from_ms <= given_up_ms < min(back_ms, end_ms):
                    yield self._word(name, given_up_ms, online=False)
                if name in self._offline and from_ms <= back_ms < end_ms:
                    yield self._word(name, back_ms, online=True)

    def _word(self, name: str, t_ms: int, *, online: bool) -> Emission:
        if online:
            self._offline.discard(name)
        else:
            self._offline.add(name)
        payload = plan_v1.gateway_payload(t_ms, online=online, sim=True)
        return t_ms, topics.gateway(self._plant.id, name), payload, NOT_NUMBERED

    def _cuts(self, faults: FaultBoard, from_ms: int, to_ms: int) -> dict[str, list[Span]]:
        """Return the spans [start, end), apart from each other, in which each gateway is cut off; whole ones."""
        # An outage that followed another without a break began with that one, however long that is over.
        outages = [f for f in faults.of_layer("gateway", 0, to_ms) if f.name == _OUTAGE]
        if not any(fault.end_ms > from_ms for fault in outages):
            return {}
        spans = {name: _merged([_span(f) for f in outages if f.unit in (name, ALL)]) for name in self._ids}
        spans[_SITE] = _merged([_span(f) for f in outages if f.unit == ALL])
        return {name: kept for name, found in spans.items() if (kept := [s for s in found if s[1] > from_ms])}


def _last_words(out: Sequence[Emission]) -> list[Emission]:
    """Return what goes out without the retained words that another on their topic follows at the same moment."""
    last = {(t_ms, topic): place for place, (t_ms, topic, _, seq) in enumerate(out) if seq == NOT_NUMBERED}
    return [e for place, e in enumerate(out) if e[3] != NOT_NUMBERED or last[e[0], e[1]] == place]


def _span(fault: Fault) -> Span:
    return fault.start_ms, fault.end_ms


def _merged(spans: Sequence[Span]) -> list[Span]:
    """Return the same time as spans that neither overlap nor touch, in order."""
    merged: list[Span] = []
    for start_ms, end_ms in sorted(spans):
        if merged and start_ms <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end_ms)
        else:
            merged.append((start_ms, end_ms))
    return merged


def _end_of(spans: Sequence[Span], t_ms: int) -> int:
    """Return the end of the span that holds a moment, 0 where none does."""
    return next((end_ms for start_ms, end_ms in spans if start_ms <= t_ms < end_ms), 0)


def _moment(emission: Emission) -> int:
    return emission[0]
