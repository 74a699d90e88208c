"""One day of a back-test: the detailed plant lives through it, the forecast sees what was published, both are kept.

What the plant said stands in the cache with its own account of the trucks, and what the forecast made of it. Each name
holds a hash of all that the file depends on, the program's own sources too: nothing stale is ever used.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.util
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec

from api.forecast.engine import CapacityEngine
from api.forecast.inputs import CapacityInputs
from api.forecast.runners import InlineRunner
from cli.back_test_days import DayScript
from cli.simulator_side import new_station
from simulators.block import TruckTruth
from simulators.scenario import scenario_state
from station.adapters.log_files import read_log, write_log
from station.domain.back_test import SHORT, SHORT_KG, AlertChange, ForecastPoint, JudgedDay, short_at
from station.domain.capacity import forecast
from station.domain.capacity_alerts import CapacityAlerts, CapacityCondition
from station.domain.capacity_forecast import Forecast
from station.domain.capacity_snapshot import StationSnapshot
from station.domain.plant import Plant
from station.wire import plan_v1
from station.wire.admission import Admission

_EVERY: Final = dt.timedelta(seconds=60)
_DAY_S: Final = 86_400
_GRACE_S: Final = 3_600
"""A fill that ends this long after close still counts, contract section 6."""

_BLOCK_S: Final = 3_600.0
_MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class _Band:
    """Probabilities [low, high] in which no urgent alert is raised or cleared, their scatter allowed for."""

    low: float
    high: float

    def holds(self, probability: float) -> bool:
        return self.low <= probability <= self.high


_QUIET: Final = _Band(0.0, 0.1)
_AT_RISK: Final = _Band(0.2, 0.4)
_SHORT: Final = _Band(0.35, 1.0)
"""Of no alert, of CAP-RISK, of CAP-SHORT: raised at 0.2 and 0.6 (0.5 by default), cleared at 0.1 and 0.2."""

_RISK: Final = "CAP-RISK"

_LIVED_BY: Final = ("simulators", "station.data", "station.domain.hydrogen", "station.domain.isotherms")
_SEEN_BY: Final = ("cli.back_test_day", "api.forecast", "station")
"""Packages and modules whose sources decide over what is kept."""


@dataclass(frozen=True, slots=True)
class Thrift:
    """What a back-test spares.

    Attributes:
        step_s: Step of the plant's physics [s].
        every_min: Between the forecasts while no urgent alert is about to be raised or cleared [min].
        busy_min: Between them at all other times [min]; the service's own is 5.
        replicas: Monte Carlo replicas of each.
        events: Make those too that an event asks for: a trip, a trailer that docks.
    """

    step_s: float = 5.0
    every_min: int = 30
    busy_min: int = 5
    replicas: int = 100
    events: bool = True


class _Truth(msgspec.Struct, frozen=True):
    """What the plant itself says of a day."""

    plan_kg: float
    trucks: list[TruckTruth]


@dataclass(frozen=True, slots=True)
class DayFiles:
    """A day in the cache: what the plant said, its own account of the trucks, what was forecast."""

    log: Path
    truth: Path
    forecasts: Path


@dataclass(frozen=True, slots=True)
class DayMaker:
    """Makes days and judges them.

    Attributes:
        plant: The station.
        cache: Folder of what is kept.
        thrift: What is spared.
        lived_by, seen_by: Hashes of the sources that decide over what is kept.
    """

    plant: Plant
    cache: Path
    thrift: Thrift
    lived_by: str
    seen_by: str

    @classmethod
    def of(cls, plant: Plant, cache: Path, thrift: Thrift) -> DayMaker:
        """Return a maker by the sources as they stand now: what is edited while it works changes no name any more."""
        return cls(plant, cache, thrift, _sources(_LIVED_BY), _sources(_SEEN_BY))

    def files(self, script: DayScript) -> DayFiles:
        """Return where a day stands in the cache."""
        # The estimates that tune the forecast change nothing of what the plant lives through.
        untuned = repr(replace(self.plant, parameters={}))
        lived = _hash(_state(script), self.thrift.step_s, self.lived_by, untuned)
        seen = _hash(lived, self.thrift, self.seen_by, repr(self.plant))
        day = self.cache / f"{script.number:04}"
        return DayFiles(
            log=day.with_name(f"{day.name}-day-{lived}.ndjson.zst"),
            truth=day.with_name(f"{day.name}-truth-{lived}.json"),
            forecasts=day.with_name(f"{day.name}-forecasts-{seen}.json"),
        )

    def judged(self, script: DayScript) -> JudgedDay:
        """Return a day with what was forecast and what happened, from the cache where it is there."""
        files = self.files(script)
        if files.forecasts.exists():
            return msgspec.json.decode(files.forecasts.read_bytes(), type=JudgedDay)
        if not files.truth.exists():
            self._live(script, files)
        truth = msgspec.json.decode(files.truth.read_bytes(), type=_Truth)
        day = self._forecast(script, truth, files.log)
        _write_whole(files.forecasts, msgspec.json.encode(day))
        return day

    def _live(self, script: DayScript, files: DayFiles) -> None:
        """Let the plant live through a day, and keep what it said and its own account."""
        start = self.plant.day_start(script.date)
        station = new_station(self.plant, script.scenario, start, script.seed)

        def said() -> Iterable[tuple[str, bytes]]:
            yield from station.retained()
            for _ in range(0, _DAY_S + _GRACE_S, round(_BLOCK_S)):
                for _, topic, payload, _ in station.emissions(
                    _BLOCK_S, step_s=self.thrift.step_s, every=_EVERY, look_s=_EVERY.total_seconds()
                ):
                    yield topic, payload

        self.cache.mkdir(parents=True, exist_ok=True)
        part = files.log.with_name(f"part-{files.log.name}")
        write_log(part, said(), {"station": self.plant.id, "day": script.date.isoformat(), "kind": script.kind})
        part.replace(files.log)
        plan = station.physics.plan(script.date)
        truth = _Truth(plan.kg, list(station.physics.truth().truck_list))
        _write_whole(files.truth, msgspec.json.encode(truth))

    def _forecast(self, script: DayScript, truth: _Truth, log: Path) -> JudgedDay:
        """Return what the forecast made of what the plant had said."""
        start_ms = round(self.plant.day_start(script.date).timestamp() * 1000)
        close_ms = start_ms + _DAY_S * 1000
        own = [truck for truck in truth.trucks if truck.arrival_ms < close_ms]
        lacking = [((t.arrival_ms - start_ms) / _MINUTE_MS, t.asked_kg - t.delivered_kg) for t in own]
        short_kg, short_minute = short_at(lacking)
        watch = _Watch(self.plant, start_ms, self.thrift)
        watch.hear(((record.topic, record.payload) for record in read_log(log)), close_ms)
        return JudgedDay(
            name=f"{script.number} {script.kind} {script.date}",
            onset=script.onset,
            cause=script.cause,
            plan_kg=truth.plan_kg,
            kg=sum(truck.delivered_kg for truck in own),
            short_kg=short_kg,
            short_minute=short_minute,
            points=tuple(watch.points),
            changes=tuple(watch.changes),
        )


class _ThriftyRunner(InlineRunner):
    """Leaves out regular runs while they would raise and clear nothing.

    What was left out is made as soon as a later forecast says otherwise, so each change is seen at its own run. A
    change that comes and goes between two forecasts that agree stays unseen.
    """

    def __init__(self, plant: Plant, start_ms: int, thrift: Thrift) -> None:
        super().__init__(plant, thrift.replicas)
        self._start_ms, self._thrift = start_ms, thrift
        self._band: _Band | None = None
        self._spared: list[StationSnapshot] = []

    def look(self, forecast: Forecast, active: frozenset[str]) -> None:
        """Take what the newest forecast says, and which alerts stand."""
        band = _SHORT if SHORT in active else _AT_RISK if _RISK in active else _QUIET
        calm = _agrees(forecast, band) and band.holds(forecast.shortfall_probability)
        self._band = band if calm else None

    def submit(self, snapshot: StationSnapshot, *, on_grid: bool) -> None:
        """Make a forecast, and those that were left out before it where it changes the picture; or leave it out."""
        minute = (snapshot.at_ms - self._start_ms) // _MINUTE_MS
        wanted = minute % self._thrift.busy_min == 0 if on_grid else self._thrift.events
        if not wanted:
            return
        if on_grid and self._band is not None and minute % self._thrift.every_min:
            self._spared.append(snapshot)
            return
        newest = forecast(self._plant, snapshot, self._replicas, on_grid=on_grid)
        if self._band is None or not _agrees(newest, self._band):
            for spared in self._spared:
                super().submit(spared, on_grid=True)
        self._spared.clear()
        self._done.append(newest)


def _agrees(forecast: Forecast, band: _Band) -> bool:
    """Return whether a forecast by itself stays within a band; a quiet one has a base case that is not short either."""
    detail = forecast.detail
    return band.holds(detail.probability_now) and (band is not _QUIET or detail.base_shortfall_kg < SHORT_KG)


@dataclass
class _Watch:
    """The forecast and its alerts over one day's messages, wired as in the service."""

    plant: Plant
    start_ms: int
    thrift: Thrift
    points: list[ForecastPoint] = field(default_factory=list)
    changes: list[AlertChange] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._inputs = CapacityInputs(self.plant)
        self._runner = _ThriftyRunner(self.plant, self.start_ms, self.thrift)
        self._engine = CapacityEngine(self.plant, self._inputs, self._runner)
        self._alerts = CapacityAlerts(self.plant)
        self._admission = Admission([self.plant])
        self._active: frozenset[str] = frozenset()
        self._now_ms = self.start_ms

    def hear(self, said: Iterable[tuple[str, bytes]], until_ms: int) -> None:
        """Take what a station said, up to a moment: beyond it forecasts are of another station day."""
        for topic, payload in said:
            part = topic.split("/")
            if part[3] == "plan":
                day = dt.date.fromisoformat(part[4])
                self._inputs.observe_plan(plan_v1.parse_plan(payload, day, self.plant.timezone, "mqtt"))
            elif part[3] == "queue":
                self._inputs.observe_queue(*plan_v1.parse_gate_queue(payload))
            elif part[3] != "gateway" and not self._reading(topic, payload, until_ms):
                return

    def _reading(self, topic: str, payload: bytes, until_ms: int) -> bool:
        """Take a reading; return False once one is of later than `until_ms`."""
        message = self._admission.admit(topic, payload, self._now_ms).message
        if message is None:
            return True
        if message.t_ms > until_ms:
            return False
        if message.t_ms > self._now_ms:
            # Sent late after an outage of the network, or by a clock that is behind: time goes on, never back.
            self._now_ms = message.t_ms
            self._engine.advance(message.t_ms)
            for forecast in self._engine.finished():
                self._take(forecast)
        self._inputs.observe(message)
        return True

    def _take(self, forecast: Forecast) -> None:
        minute = (forecast.at_ms - self.start_ms) // _MINUTE_MS
        kg = forecast.detail.kg_by_close
        self.points.append(
            ForecastPoint(minute, forecast.shortfall_probability, (kg.p10, kg.p50, kg.p90), forecast.bottleneck)
        )
        self._note(minute, forecast.bottleneck, self._alerts.update(forecast))
        self._runner.look(forecast, self._active)

    def _note(self, minute: int, bottleneck: str, told: Sequence[CapacityCondition]) -> None:
        """Note which alerts were raised or cleared; one that stands is told each time."""
        active = frozenset(condition.id for condition in told if condition.active)
        for alert in sorted(active ^ self._active):
            self.changes.append(AlertChange(minute, alert, alert in active, bottleneck))
        self._active = active


# --- what a cached file depends on ---


def _state(script: DayScript) -> str:
    happens = msgspec.json.encode(scenario_state(script.scenario)).decode()
    return f"{script.date} {script.seed} {script.cause} {script.onset} {happens}"


def _hash(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]


def _sources(modules: Iterable[str]) -> str:
    """Return a hash of the sources and data of packages or modules."""
    digest = hashlib.sha256()
    for module in modules:
        spec = importlib.util.find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        home = Path(spec.origin)
        files = sorted(home.parent.rglob("*")) if home.name == "__init__.py" else [home]
        for file in files:
            if file.suffix in {".py", ".toml", ".npz", ".json"}:
                digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _write_whole(file: Path, data: bytes) -> None:
    """Write a file whole or not at all: a back-test that is broken off leaves no half days."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"part-{file.name}")
    part.write_bytes(data)
    part.replace(file)
