"""What a station has taught the forecast about itself: the frozen result that a snapshot carries, and its history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from station.domain.plant import Text

LATENESS, UNDERFILL = "trailer_lateness_log", "trailer_underfill"
FILL_KG, CONNECT, AFTER = "fill_kg_ratio", "connect_min", "after_fill_log"
NO_SHOW, WALK_IN, ARRIVAL = "no_show_share", "walk_in_share", "arrival_offset_min"
PROFILES = tuple(f"arrival_hour.{day}" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
HEALTH = "train_health."
"""Before a train's name."""

LABELS: Mapping[str, tuple[Text, str]] = {
    LATENESS: (Text("trailer lateness, logarithm of minutes", "长管拖车晚到时间（分钟的对数）"), "ln min"),
    UNDERFILL: (Text("trailer's missing mass against announced, share of gross", "长管拖车欠装量（占满装质量）"), "1"),
    FILL_KG: (Text("kilograms taken over kilograms booked", "实际加注量与预约量之比"), "1"),
    CONNECT: (Text("from connecting to the flow of gas", "接枪至开始加注"), "min"),
    AFTER: (
        Text("from the end of a fill to the truck's leaving, logarithm of minutes", "加注结束至离位（分钟的对数）"),
        "ln min",
    ),
    NO_SHOW: (Text("bookings of which no truck comes", "预约未到比例"), "1"),
    WALK_IN: (Text("trucks without a booking, over bookings", "未预约车辆与预约数之比"), "1"),
    ARRIVAL: (Text("arrival after its booking", "到站时间相对预约的偏差"), "min"),
}
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def label_of(name: str) -> tuple[Text, str]:
    """Return what a parameter is, in both languages, and its unit."""
    if name in LABELS:
        return LABELS[name]
    if name in PROFILES:
        day = PROFILES.index(name)
        return Text(f"mean hour of arrival, {_WEEKDAYS[day]}", f"平均到站时刻，星期{'一二三四五六日'[day]}"), "h"
    unit = name.removeprefix(HEALTH)
    return Text(f"measured over rated flow, {unit}", f"实测与额定流量之比，{unit}"), "1"


@dataclass(frozen=True, slots=True)
class Estimate:
    """One learned parameter.

    Attributes:
        value: Mean, prior and observations together.
        sd: Scatter of a single observation about it.
        n: Observations that count.
        weight: Share of the prior in it, 1 where nothing was learned [0..1].
        prior, prior_sd: What the station file says.
    """

    value: float
    sd: float
    n: float
    weight: float
    prior: float
    prior_sd: float

    @property
    def known(self) -> bool:
        """Whether anything was learned at all."""
        return self.n > 0.0


@dataclass(frozen=True, slots=True)
class Learned:
    """Everything learned at one moment.

    Attributes:
        estimates: By the names above, in their order; a train's health as `train_health.{unit}`.
        profiles: 24 shares of the day's arrivals for each weekday, Monday first.
    """

    estimates: tuple[tuple[str, Estimate], ...]
    profiles: tuple[tuple[float, ...], ...]

    def of(self, name: str) -> Estimate | None:
        """Return an estimate by its name, None where there is none."""
        return next((estimate for other, estimate in self.estimates if other == name), None)

    def shares(self, day: dt.date) -> tuple[float, ...]:
        """Return the 24 shares of a date's weekday."""
        return self.profiles[day.weekday()]


@dataclass(frozen=True, slots=True)
class LearnedRow:
    """A parameter as it stood at the end of a station day, or at the newest moment of one that is not over.

    Attributes:
        at_ms: Moment of the row, epoch ms.
        until_ms: Events up to here are in it, epoch ms; 0 where there were none.
        value, sd, n, weight: Of the estimate.
        state: What a restart continues from.
    """

    station: str
    parameter: str
    date: dt.date
    at_ms: int
    until_ms: int
    value: float
    sd: float
    n: float
    weight: float
    state: tuple[float, ...]
