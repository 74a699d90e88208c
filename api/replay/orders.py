"""What goes between the service and the process of a replay: orders one way, news the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from api.forecast.engine import Runner
from api.replay.player import State
from station.domain.day_plan import DayPlan
from station.domain.learned import LearnedRow
from station.domain.plant import Plant
from station.ports import JournalEntry, ReadingStore


@dataclass(frozen=True)
class Loading:
    """How much of what is to be replayed is there [0..1], and what of it was refused: how many, the first in words."""

    part: float
    refused: int = 0
    first_refused: str = ""


TellLoading = Callable[[Loading], None]
OpenStore = Callable[[TellLoading], ReadingStore]
"""Opens the store that holds what is replayed, and tells how far that is. Goes to another process."""


@dataclass(frozen=True)
class ReplayPlan:
    """All that a replay's process is started with.

    Attributes:
        plant: The station file.
        name: Under which alarms and forecasts are told (`jinma~ab12cd34`).
        open_store: Opens what is replayed.
        range_ms: [start, end), epoch ms; None where that is all that the store holds of the station.
        speed: Station seconds a second, None as fast as it goes.
        plans: Plans of the days; of those that the store tells of, its own words count.
        learned: What the station had taught.
        forecaster: Makes the forecasts of a plant; None makes none.
    """

    plant: Plant
    name: str
    open_store: OpenStore
    range_ms: tuple[int, int] | None
    speed: float | None
    plans: Sequence[DayPlan]
    learned: Sequence[LearnedRow]
    forecaster: Callable[[Plant], Runner] | None


# Orders


@dataclass(frozen=True)
class Play:
    """Go on by itself."""


@dataclass(frozen=True)
class Pause:
    """Stand still."""


@dataclass(frozen=True)
class SetSpeed:
    """Take another speed."""

    speed: float | None


@dataclass(frozen=True)
class Seek:
    """Go to a moment; answered by `Moved` of the same number. `standing`: see `Player.seek`."""

    number: int
    at_ms: int
    standing: Sequence[JournalEntry] = ()


@dataclass(frozen=True)
class Listen:
    """Tell each single reading from now on, or do no more."""

    readings: bool


@dataclass(frozen=True)
class End:
    """Play no more: the process goes."""


Order = Play | Pause | SetSpeed | Seek | Listen | End

# News


@dataclass(frozen=True)
class Loaded:
    """All is there: its range [start, end), epoch ms."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Progress:
    """Where the replay stands, and what has come since the last word.

    Attributes:
        events: Events of the stream, in order.
        values: Newest values that changed, as a conflated event; None where none did.
        rows: What was journalled.
    """

    state: State
    at_ms: int
    played: Sequence[tuple[int, int]]
    events: Sequence[tuple[str, bytes]] = ()
    values: bytes | None = None
    rows: Sequence[JournalEntry] = ()


@dataclass(frozen=True)
class Moved:
    """The replay stands elsewhere: all that is known there."""

    number: int
    at_ms: int
    state: State
    values: bytes
    alarms: Sequence[dict[str, object]] = field(default_factory=list)


@dataclass(frozen=True)
class Failed:
    """What went wrong, in one line; the replay stands still. `number`: of the order that failed, 0 of none."""

    text: str
    number: int = 0
    for_good: bool = False


News = Loading | Loaded | Progress | Moved | Failed
