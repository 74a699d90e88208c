"""A simulated station: physics, instruments and gateways in one, advanced step by step.

What it says comes out in the order in which it happens: each unit's readings, and the retained words beside them (day
plan, gate queue, gateways) after the readings of their moment.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol

import msgspec
import numpy as np

from simulators.block import DayTruth, TruthBlock
from simulators.faults import FaultBoard
from simulators.gateways.links import Links, LinkState
from simulators.measuring.instruments import seed_of
from simulators.measuring.sampled import NOT_NUMBERED, Emission, SampledBlock
from simulators.measuring.sampling import Sampler, SamplerState
from station.domain.day_plan import DayPlan, WaitingTruck
from station.domain.plant import Plant
from station.domain.signals import UnitMessage
from station.errors import BadInputError
from station.wire import plan_v1, topics

LOOK_S: Final = 10.0
"""Between two looks at the gate queue and the plan when time is made in long stretches; a second or less when live."""
QUEUE_EVERY_MS: Final = 60_000
_SNAPSHOT_FORMAT: Final = 2


class PhysicsSource(Protocol):
    """The plant's physics, as far as a station needs it (`simulators.physics.StationPhysics`)."""

    @property
    def t_ms(self) -> int:
        """Where it stands, epoch ms."""
        ...

    @property
    def faults(self) -> FaultBoard:
        """What is the matter, and will be."""
        ...

    @property
    def plan_version(self) -> int:
        """Rises when what the operator's plan says has changed."""
        ...

    def advance(self, n_steps: int, dt_s: float = 1.0) -> TruthBlock:
        """Return the next `n_steps` rows."""
        ...

    def waiting(self) -> tuple[WaitingTruck, ...]:
        """Return the trucks at the gate."""
        ...

    def plan(self, day: dt.date) -> DayPlan:
        """Return what the operator's plan says of a station day."""
        ...

    def truth(self) -> DayTruth:
        """Return the plant's own account."""
        ...

    def inject(self, fault_name: str, unit: str, /, **options: Any) -> None:
        """Start a fault."""
        ...

    def snapshot(self) -> bytes:
        """Return everything needed to continue exactly."""
        ...


class _Snapshot(msgspec.Struct):
    format: int
    station: str
    seed: int
    boots: int
    started_ms: int
    sampler: SamplerState
    links: LinkState
    physics: bytes


class SimulatedStation:
    """A plant with its sensors.

    Args:
        plant: The station file.
        physics: Its physics, at the moment to go on from.
        seed: Of the instruments' errors.
        boots: How often these devices have started before.
        started_ms: When they first started, if not now.
    """

    def __init__(
        self, plant: Plant, physics: PhysicsSource, seed: int, *, boots: int = 0, started_ms: int | None = None
    ) -> None:
        self.plant = plant
        self.physics = physics
        self._seed = seed
        self._boots = boots
        self._started_ms = physics.t_ms if started_ms is None else started_ms
        self._sampler = Sampler(plant, seed, self._boot_id())
        self._links = Links(plant, seed)
        self._said = _Retained(plant)

    def _boot_id(self) -> str:
        """Return what tells this run of the devices from others.

        The first start's time is part of it: two runs of one seed are two devices to those who count messages.
        """
        return f"{seed_of(self._seed, self.plant.id, str(self._started_ms), str(self._boots)) % 2**24:06x}"

    @property
    def t_ms(self) -> int:
        """Station time reached, epoch ms: all before it is said, itself not yet."""
        return self.physics.t_ms

    @property
    def boot(self) -> str:
        """Identity of this run of the devices."""
        return self._sampler.boot

    def reboot(self) -> None:
        """Start all devices anew: another boot, numbers from 1, every state said once more."""
        self._boots += 1
        self._sampler = Sampler(self.plant, self._seed, self._boot_id())

    def advance(self, seconds: float, *, step_s: float = 1.0, every: dt.timedelta | None = None) -> list[UnitMessage]:
        """Return what the units say in the next `seconds`, in order of (true time, unit).

        Straight from the devices: an outage of the network holds nothing back here.

        Args:
            seconds: Station time to pass, a multiple of `step_s`.
            step_s: Step of the physics [s], 1 to 10.
            every: Coarse sampling, see `Sampler.sample`.
        """
        return list(self.sampled(seconds, step_s=step_s, every=every).messages())

    def sampled(self, seconds: float, *, step_s: float = 1.0, every: dt.timedelta | None = None) -> SampledBlock:
        """Return the same as columns."""
        return self._sample(self.physics.advance(round(seconds / step_s), step_s), every)

    def emissions(
        self, seconds: float, *, step_s: float = 1.0, every: dt.timedelta | None = None, look_s: float = LOOK_S
    ) -> list[Emission]:
        """Return the same as it goes out, and the retained words (seq `NOT_NUMBERED`) after the readings of their time.

        Args:
            seconds: Station time to pass, a multiple of `step_s`.
            step_s: Step of the physics [s], 1 to 10.
            every: Coarse sampling, see `Sampler.sample`.
            look_s: Between two looks at the gate queue and the plan [s].
        """
        from_ms = self.t_ms
        truth, retained = self._pass(round(seconds / step_s), step_s, max(1, round(look_s / step_s)))
        emissions = self._sample(truth, every).emissions()
        if retained:
            emissions += retained
            emissions.sort(key=_moment)  # stable: the words come after the readings of their moment
        return self._links.carry(emissions, self.physics.faults, from_ms, self.t_ms)

    def gateway_of(self, topic: str) -> str:
        """Return the id of the gateway that publishes on a reading's topic; empty for other topics."""
        return self._links.gateway_of(topic)

    def cut_off(self, t_ms: int) -> frozenset[str]:
        """Return the ids of the gateways that cannot reach the broker at a moment (epoch ms)."""
        return self._links.cut_off(self.physics.faults, t_ms)

    def _sample(self, truth: TruthBlock, every: dt.timedelta | None) -> SampledBlock:
        faults = self.physics.faults
        self._links.tell(truth, faults)
        return self._sampler.sample(truth, every, faults)

    def _pass(self, steps: int, step_s: float, steps_a_look: int) -> tuple[TruthBlock, list[Emission]]:
        """Pass time, and return what was true and what changed on the retained topics."""
        parts: list[TruthBlock] = []
        retained: list[Emission] = []
        for done in range(0, steps, steps_a_look):
            parts.append(self.physics.advance(min(steps - done, steps_a_look), step_s))
            t_ms = self.t_ms
            retained += [(t_ms, topic, payload, NOT_NUMBERED) for topic, payload in self.retained()]
        return _joined(parts), retained

    def retained(self) -> list[tuple[str, bytes]]:
        """Return the retained words that have changed since the last look (all of them the first time)."""
        return self._said.changes(self.physics)

    def retained_again(self) -> list[tuple[str, bytes]]:
        """Return all retained words as they stand, for a broker that has forgotten them."""
        self._said = _Retained(self.plant)
        offline = _gateways(self.plant, self.t_ms, self._links.offline, online=False)
        return self._said.changes(self.physics) + offline

    def farewell(self) -> list[tuple[str, bytes]]:
        """Return the retained words of gateways that go off line in good order."""
        return _gateways(self.plant, self.t_ms, _ids(self.plant), online=False)

    def snapshot(self) -> bytes:
        """Return everything needed to go on from here: physics, carried row, numbers."""
        kept = _Snapshot(
            _SNAPSHOT_FORMAT,
            self.plant.id,
            self._seed,
            self._boots,
            self._started_ms,
            self._sampler.state,
            self._links.state,
            self.physics.snapshot(),
        )
        return msgspec.json.encode(kept)

    @classmethod
    def restore(
        cls,
        plant: Plant,
        restore_physics: Callable[[bytes], PhysicsSource],
        data: bytes,
        *,
        same_boot: bool = False,
    ) -> SimulatedStation:
        """Return the station that a snapshot describes.

        Args:
            plant: The station file; must be the one of the snapshot.
            restore_physics: Makes the physics from its own part of the snapshot.
            data: What `snapshot` returned.
            same_boot: Go on as if nothing had been: only right where nothing was sent after the snapshot. Otherwise the
                devices boot anew and count from 1, as numbers sent after the snapshot must not come twice.

        Raises:
            BadInputError: Not such a snapshot, or one of another station.
        """
        kept = _read_snapshot(plant, data)
        physics = restore_physics(kept.physics)
        boots = kept.boots if same_boot else kept.boots + 1
        station = cls(plant, physics, kept.seed, boots=boots, started_ms=kept.started_ms)
        station._links.resume(kept.links)
        if same_boot:
            station._sampler.resume(kept.sampler)
            station._said.changes(physics)
        return station


class _Retained:
    """What stands on the retained topics, and what of it is no longer true."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._plan: tuple[int, dt.date] | None = None
        self._waiting: Sequence[WaitingTruck] = ()
        self._queue_ms: int | None = None

    def changes(self, physics: PhysicsSource) -> list[tuple[str, bytes]]:
        """Return the words that must be said now."""
        words = [] if self._plan else _gateways(self._plant, physics.t_ms, _ids(self._plant), online=True)
        return words + self._plans(physics) + self._queue(physics)

    def _plans(self, physics: PhysicsSource) -> list[tuple[str, bytes]]:
        today = self._plant.day_of(dt.datetime.fromtimestamp(physics.t_ms / 1000, dt.UTC))
        stands = (physics.plan_version, today)
        if stands == self._plan:
            return []
        self._plan = stands
        days = (today, today + dt.timedelta(days=1))
        return [(topics.plan(self._plant.id, day.isoformat()), plan_v1.plan_payload(physics.plan(day))) for day in days]

    def _queue(self, physics: PhysicsSource) -> list[tuple[str, bytes]]:
        waiting, t_ms = physics.waiting(), physics.t_ms
        minute_passed = self._queue_ms is None or t_ms // QUEUE_EVERY_MS > self._queue_ms // QUEUE_EVERY_MS
        if waiting == self._waiting and not minute_passed:
            return []
        self._waiting, self._queue_ms = waiting, t_ms
        return [(topics.gate_queue(self._plant.id), plan_v1.gate_queue_payload(t_ms, waiting))]


def _ids(plant: Plant) -> list[str]:
    return [gateway.id for gateway in plant.gateways]


def _gateways(plant: Plant, t_ms: int, ids: Iterable[str], *, online: bool) -> list[tuple[str, bytes]]:
    payload = plan_v1.gateway_payload(t_ms, online=online, sim=True)
    return [(topics.gateway(plant.id, name), payload) for name in ids]


def _moment(emission: Emission) -> int:
    return emission[0]


def _joined(parts: Sequence[TruthBlock]) -> TruthBlock:
    if len(parts) == 1:
        return parts[0]
    times = np.concatenate([part.t_ms for part in parts])
    return TruthBlock(times, np.concatenate([part.values for part in parts]), parts[0].dt_s)


def _read_snapshot(plant: Plant, data: bytes) -> _Snapshot:
    try:
        kept = msgspec.json.decode(data, type=_Snapshot)
    except msgspec.DecodeError as error:
        raise BadInputError(f"simulator state cannot be read: {error}; remove it to start anew") from error
    if kept.format != _SNAPSHOT_FORMAT or kept.station != plant.id or len(kept.sampler.last) != len(plant.signals):
        raise BadInputError(
            f"simulator state is of another version or station than {plant.id}; remove it to start anew"
        )
    return kept
