"""What the courses of all lanes mean for the trucks: shortfall, waits, trucks and kilograms served."""

from __future__ import annotations

import numpy as np

from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_snapshot import Done
from station.domain.lanes import NEVER, Bool, Course, Float, Lanes

ROUNDING_KG = 0.01
"""Less than this missing is rounding, not a truck that goes short."""

WAIT_WINDOW_MIN = 120.0
"""`queue_wait_minutes` is about the trucks of the next two hours, contract section 6."""


class LaneResults:
    """Lanes, their courses, and the questions asked of them. Minutes count from the snapshot."""

    def __init__(
        self,
        lanes: Lanes,
        course: Course,
        close_min: float,
        horizon_min: float,
        done: Done,
        rules: CapacityParameters,
    ) -> None:
        """Judge lanes whose first mark stands at the end of the grace after close.

        Args:
            lanes: What was run.
            course: How it went.
            close_min: End of the station day.
            horizon_min: End of the forecast.
            done: The day so far; what it has lost counts too.
            rules: The station's estimates.
        """
        self.lanes, self.course = lanes, course
        self._horizon_min, self._done, self._rules = horizon_min, done, rules
        self._asked = lanes.trucks.asked_kg
        self._arrive = lanes.trucks.arrive_min
        self._counted: Bool = self._arrive < close_min
        missing = self._asked - course.mark_delivered_kg[0]
        self._missing: Float = np.where(self._counted & (missing > ROUNDING_KG), missing, 0.0)
        self.shortfall_kg: Float = self._missing.sum(axis=0) + done.short_kg
        """Shortfall of the station day, [lanes]."""

    def short_trucks(self, lane: int) -> int:
        """Return how many trucks of the station day go short, those that already did included."""
        ahead = int((self._missing[:, lane] > self._rules.short_fill_tolerance_kg).sum())
        return ahead + self._done.short_trucks

    def short_at_min(self, lane: int) -> float | None:
        """Return the arrival of the truck at which the day's shortfall reaches the alert's kilograms."""
        if self._done.short_at_ms is not None:
            return 0.0
        order = np.argsort(self._arrive[:, lane], kind="stable")
        total = self._done.short_kg + np.cumsum(self._missing[order, lane])
        reached = np.flatnonzero(total >= self._rules.shortfall_kg)
        return float(self._arrive[order[reached[0]], lane]) if reached.size else None

    def _waits(self) -> Float:
        """Return each truck's wait [trucks, lanes]; one that left without gas waited until it left."""
        came = np.minimum(self.course.start_min, self.course.end_min)
        still = np.where(came < NEVER, came, float(len(self.lanes.train_kg_min)))
        # Trucks are admitted on full minutes: up to one minute is the step, not a queue.
        return np.maximum(still - self._arrive - 1.0, 0.0)

    def wait_quantiles(self, lanes: slice) -> tuple[float, float]:
        """Return the median and the 90th percentile of the waits of the trucks of the next two hours."""
        arrive = self._arrive[:, lanes]
        due = (arrive >= 0.0) & (arrive <= WAIT_WINDOW_MIN)
        if not due.any():
            return 0.0, 0.0
        p50, p90 = np.percentile(self._waits()[:, lanes][due], (50, 90))
        return float(p50), float(p90)

    def _within(self) -> Bool:
        return (self._arrive < self._horizon_min) & (self._asked > 0.0)

    def deliverable_kg(self) -> Float:
        """Return the kilograms given from now to the trucks that come within the horizon, [lanes]."""
        given = np.where(self._within(), self.course.delivered_kg, 0.0).sum(axis=0)
        return np.asarray(given - sum(self.lanes.trucks.given_kg))

    def kg_by_close(self) -> Float:
        """Return the kilograms of the station day: what is done, and what its trucks still get, [lanes]."""
        given = np.where(self._counted, self.course.mark_delivered_kg[0], 0.0).sum(axis=0)
        return np.asarray(given + self._done.kg)

    def trucks_servable(self) -> Float:
        """Return how many trucks that come within the horizon get what they ask, [lanes]."""
        short = self._asked - self.course.delivered_kg > self._rules.short_fill_tolerance_kg
        return np.asarray((self._within() & ~short).sum(axis=0), dtype=np.float64)

    def first_long_wait_min(self, lane: int) -> float | None:
        """Return the arrival of the first truck that waits too long."""
        late = self._within()[:, lane] & (self._waits()[:, lane] > self._rules.late_wait_min)
        return float(self._arrive[late, lane].min()) if late.any() else None

    def first_failure_min(self, lane: int, without: int) -> float | None:
        """Return the arrival of the first truck that fares worse in one lane than in another, and fails.

        It fails where it goes short, or waits too long and clearly longer than in the other lane: a line of trucks
        that both lanes have is nobody's want, and trucks of a long line stand a little differently in each.

        Args:
            lane: The lane that wants something.
            without: The lane that does not.
        """
        waits, tolerated = self._waits(), self._rules.late_wait_min
        late = (waits[:, lane] > tolerated) & (waits[:, lane] - waits[:, without] > tolerated / 2.0)
        lacks = self._asked - self.course.delivered_kg > self._rules.short_fill_tolerance_kg
        fails = self._within()[:, lane] & (late | (lacks[:, lane] & ~lacks[:, without]))
        return float(self._arrive[fails, lane].min()) if fails.any() else None


def middle_short_lane(shortfall_kg: Float, rules: CapacityParameters) -> int:
    """Return the lane whose shortfall is the median of those that are short."""
    short = np.flatnonzero(shortfall_kg >= rules.shortfall_kg)
    return int(short[np.argsort(shortfall_kg[short], kind="stable")[len(short) // 2]])
