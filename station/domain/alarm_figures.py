"""How good the alarms are: the figures of ISA-18.2 and EEMUA 191 out of the journal (DOMAIN 5.2).

Counted are alarms that were shown: what suppression hid, and what late data told, is counted apart. An occurrence
counts once, when it was raised, in the station's local time.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Protocol
from zoneinfo import ZoneInfo

PRIORITIES = ("critical", "high", "medium", "low")
TEN_MIN_MS, HOUR_MS, DAY_MS = 600_000, 3_600_000, 86_400_000
FLOOD_BEGINS, FLOOD_ENDS = 10, 5
"""More than the first in 10 min begin a flood, fewer than the second end it."""
CHATTER_TRANSITIONS, CHATTER_MS = 3, 60_000
FLEETING_MS = 60_000
"""Gone before anybody could have acted: an estimate."""
STALE_MS = DAY_MS
ACK_TARGET_MIN = {"critical": 1.0, "high": 5.0, "medium": 15.0, "low": None}


class Entry(Protocol):
    """A row of the journal, as much of it as counts here."""

    @property
    def alarm_id(self) -> str:
        """Which alarm."""
        ...

    @property
    def occurrence(self) -> str:
        """Which of its occurrences."""
        ...

    @property
    def event(self) -> str:
        """`raised`, `cleared`, `acked`, `escalated`, `late`, .."""
        ...

    @property
    def t_ms(self) -> int:
        """Station time, epoch ms."""
        ...

    @property
    def limit(self) -> float | None:
        """The limit that was passed, None where there is none."""
        ...

    @property
    def detail(self) -> Mapping[str, object]:
        """With the state after it."""
        ...


@dataclass(slots=True)
class Occurrence:
    """One time that an alarm was active. Times are station time, epoch ms."""

    alarm_id: str
    raised_ms: int
    priority: str
    cleared_ms: int | None = None
    acked_ms: int | None = None
    limit: float | None = None

    @property
    def lasted_ms(self) -> int | None:
        """How long it was active, None while it is."""
        return None if self.cleared_ms is None else self.cleared_ms - self.raised_ms

    @property
    def acked_while_active(self) -> bool:
        """Somebody acknowledged it before it was gone."""
        return self.acked_ms is not None and (self.cleared_ms is None or self.acked_ms <= self.cleared_ms)


@dataclass(frozen=True, slots=True)
class History:
    """What a journal tells of a range: occurrences by time raised, transitions by alarm, and what was late."""

    occurrences: list[Occurrence]
    transitions: dict[str, list[int]]
    late: int


def history_of(entries: Iterable[Entry]) -> History:
    """Return the occurrences in journal entries, in their order."""
    found: dict[str, Occurrence] = {}
    transitions: dict[str, list[int]] = defaultdict(list)
    late = 0
    for entry in entries:
        late += entry.event == "late"
        known = found.get(entry.occurrence)
        if entry.event == "raised":
            found[entry.occurrence] = Occurrence(entry.alarm_id, entry.t_ms, _priority(entry), limit=entry.limit)
            transitions[entry.alarm_id].append(entry.t_ms)
        elif known is not None and entry.event == "cleared":
            known.cleared_ms = entry.t_ms
            transitions[entry.alarm_id].append(entry.t_ms)
        elif known is not None and entry.event == "acked":
            known.acked_ms = entry.t_ms if known.acked_ms is None else known.acked_ms
        elif known is not None and entry.event == "escalated":
            known.priority = _priority(entry)
    occurrences = sorted(found.values(), key=lambda one: (one.raised_ms, one.alarm_id))
    return History(occurrences, dict(transitions), late)


def _priority(entry: Entry) -> str:
    state = entry.detail.get("state")
    said = state.get("priority", "low") if isinstance(state, dict) else "low"
    return str(said)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with what it should be and must not pass; `met` is None where nothing was there to judge."""

    value: float | None
    target: float | None
    most: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether it is within its target."""
        return None if self.value is None or self.target is None else self.value <= self.target


@dataclass(frozen=True, slots=True)
class Flood:
    """More alarms than anybody can follow: from, to (None while it lasts), how many, and which came first."""

    start_ms: int
    end_ms: int | None
    count: int
    first: str


def rates(history: History, start_ms: int, end_ms: int) -> dict[str, Figure]:
    """Return alarms per day, hour and 10 min, mean and worst, and the share of 10-min periods in flood [%]."""
    times = [one.raised_ms for one in history.occurrences]
    span = max(end_ms - start_ms, 1)
    found = {}
    for name, length, target, most in (
        ("per_day", DAY_MS, 150.0, 300.0),
        ("per_hour", HOUR_MS, 6.0, 12.0),
        ("per_10_min", TEN_MIN_MS, 1.0, 2.0),
    ):
        counts = Counter((t - start_ms) // length for t in times)
        found[name] = Figure(round(len(times) * length / span, 3), target, most)
        found[f"{name}_worst"] = Figure(float(max(counts.values(), default=0)), None)
    periods = max(1, -(-span // TEN_MIN_MS))
    full = Counter((t - start_ms) // TEN_MIN_MS for t in times)
    share = 100.0 * sum(count > FLOOD_BEGINS for count in full.values()) / periods
    found["periods_over_10_percent"] = Figure(round(share, 3), 1.0)
    return found


def floods(history: History, end_ms: int) -> list[Flood]:
    """Return the floods: from the alarm that makes more than 10 in 10 min until fewer than 5 are left in 10 min."""
    found: list[Flood] = []
    recent: list[Occurrence] = []
    start: Occurrence | None = None
    count = 0
    for one in [*history.occurrences, None]:
        now_ms = end_ms if one is None else one.raised_ms
        if start is not None:
            ends = _quiet_from(recent, now_ms)
            if ends is not None:
                found.append(Flood(start.raised_ms, ends, count, start.alarm_id))
                start = None
        if one is None:
            break
        recent = [r for r in recent if r.raised_ms > now_ms - TEN_MIN_MS] + [one]
        count += start is not None
        if start is None and len(recent) > FLOOD_BEGINS:
            start, count = recent[0], len(recent)
    if start is not None:
        found.append(Flood(start.raised_ms, None, count, start.alarm_id))
    return found


def _quiet_from(recent: Sequence[Occurrence], now_ms: int) -> int | None:
    """Return when fewer than five of the last ones lay within 10 min, None while they do at `now_ms`."""
    if len(recent) < FLOOD_ENDS:
        return recent[-1].raised_ms if recent else now_ms
    quiet = recent[-FLOOD_ENDS].raised_ms + TEN_MIN_MS
    return quiet if quiet <= now_ms else None


def top_ten(history: History) -> list[tuple[str, int, float]]:
    """Return (alarm, occurrences, share of all [%]) of the ten most frequent."""
    counts = Counter(one.alarm_id for one in history.occurrences)
    total = max(1, len(history.occurrences))
    ordered = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return [(alarm, count, round(100.0 * count / total, 2)) for alarm, count in ordered[:10]]


def chattering(history: History) -> list[tuple[str, int]]:
    """Return (alarm, how often) of those with three transitions or more within a minute."""
    found = []
    for alarm, times in history.transitions.items():
        ordered = sorted(times)
        ends = zip(ordered, ordered[CHATTER_TRANSITIONS - 1 :], strict=False)
        bursts = sum(last - first <= CHATTER_MS for first, last in ends)
        if bursts:
            found.append((alarm, bursts))
    return sorted(found, key=lambda row: (-row[1], row[0]))


def fleeting(history: History) -> list[tuple[str, int]]:
    """Return (alarm, how often) of those that were gone within a minute, before anybody acknowledged."""
    gone = [
        one.alarm_id
        for one in history.occurrences
        if one.lasted_ms is not None and one.lasted_ms < FLEETING_MS and not one.acked_while_active
    ]
    return sorted(Counter(gone).items(), key=lambda row: (-row[1], row[0]))


def priority_shares(history: History) -> dict[str, float]:
    """Return the share of each priority [%]; the aim is 80 low, 15 medium, 5 high, under 1 critical."""
    counts = Counter(one.priority for one in history.occurrences)
    total = max(1, len(history.occurrences))
    return {name: round(100.0 * counts[name] / total, 2) for name in PRIORITIES}


def ack_minutes(history: History) -> dict[str, tuple[int, float | None, float | None, float | None]]:
    """Return by priority (acknowledged, median, 90th percentile [min], share within the target [%])."""
    found: dict[str, tuple[int, float | None, float | None, float | None]] = {}
    for name in PRIORITIES:
        took = sorted(
            (one.acked_ms - one.raised_ms) / 60_000.0
            for one in history.occurrences
            if one.priority == name and one.acked_ms is not None
        )
        if not took:
            found[name] = (0, None, None, None)
            continue
        target = ACK_TARGET_MIN[name]
        within = None if target is None else round(100.0 * sum(t <= target for t in took) / len(took), 1)
        ninety = took[min(len(took) - 1, int(0.9 * len(took)))]
        found[name] = (len(took), round(median(took), 2), round(ninety, 2), within)
    return found


def buckets(history: History, by: str, zone: ZoneInfo) -> list[tuple[str, dict[str, int]]]:
    """Return (beginning of the local hour, day or month, RFC 3339, occurrences by priority), by time."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in history.occurrences:
        moment = dt.datetime.fromtimestamp(one.raised_ms / 1000.0, dt.UTC).astimezone(zone)
        moment = moment.replace(minute=0, second=0, microsecond=0)
        if by != "hour":
            moment = moment.replace(hour=0)
        if by == "month":
            moment = moment.replace(day=1)
        counts[moment.isoformat()][one.priority] += 1
    return [(start, {name: counts[start][name] for name in PRIORITIES}) for start in sorted(counts)]
