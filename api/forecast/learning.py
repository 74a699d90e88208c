"""Learning the station's own habits while it is watched, and keeping them over restarts.

What is learned depends on messages, plans and the grid of station time alone. Each event teaches once: a mark says up
to when events have been counted, and is kept with what they taught.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from api.forecast.handling_watch import HandlingWatch
from api.forecast.lessons import HOUR_MS, RIPE_MS, Stretch, learn
from api.forecast.snapshots import Known
from api.forecast.tags import CapacityTags
from api.forecast.train_health import TrainHealth
from station.domain.estimators import Estimator
from station.domain.learned import AFTER, CONNECT, HEALTH, UNDERFILL, Learned, LearnedRow
from station.domain.plant import Plant
from station.domain.taught import estimators_of, learned_of
from station.errors import TransientError
from station.ports import LearnedBook

_AT_ONCE: Final = (CONNECT, AFTER, UNDERFILL)
"""Learned the moment they are seen; all else a stretch of an hour at a time."""
_MOST_DEAF: Final = 5
"""Minutes about a stretch in which a hose may be silent: more, and trucks may have come unheard."""
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Learning:
    """Learns one station.

    Args:
        plant: The station.
        tags: Its capacity inputs.
        book: What was learned before; None learns from nothing each time.
        keep: Where rows go at each full hour, None keeps nothing.
    """

    plant: Plant
    tags: CapacityTags
    book: LearnedBook | None = None
    keep: Callable[[Sequence[LearnedRow]], None] | None = None
    _lessons: dict[str, Estimator] = field(init=False)
    _watch: HandlingWatch = field(init=False)
    _learned: Learned = field(init=False)
    _until_ms: int | None = None
    _heard_ms: int = 0
    _at_ms: int | None = None
    _missing: bool = False
    _deaf: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._lessons = estimators_of(self.plant)
        self._watch = HandlingWatch(self.plant, self.tags, self._lessons)
        self._learned = learned_of(self._lessons)
        self._until_ms = None

    @property
    def learned(self) -> Learned:
        """What was learned up to the last full hour."""
        return self._learned

    def forget(self) -> None:
        """Forget what has begun and not ended, for a station time that was set back; what was learned stays."""
        self._watch.forget()
        self._deaf.clear()
        self._at_ms = None

    def hose(self, unit: str, t_ms: int, state: str, queue: Callable[[], Sequence[object]]) -> None:
        """Take a hose's fill state; `queue` tells who waits at the gate."""
        self._watch.hose(unit, t_ms, state, queue)

    def prime(self, health: TrainHealth, heard_ms: int, at_ms: int) -> None:
        """Continue from what was kept up to a moment.

        Args:
            health: The trains', which is kept here.
            heard_ms: Since when fills and arrivals are known.
            at_ms: Station time, epoch ms.
        """
        self._heard_ms = heard_ms
        self.forget()
        if self.book is None:
            return
        try:
            rows = self.book.newest(self.plant.id, at_ms)
        except TransientError as error:
            _log.warning("what was learned is out of reach", station=self.plant.id, error=str(error))
            self._missing = True
            return
        self._missing = False
        self._begin()
        self._restore(rows, health)

    def _restore(self, rows: Sequence[LearnedRow], health: TrainHealth) -> None:
        for row in rows:
            if row.parameter in self._lessons:
                self._lessons[row.parameter].restore(row.state)
                if row.parameter in _AT_ONCE:
                    self._watch.until_ms[row.parameter] = row.until_ms
                elif row.until_ms:
                    self._until_ms = max(self._until_ms or 0, row.until_ms)
            elif row.parameter.startswith(HEALTH):
                health.restore(row.parameter.removeprefix(HEALTH), row.state)
        self._learned = learned_of(self._lessons, health.estimates())

    def tick(self, known: Known, at_ms: int) -> None:
        """Let a minute of station time pass; at each full hour learn the stretch that has become ripe, and keep all."""
        before, self._at_ms = self._at_ms, at_ms
        if any(not known.measured.is_heard(hose.state, at_ms) for hose in self.tags.hoses):
            self._deaf.append(at_ms)
        if self._missing and self._is_new_hour(before, at_ms):
            # Until the book answers nothing is learned: what is in it must not be overwritten by less.
            self.prime(known.health, self._heard_ms, at_ms)
            self._at_ms = at_ms
        if self._missing:
            return
        self._watch.tick(known.measured, known.trailers, known.plans, at_ms)
        if self._is_new_hour(before, at_ms):
            self._learn(known, at_ms)
            self.keep_rows(known.health)

    @staticmethod
    def _is_new_hour(before: int | None, at_ms: int) -> bool:
        return before is not None and at_ms // HOUR_MS > before // HOUR_MS

    def _learn(self, known: Known, at_ms: int) -> None:
        end_ms = at_ms // HOUR_MS * HOUR_MS - RIPE_MS
        heard_ms = max(known.trailers.since_ms or at_ms, self._heard_ms) + HOUR_MS
        start_ms = max(self._until_ms or 0, heard_ms)
        if end_ms > start_ms:
            near = sum(start_ms - HOUR_MS < t <= end_ms + HOUR_MS for t in self._deaf)
            learn(known, self._lessons, Stretch(start_ms, end_ms, near <= _MOST_DEAF))
            self._until_ms = end_ms
        self._deaf = [t for t in self._deaf if t > end_ms - HOUR_MS]
        self._learned = learned_of(self._lessons, known.health.estimates())

    def keep_rows(self, health: TrainHealth) -> None:
        """Give what is known now to be kept; before anything was heard, and while the book is away, nothing."""
        if self.keep is not None and self._at_ms is not None and not self._missing:
            self.keep(self.rows(health, self._at_ms))

    def rows(self, health: TrainHealth, at_ms: int) -> list[LearnedRow]:
        """Return what is known as the rows of a station day; midnight ends the day before it."""
        date = self.plant.day_of(dt.datetime.fromtimestamp((at_ms - 1) / 1000.0, dt.UTC))
        states = {name: lesson.state() for name, lesson in self._lessons.items()}
        states |= {HEALTH + unit: state for unit, state in health.states().items()}
        rows = []
        for name, estimate in learned_of(self._lessons, health.estimates()).estimates:
            until = self._watch.until_ms.get(name, 0) if name in _AT_ONCE else self._until_ms or 0
            value, sd, n, weight = estimate.value, estimate.sd, estimate.n, estimate.weight
            rows.append(LearnedRow(self.plant.id, name, date, at_ms, until, value, sd, n, weight, states[name]))
        return rows
