"""Alarms then and now: what the journal has of a range beside what a replay makes of it by today's limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from station.domain.alarms import AlarmState
from station.ports import AlarmJournal, JournalEntry

Verdict = Literal["same", "changed", "only_then", "only_now", "not_played"]

_PAGE: Final = 5_000
_LOOK_BACK_MS: Final = 7 * 86_400_000
_MOST_LOOKED_AT: Final = 10_000
"""Journal rows that a jump looks back over: some weeks of a good station, and under 0.2 s. What stood longer is raised
anew where its value still says so."""
_OPERATORS: Final = frozenset(
    {
        "acked", "acked_ms", "acked_by", "shelved_until_ms", "shelved_by", "out_of_service", "out_until_ms", "out_by",
        "out_with_unit", "asked_out_by", "asked_out_ms", "changed_limit",
    }
)  # fmt: skip
"""Of an alarm's state, what people did: a replay has none of it."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that an alarm was active and in sight; times epoch ms, `cleared_ms` None while it is."""

    alarm_id: str
    raised_ms: int
    cleared_ms: int | None
    priority: str
    first_out: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """An occurrence then and its counterpart now; one of them may be missing."""

    alarm_id: str
    verdict: Verdict
    then: Occurrence | None
    now: Occurrence | None

    @property
    def at_ms(self) -> int:
        """When the first of them was raised, epoch ms."""
        return min(one.raised_ms for one in (self.then, self.now) if one is not None)


def occurrences_of(rows: Iterable[JournalEntry], start_ms: int, end_ms: int) -> list[Occurrence]:
    """Return the occurrences that were raised in [start, end) and seen, by time; what suppression hid is left out.

    Args:
        rows: In the order of the journal.
        start_ms: Epoch ms.
        end_ms: Epoch ms.
    """
    newest: dict[str, tuple[str, AlarmState]] = {}
    for row in rows:
        kept = row.detail.get("state")
        if row.alarm_id and row.event != "late" and isinstance(kept, Mapping):
            newest[row.occurrence] = row.alarm_id, AlarmState.from_detail(kept)
    found = [
        Occurrence(alarm_id, state.raised_ms, state.cleared_ms, state.priority, state.first_out)
        for alarm_id, state in newest.values()
        if state.raised_ms is not None and start_ms <= state.raised_ms < end_ms and state.announced
    ]
    return sorted(found, key=lambda one: (one.raised_ms, one.alarm_id))


def of_the_plant(occurrences: Iterable[Occurrence]) -> list[Occurrence]:
    """Return those that tell of the plant: STALE and SYS tell of a network and a service that a replay has not."""
    return [one for one in occurrences if not one.alarm_id.startswith("SYS-") and not one.alarm_id.endswith(".STALE")]


def compared(
    then: Sequence[Occurrence], now: Sequence[Occurrence], played: Sequence[tuple[int, int]]
) -> list[Compared]:
    """Return the occurrences of both side by side, by time.

    The same alarm raised in the same moment is a pair; so are two that were active together.

    Args:
        then: By the journal.
        now: By the replay; those outside of `played` are of its warming up.
        played: Stretches [from, to) that the replay has lived through, epoch ms.
    """

    def is_played(one: Occurrence) -> bool:
        return any(start <= one.raised_ms < end for start, end in played)

    left = {(one.alarm_id, one.raised_ms): one for one in now if is_played(one)}
    found: list[Compared] = []
    alone: list[Occurrence] = []
    for old in then:
        twin = left.pop((old.alarm_id, old.raised_ms), None)
        if twin is None:
            alone.append(old)
        else:
            found.append(Compared(old.alarm_id, "same" if old == twin else "changed", old, twin))
    for old in alone:
        other = next((one for one in left.values() if _together(old, one)), None)
        if other is not None:
            del left[other.alarm_id, other.raised_ms]
            found.append(Compared(old.alarm_id, "changed", old, other))
        else:
            found.append(Compared(old.alarm_id, "only_then" if is_played(old) else "not_played", old, None))
    found += [Compared(one.alarm_id, "only_now", None, one) for one in left.values()]
    return sorted(found, key=lambda pair: (pair.at_ms, pair.alarm_id))


def _together(one: Occurrence, other: Occurrence) -> bool:
    forever = 1 << 62
    return (
        one.alarm_id == other.alarm_id
        and one.raised_ms <= (other.cleared_ms or forever)
        and other.raised_ms <= (one.cleared_ms or forever)
    )


def journal_rows(journal: AlarmJournal, station: str, start_ms: int, end_ms: int) -> Iterator[JournalEntry]:
    """Yield a journal's rows of [start, end) in their order.

    Raises:
        JournalUnavailableError: The journal is away.
    """
    after = 0
    while page := journal.entries(station, start_ms, end_ms, after, _PAGE):
        yield from (row for _, row in page)
        after = page[-1][0]


def limits_today(journal: AlarmJournal, station: str) -> dict[str, float]:
    """Return the limits that engineers have set in place of the station file's, by alarm id.

    Raises:
        JournalUnavailableError: The journal is away.
    """
    states = {row.alarm_id: row.detail.get("state") for row in journal.newest_by_alarm(station)}
    return {
        alarm_id: float(state["changed_limit"])
        for alarm_id, state in states.items()
        if isinstance(state, Mapping) and state.get("changed_limit") is not None
    }


def standing_at(journal: AlarmJournal, station: str, t_ms: int, limits: Mapping[str, float]) -> list[JournalEntry]:
    """Return where each alarm stood at a moment by the journal, with today's limits and without what people did.

    Raises:
        JournalUnavailableError: The journal is away.
    """
    newest: dict[str, JournalEntry] = {}
    before, looked_at = 0, 0
    while looked_at < _MOST_LOOKED_AT:
        page = journal.entries(station, t_ms - _LOOK_BACK_MS, t_ms, before, _PAGE, newest_first=True)
        if not page:
            break
        for _, row in page:
            if row.alarm_id and row.event != "late":
                newest.setdefault(row.alarm_id, row)
        before, looked_at = page[-1][0], looked_at + len(page)
    rows = {alarm_id: _by_itself(row, limits.get(alarm_id)) for alarm_id, row in newest.items()}
    for alarm_id, limit in limits.items():
        if alarm_id not in rows:
            rows[alarm_id] = JournalEntry(
                station, alarm_id, "", "limit", t_ms, 0, "system", detail={"state": {"changed_limit": limit}}
            )
    return list(rows.values())


def _by_itself(row: JournalEntry, limit: float | None) -> JournalEntry:
    kept = row.detail.get("state")
    state = {name: value for name, value in kept.items() if name not in _OPERATORS} if isinstance(kept, Mapping) else {}
    if state.get("active") or state.get("latched"):
        state["acked"] = False
    if limit is not None:
        state["changed_limit"] = limit
    return JournalEntry(
        row.station, row.alarm_id, row.occurrence, row.event, row.t_ms, row.received_ms, row.who, row.value, row.limit,
        detail={"state": state},
    )  # fmt: skip
