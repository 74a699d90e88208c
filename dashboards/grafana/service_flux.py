"""Questions about what our own services leave in the store: alarms, forecasts, counts of ingest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dashboards.grafana.flux import DATE, Bucket, keep, measured, windows
from station.adapters.flux import any_of, text

ACTIVE_STATES: Final = ("UNACK", "ACKED", "LATCHED")
"""An alarm in one of these wants somebody; what is shelved, suppressed or out of service does not."""

_ALARMS_SINCE: Final = "30d"
"""An alarm may have been raised long before the view begins; the raw bucket keeps 30 days."""
FORECAST_LIVES_S: Final = 900
"""A forecast comes each minute; one as old as this says nothing of the present."""
_STATE: Final = 'r._field == "state"'
_WORDS: Final = any_of("_field", ("state", "text_en", "text_zh"))
_CHANGES: Final = (
    '\n  |> pivot(rowKey: ["_time", "id", "priority"], columnKey: ["_field"], valueColumn: "_value")\n  |> group()'
    '\n  |> keep(columns: ["_time", "priority", "id", "state", "text_zh", "text_en"])'
)
"""Makes a row a change of the points' fields."""
_NEWEST_FIRST: Final = '\n  |> sort(columns: ["_time"], desc: true)\n  |> limit(n: 200)'


def _newest_word(state: str) -> str:
    """Return the steps to each alarm's newest state, where it is an active one.

    An alarm may change its priority with its state, and so its series: the newest word of its id counts.
    """
    return (
        '\n  |> group(columns: ["id"])\n  |> sort(columns: ["_time"])'
        f'\n  |> last(column: "{state}")\n  |> group()\n  |> filter(fn: (r) => {any_of(state, ACTIVE_STATES)})'
    )


class AlarmChanges:
    """What panels ask of measurement `alarms`: a point a change."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def how_many(self, priority: str) -> str:
        """Return how many alarms of a priority are active at the end of the view; an explicit 0 where none is."""
        return (
            f'import "array"\n{DATE}active = '
            + self._bucket.end_of_view(_ALARMS_SINCE, measured("alarms"), _STATE)
            + "\n  |> last()"
            + _newest_word("_value")
            + f"\n  |> filter(fn: (r) => r.priority == {text(priority)})"
            + '\n  |> count()\n  |> keep(columns: ["_value"])\n'
            + "union(tables: [array.from(rows: [{_value: 0}]), active])\n  |> sum()"
        )

    def standing(self) -> str:
        """Return the alarms that are active at the end of the view, newest first."""
        return (
            DATE
            + self._bucket.end_of_view(_ALARMS_SINCE, measured("alarms"), _WORDS)
            + "\n  |> last()"
            + _CHANGES
            + _newest_word("state")
            + _NEWEST_FIRST
        )

    def changes(self) -> str:
        """Return the changes of alarms in the view, newest first."""
        return self._bucket.view(measured("alarms"), _WORDS) + _CHANGES + _NEWEST_FIRST

    def raised(self, priorities: Sequence[str]) -> str:
        """Return the moments at which alarms of some priorities were raised, for annotations."""
        return (
            self._bucket.view(measured("alarms"), _WORDS, any_of("priority", priorities))
            + _CHANGES
            + '\n  |> filter(fn: (r) => r.state == "UNACK")'
            + "\n  |> map(fn: (r) => ({_time: r._time, tags: r.priority, "
            + 'text: r.id + ": " + r.text_en + " " + r.text_zh}))'
        )

    def rate(self) -> str:
        """Return how many alarms were raised in each ten minutes, the time over which ISA-18.2 counts; 0 where none."""
        return (
            self._bucket.view(measured("alarms"), _STATE, 'r._value == "UNACK"')
            + '\n  |> group()\n  |> aggregateWindow(every: 10m, fn: count, timeSrc: "_start", createEmpty: true)'
            + keep()
        )

    def most_frequent(self) -> str:
        """Return the ten alarms that were raised most often in the view."""
        return (
            self._bucket.view(measured("alarms"), _STATE, 'r._value == "UNACK"')
            + '\n  |> group(columns: ["id"])\n  |> count()\n  |> group()\n  |> rename(columns: {_value: "times"})'
            + '\n  |> keep(columns: ["id", "times"])\n  |> sort(columns: ["times"], desc: true)\n  |> limit(n: 10)'
        )


class Forecasts:
    """What panels ask of measurement `capacity`: a point a forecast."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def newest(self, *fields: str) -> str:
        """Return numbers of the newest forecast, nothing where it is older than 15 minutes."""
        found = self._bucket.end_of_view(f"{FORECAST_LIVES_S}s", measured("capacity"), any_of("_field", fields))
        return DATE + found + "\n  |> last()" + keep("_field")

    def newest_if_any(self, field: str) -> str:
        """Return a number that a forecast may lack: null where the newest lacks it, no row where there is none."""
        found = self._bucket.end_of_view(
            f"{FORECAST_LIVES_S}s", measured("capacity"), any_of("_field", (field, "shortfall_probability"))
        )
        return (
            f'import "internal/debug"\n{DATE}{found}'
            '\n  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")\n  |> group()'
            '\n  |> sort(columns: ["_time"])\n  |> tail(n: 1)'
            f"\n  |> map(fn: (r) => ({{_time: r._time, _value: if exists r[{text(field)}] then r[{text(field)}]"
            ' else debug.null(type: "float")}))'
        )

    def over_time(self, *fields: str) -> str:
        """Return the forecasts of the view, one series a number."""
        view = self._bucket.view(measured("capacity"), any_of("_field", fields))
        return windows(f"({view})", "last", "_field", silence_s=FORECAST_LIVES_S)


class IngestCounts:
    """What panels ask of measurement `ingest`: a point a unit and minute."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def received(self) -> str:
        """Return the messages received a minute, one series an area."""
        return self._per_minute(("received",), "area")

    def troubles(self) -> str:
        """Return messages that were missing, late, twice or refused, a minute, one series a kind."""
        return self._per_minute(("gaps", "late", "duplicate", "refused"), "_field")

    def _per_minute(self, fields: Sequence[str], label: str) -> str:
        return (
            "every = if int(v: v.windowPeriod) < 60000000000 then 1m else v.windowPeriod\n"
            "minutes = float(v: int(v: every)) / 60000000000.0\n"
            + self._bucket.view(measured("ingest"), any_of("_field", fields))
            + f'\n  |> group(columns: ["{label}"])'
            + '\n  |> aggregateWindow(every: every, fn: sum, timeSrc: "_start", createEmpty: false)'
            + "\n  |> map(fn: (r) => ({r with _value: r._value / minutes}))"
            + keep(label)
        )
