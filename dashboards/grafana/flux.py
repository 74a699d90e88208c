"""Flux for panels: a query class for the dashboard builders, and the questions that the panels ask.

Grafana puts the view's times in for `v.timeRangeStart`, `v.timeRangeStop`, `v.windowPeriod`, and the chosen station
for `${station}`. Names out of the station file are quoted here, so that no tag can end a string.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from station.adapters.flux import any_of, text

DATASOURCE_UID: Final = "jinma-influxdb"
DATASOURCE_TYPE: Final = "influxdb"
ACTIVE_STATES: Final = ("UNACK", "ACKED", "LATCHED")
"""An alarm in one of these wants somebody; what is shelved, suppressed or out of service does not."""

_THIS_STATION: Final = 'r.station == "${station}"'
_ALARMS_SINCE: Final = "30d"
"""An alarm may have been raised long before the view begins; the raw bucket keeps 30 days."""


@dataclass
class FluxQuery:
    """A target of a panel: builder and query in one, as the foundation SDK has none for InfluxDB."""

    query: str
    ref_id: str = "A"

    def build(self) -> Self:
        """Return itself: there is nothing left to build."""
        return self

    def to_json(self) -> dict[str, object]:
        """Return the target as Grafana's InfluxDB data source takes it."""
        return {
            "refId": self.ref_id,
            "datasource": {"type": DATASOURCE_TYPE, "uid": DATASOURCE_UID},
            "query": self.query,
        }


class Questions:
    """Flux texts over one bucket laid out as the contract's section 4 says."""

    def __init__(self, bucket: str) -> None:
        self._from = f"from(bucket: {text(bucket)})"

    def _view(self, *conditions: str) -> str:
        return f"{self._from}\n  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)\n{_filter(*conditions)}"

    def _end_of_view(self, length: str, *conditions: str) -> str:
        """Return what lies within `length` of the end of the view: an older value must not pass for a present one."""
        start = f"date.sub(d: {length}, from: v.timeRangeStop)"
        return f"{self._from}\n  |> range(start: {start}, stop: v.timeRangeStop)\n{_filter(*conditions)}"

    def series(self, area: str, tags: Sequence[str], function: str) -> str:
        """Return one series a unit (and signal) over the view, a value a window."""
        return self._view(_measured(area), any_of("_field", tags)) + _windows(function) + _keep("unit", "_field")

    def highest(self, area: str, tags: Sequence[str]) -> str:
        """Return the highest of all signals over the last minutes of the view, a value each 10 s."""
        found = self._end_of_view("2m", _measured(area), any_of("_field", tags))
        return _DATE + found + "\n  |> group()\n  |> aggregateWindow(every: 10s, fn: max, createEmpty: false)" + _keep()

    def newest(self, area: str, tags: Sequence[str], within: str) -> str:
        """Return the newest value of each signal, nothing where it is older than `within`."""
        return (
            _DATE
            + self._end_of_view(within, _measured(area), any_of("_field", tags))
            + "\n  |> last()"
            + _keep("unit", "_field")
        )

    def data_age(self, areas: Sequence[str]) -> str:
        """Return the seconds since the newest value of each area."""
        return (
            self._from
            + "\n  |> range(start: -24h)\n"
            + _filter(any_of("_measurement", areas))
            + '\n  |> filter(fn: (r) => r._field !~ /[.]q$/)\n  |> last()\n  |> group(columns: ["_measurement"])'
            + '\n  |> max(column: "_time")'
            + "\n  |> map(fn: (r) => ({_measurement: r._measurement, _time: r._time, "
            + "_value: (float(v: uint(v: now())) - float(v: uint(v: r._time))) / 1000000000.0}))"
        )

    def active_alarms(self, priority: str) -> str:
        """Return how many alarms of a priority are active at the end of the view; an explicit 0 where none is."""
        states = any_of("_value", ACTIVE_STATES)
        return (
            'import "array"\n'
            + _DATE
            + "active = "
            + self._end_of_view(_ALARMS_SINCE, 'r._measurement == "alarms"', 'r._field == "state"')
            # an alarm may change its priority with its state: the newest word of its id counts
            + '\n  |> last()\n  |> group(columns: ["id"])\n  |> sort(columns: ["_time"])\n  |> last()\n  |> group()'
            + f"\n  |> filter(fn: (r) => {states} and r.priority == {text(priority)})"
            + '\n  |> count()\n  |> keep(columns: ["_value"])\n'
            + "union(tables: [array.from(rows: [{_value: 0}]), active])\n  |> sum()"
        )

    def alarm_list(self) -> str:
        """Return the changes of alarms in the view, newest first."""
        return (
            self._view('r._measurement == "alarms"', any_of("_field", ("state", "text_en", "text_zh")))
            + '\n  |> pivot(rowKey: ["_time", "id", "priority"], columnKey: ["_field"], valueColumn: "_value")'
            + '\n  |> group()\n  |> keep(columns: ["_time", "priority", "id", "state", "text_zh", "text_en"])'
            + '\n  |> sort(columns: ["_time"], desc: true)\n  |> limit(n: 100)'
        )

    def alarm_marks(self) -> str:
        """Return the moments at which alarms were raised, for annotations."""
        return (
            self._view('r._measurement == "alarms"', 'r._field == "state"', 'r._value == "UNACK"')
            + "\n  |> group()\n  |> map(fn: (r) => ({_time: r._time, text: r.id, tags: r.priority}))"
        )

    def forecast(self, *fields: str) -> str:
        """Return the newest forecast's numbers, nothing where it is older than 15 minutes."""
        found = self._end_of_view("15m", 'r._measurement == "capacity"', any_of("_field", fields))
        return _DATE + found + "\n  |> last()" + _keep("_field")

    def forecasts(self, *fields: str) -> str:
        """Return the forecasts of the view, one series a number."""
        return self._view('r._measurement == "capacity"', any_of("_field", fields)) + _windows("last") + _keep("_field")

    def dispensed(self, tags: Sequence[str]) -> str:
        """Return the kilograms that each hose gave in the view: the rise of its counter."""
        return (
            self._view('r._measurement == "dispensing"', any_of("_field", tags))
            + '\n  |> spread()\n  |> keep(columns: ["_value", "unit"])\n  |> group(columns: ["unit"])'
        )

    def fills(self, state_tags: Sequence[str], end: int) -> str:
        """Return how many fills each hose ended in the view: changes into the state `end`, repeats left out."""
        return (
            self._view('r._measurement == "dispensing"', any_of("_field", state_tags))
            + '\n  |> duplicate(column: "_value", as: "state")\n  |> difference()'
            + f"\n  |> map(fn: (r) => ({{r with _value: if r._value != 0.0 and r.state == {end}.0 then 1 else 0}}))"
            + '\n  |> sum()\n  |> keep(columns: ["_value", "unit"])'
        )

    def stations(self) -> str:
        """Return the ids of the stations that the bucket holds readings of."""
        return (
            'import "influxdata/influxdb/schema"\n'
            f'schema.tagValues(bucket: {self._from[len("from(bucket: ") : -1]}, tag: "station", start: -30d)'
        )


_DATE: Final = 'import "date"\n'


def _measured(area: str) -> str:
    return f"r._measurement == {text(area)}"


def _filter(*conditions: str) -> str:
    return f"  |> filter(fn: (r) => {' and '.join((_THIS_STATION, *conditions))})"


def _windows(function: str) -> str:
    return f"\n  |> aggregateWindow(every: v.windowPeriod, fn: {function}, createEmpty: false)"


def _keep(*labels: str) -> str:
    columns: Iterable[str] = ("_time", "_value", *labels)
    return f"\n  |> keep(columns: [{', '.join(text(column) for column in columns)}])"
