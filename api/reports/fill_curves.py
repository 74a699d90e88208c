"""One fill read out of the store as a curve of some hundred points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from station.domain.fill_curve import Corridor, CurvePoint, corridor_of, end_of_fill
from station.domain.plant import Plant
from station.domain.report.day_readings import NEAR_MS, steps_of
from station.ports import Aggregate, ReadingStore

_LONGEST_MS: Final = 3 * 3_600_000
"""No truck stands at a hose for longer."""
_POINTS: Final = 360
"""A curve on a screen has no more places."""
_BEFORE_MS: Final = 70_000
"""States come each minute at least: so long before its start a hose has said that it was idle."""
_STEPS_MS: Final = (1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000)


@dataclass(frozen=True, slots=True)
class FillCurve:
    """A fill as its curve.

    Attributes:
        end_ms, ended_as: None while it goes on.
        besides: `nozzle_mpa`, `kg` (since it connected), `flow_g_s`, `soc`, a value a point.
    """

    hose: str
    start_ms: int
    end_ms: int | None
    ended_as: str | None
    every_ms: int
    points: Sequence[CurvePoint]
    corridor: Sequence[Corridor | None]
    besides: Mapping[str, Sequence[float | None]]


def read_curve(plant: Plant, store: ReadingStore, hose: str, start_ms: int, now_ms: int) -> FillCurve | None:
    """Return the fill of a hose that connected at a moment, None where none did.

    Raises:
        StoreUnavailableError: The store is away.
    """
    steps = _states(plant, store, hose, start_ms, min(start_ms + _LONGEST_MS, now_ms + 1))
    try:
        over = end_of_fill(steps, start_ms)
    except KeyError:
        return None
    until_ms = min(now_ms, start_ms + _LONGEST_MS) + 1 if over is None else over[0]
    grid = _Grid.of(start_ms, until_ms)
    columns = _columns(plant, store, hose, grid)
    points = _points(grid, steps, columns)
    return FillCurve(
        hose,
        start_ms,
        None if over is None else over[0],
        None if over is None else over[1],
        grid.every_ms,
        points,
        corridor_of(plant.fill, points),
        {name: columns[name] for name in ("nozzle_mpa", "kg", "flow_g_s", "soc")},
    )


@dataclass(frozen=True, slots=True)
class _Grid:
    """The moments of a curve: windows of the store."""

    start_ms: int
    end_ms: int
    every_ms: int

    @classmethod
    def of(cls, start_ms: int, end_ms: int) -> _Grid:
        length = end_ms - start_ms
        return cls(start_ms, end_ms, next((e for e in _STEPS_MS if length <= e * _POINTS), _STEPS_MS[-1]))

    @property
    def times(self) -> range:
        return range(self.start_ms, self.end_ms, self.every_ms)

    def column(self, plant: Plant, store: ReadingStore, tag: str, how: Aggregate) -> list[float | None]:
        """Return one place a moment, None where nothing good came."""
        windows = store.windows(
            plant.id, tag, self.start_ms, self.end_ms, self.every_ms, how, self.start_ms % self.every_ms
        )
        held = {window.t_ms: window.value for window in windows}
        return [held.get(t_ms) for t_ms in self.times]


def _states(plant: Plant, store: ReadingStore, hose: str, start_ms: int, until_ms: int) -> list[tuple[int, str | None]]:
    tag = plant.tag("dispensing", hose, "state")
    names = [state.en for state in plant.signals[tag].states]
    if until_ms <= start_ms:
        return []
    steps = steps_of(store.raw(plant.id, tag, max(0, start_ms - _BEFORE_MS), until_ms), until_ms)
    return [(t_ms, names[int(v)] if v is not None and 0 <= v < len(names) else None) for t_ms, v in steps]


def _columns(plant: Plant, store: ReadingStore, hose: str, grid: _Grid) -> dict[str, list[float | None]]:
    wanted: tuple[tuple[str, str, str, Aggregate], ...] = (
        ("vehicle_mpa", "vehicle", "pressure", "last"),
        ("gas_c", "vehicle", "temperature", "last"),
        ("soc", "vehicle", "soc", "last"),
        ("nozzle_mpa", "dispensing", "pressure", "mean"),
        ("delivery_c", "dispensing", "delivery_temperature", "mean"),
        ("flow_g_s", "dispensing", "flow", "mean"),
        ("total", "dispensing", "total", "last"),
    )
    columns = {name: grid.column(plant, store, plant.tag(area, hose, role), how) for name, area, role, how in wanted}
    total = columns.pop("total")
    first = _total_at(plant, store, hose, grid.start_ms)
    columns["kg"] = [None if kg is None or first is None else max(0.0, kg - first) for kg in total]
    return columns


def _total_at(plant: Plant, store: ReadingStore, hose: str, start_ms: int) -> float | None:
    tag = plant.tag("dispensing", hose, "total")
    near = store.raw(plant.id, tag, max(0, start_ms - NEAR_MS), start_ms + NEAR_MS)
    known = [one for one in near if one.value is not None]
    before = [one.value for one in known if one.t_ms <= start_ms]
    return before[-1] if before else next((one.value for one in known), None)


def _points(
    grid: _Grid, steps: Sequence[tuple[int, str | None]], columns: Mapping[str, Sequence[float | None]]
) -> list[CurvePoint]:
    found, at, state = [], 0, None
    for place, t_ms in enumerate(grid.times):
        while at < len(steps) and steps[at][0] <= t_ms:
            state, at = steps[at][1], at + 1
        found.append(
            CurvePoint(
                t_ms, state, columns["vehicle_mpa"][place], columns["gas_c"][place], columns["delivery_c"][place]
            )
        )
    return found
