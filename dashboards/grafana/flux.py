"""Flux for panels: a query class for the dashboard builders, and the questions that are asked of readings.

Grafana puts the view's times in for `v.timeRangeStart`, `v.timeRangeStop`, `v.windowPeriod`, and the chosen station
for `${station}`. Names out of the station file are quoted here, so that no tag can end a string. What is left in the
group key becomes a label of the series, but for `_field`, which becomes its name; `_measurement` is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from station.adapters.flux import any_of, text

DATASOURCE_UID: Final = "jinma-influxdb"
DATASOURCE_TYPE: Final = "influxdb"
THIS_STATION: Final = 'r.station == "${station}"'
DATE: Final = 'import "date"\n'
STRINGS: Final = 'import "strings"\n'
SILENCE_S: Final = 150.0
"""States come each 60 s: two of them may be missed before a silence is drawn as a gap."""
MINUTES_FROM_NS: Final = 60_000_000_000
"""Windows as long as this are answered out of minutes, where they are kept: a day and more on a usual panel."""


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


class Bucket:
    """The buckets of raw readings and of their minutes, laid out as the contract's section 4 says."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._raw = f"from(bucket: {text(name)})"
        self._minutes_name = text(f"{name}_1m")
        self._minutes = f"from(bucket: {self._minutes_name})"

    def view(self, *conditions: str) -> str:
        """Return the points of the view that meet conditions on `r`."""
        return self._raw + _range("v.timeRangeStart") + where(*conditions)

    def end_of_view(self, length: str, *conditions: str) -> str:
        """Return what lies within `length` of the end of the view: an older value must not pass for a present one.

        The query must begin with `DATE`.
        """
        start = f"date.sub(d: {length}, from: v.timeRangeStop)"
        return f"{self._raw}\n  |> range(start: {start}, stop: v.timeRangeStop)\n{where(*conditions)}"

    def last_day(self, *conditions: str) -> str:
        """Return the points of the last 24 hours of the store's own clock, whatever the view."""
        return f"{self._raw}\n  |> range(start: -24h)\n{where(*conditions)}"

    def readings(self, area: str, tags: Sequence[str], function: str, since: str = "v.timeRangeStart") -> str:
        """Return `chosen`: readings of the view, or their minutes where a window is that long and minutes are kept.

        Args:
            area: Of the signals.
            tags: The signals; out of minutes they come as `TAG.max`, as `signal_names` undoes.
            function: Of minutes: `mean|min|max|last`.
            since: Where they begin.
        """
        kept = [f"{tag}.{function}" for tag in tags]
        return (
            f"raw = {self._raw}{_range(since)}{where(measured(area), any_of('_field', tags))}\n"
            f"minutes = {self._minutes}{_range(since)}{where(measured(area), any_of('_field', kept))}\n"
            f"kept = () => buckets() |> filter(fn: (r) => r.name == {self._minutes_name})"
            ' |> findColumn(fn: (key) => true, column: "name")\n'
            f"chosen = if int(v: v.windowPeriod) < {MINUTES_FROM_NS} then raw"
            " else if length(arr: kept()) > 0 then minutes else raw\n"
        )

    def stations(self) -> str:
        """Return the ids of the stations that the bucket holds readings of."""
        return (
            'import "influxdata/influxdb/schema"\n'
            f'schema.tagValues(bucket: {text(self.name)}, tag: "station", start: -30d)'
        )


def _range(since: str) -> str:
    return f"\n  |> range(start: {since}, stop: v.timeRangeStop)\n"


def measured(area: str) -> str:
    """Return the condition that a point is of a measurement."""
    return f"r._measurement == {text(area)}"


def where(*conditions: str) -> str:
    """Return the filter by this station and conditions on `r`."""
    return f"  |> filter(fn: (r) => {' and '.join((THIS_STATION, *conditions))})"


def keep(*labels: str) -> str:
    """Return the step that leaves time, value and labels."""
    return f"\n  |> keep(columns: [{', '.join(text(column) for column in ('_time', '_value', *labels))}])"


def windows(tables: str, function: str, *labels: str, silence_s: float = SILENCE_S) -> str:
    """Return the program that gives one value a window, and null where a silence begins: it is seen as a gap.

    Grafana draws a line, and a state's bar, on to the next value however late that is, and to the end of the view.

    Args:
        tables: What to window.
        function: Of a window.
        labels: Columns that stay, in the group key.
        silence_s: How long a signal may be silent [s] where windows are shorter than half of it.
    """
    return (
        f"length = int(v: v.windowPeriod)\nsilence = if 2 * length > {silence_s * 1e9:.0f} then 2 * length"
        f" else {silence_s * 1e9:.0f}\nwindowed = {tables}"
        f'\n  |> aggregateWindow(every: v.windowPeriod, fn: {function}, timeSrc: "_start", createEmpty: false)'
        f"{keep(*labels)}\n"
        "silent = windowed\n  |> elapsed(unit: 1ns)\n  |> filter(fn: (r) => r.elapsed > silence)"
        "\n  |> map(fn: (r) => ({r with _time: time(v: int(v: r._time) - r.elapsed + length)}))"
        '\n  |> drop(columns: ["_value", "elapsed"])\n'
        "ended = windowed\n  |> last()\n  |> filter(fn: (r) => int(v: v.timeRangeStop) - int(v: r._time) > silence)"
        "\n  |> map(fn: (r) => ({r with _time: time(v: int(v: r._time) + length)}))"
        '\n  |> drop(columns: ["_value"])\n'
        "union(tables: [windowed, silent, ended])\n"
        '  |> sort(columns: ["_time"])'
    )


_TAG_NAMES: Final = (
    "\n  |> map(fn: (r) => ({_time: r._time, _value: r._value, "
    '_field: strings.split(v: r._field, t: ".")[0]}))\n  |> group(columns: ["_field"])'
)
"""Makes tags of `TAG.max`, and series of them; the query must begin with `STRINGS`."""


class Readings:
    """What panels ask of the sensors' readings."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def by_unit(self, area: str, tags: Sequence[str], function: str, silence_s: float = SILENCE_S) -> str:
        """Return one series a unit over the view, a value a window; one tag a unit."""
        return self._bucket.readings(area, tags, function) + windows("chosen", function, "unit", silence_s=silence_s)

    def by_signal(self, area: str, tags: Sequence[str], function: str, silence_s: float = SILENCE_S) -> str:
        """Return one series a signal, named by its tag, over the view, a value a window."""
        chosen = self._bucket.readings(area, tags, function)
        return STRINGS + chosen + windows("chosen", function, "_field", silence_s=silence_s) + _TAG_NAMES

    def highest_over_time(self, area: str, tags: Sequence[str]) -> str:
        """Return the highest of all signals, a value a window."""
        each = '(chosen |> aggregateWindow(every: v.windowPeriod, fn: max, timeSrc: "_start", createEmpty: false)'
        return self._bucket.readings(area, tags, "max") + windows(f"{each} |> group())", "max")

    def summed(self, area: str, tags: Sequence[str], times: float = 1.0) -> str:
        """Return the sum of all signals, each by its mean, `times` as much, a value a window."""
        each = '(chosen |> aggregateWindow(every: v.windowPeriod, fn: mean, timeSrc: "_start", createEmpty: false)'
        factor = f"|> map(fn: (r) => ({{r with _value: r._value * {times!r}}}))"
        return self._bucket.readings(area, tags, "mean") + windows(f"{each} {factor} |> group())", "sum")

    def highest(self, area: str, tags: Sequence[str]) -> str:
        """Return the highest of all signals over the last minutes of the view, a value each 10 s."""
        found = self._bucket.end_of_view("2m", measured(area), any_of("_field", tags))
        return DATE + found + "\n  |> group()\n  |> aggregateWindow(every: 10s, fn: max, createEmpty: false)" + keep()

    def newest(self, area: str, tags: Sequence[str], within: str) -> str:
        """Return the newest value of each signal, named by its tag, nothing where it is older than `within`."""
        found = self._bucket.end_of_view(within, measured(area), any_of("_field", tags))
        return DATE + found + "\n  |> last()" + keep("_field")

    def data_age(self, areas: Sequence[str]) -> str:
        """Return the seconds since the newest value of each area."""
        return (
            self._bucket.last_day(any_of("_measurement", areas), "r._field !~ /[.]/")
            + '\n  |> last()\n  |> rename(columns: {_measurement: "area"})\n  |> group(columns: ["area"])'
            + '\n  |> max(column: "_time")'
            + "\n  |> map(fn: (r) => ({area: r.area, _time: r._time, "
            + "_value: (float(v: uint(v: now())) - float(v: uint(v: r._time))) / 1000000000.0}))"
        )

    def rise(self, area: str, tags: Sequence[str]) -> str:
        """Return how much each unit's counter rose in the view."""
        return (
            self._bucket.readings(area, tags, "last")
            + "union(tables: [chosen |> min(), chosen |> max()])"
            + '\n  |> keep(columns: ["_value", "unit"])\n  |> group(columns: ["unit"])\n  |> spread()'
        )

    def rise_by_hour(self, area: str, tags: Sequence[str]) -> str:
        """Return how much all counters together rose in each hour of the view; the newest is still growing."""
        since = "date.sub(d: 1h, from: v.timeRangeStart)"
        by_hour = '  |> aggregateWindow(every: 1h, fn: {}, timeSrc: "_start", createEmpty: false)'
        return (
            DATE
            + self._bucket.readings(area, tags, "last", since)
            + f"chosen\n{by_hour.format('last')}\n  |> difference(nonNegative: true)\n  |> group()\n"
            + by_hour.format("sum")
            + keep()
        )

    def quotient_of_rises(self, above: tuple[str, Sequence[str]], below: tuple[str, Sequence[str]]) -> str:
        """Return the rise of some counters in the view over that of others: one number, none where the latter stood."""
        parts = []
        for name, (area, tags) in (("above", above), ("below", below)):
            asked = self._bucket.view(measured(area), any_of("_field", tags))
            parts.append(
                f"{name}_read = {asked}\n{name} = union(tables: [{name}_read |> min(), {name}_read |> max()])"
                f'\n  |> keep(columns: ["_value", "_field"])\n  |> group(columns: ["_field"])\n  |> spread()'
                f'\n  |> group()\n  |> sum()\n  |> set(key: "part", value: "{name}")\n'
            )
        return (
            "".join(parts)
            + 'union(tables: [above, below])\n  |> group()\n  |> map(fn: (r) => ({r with row: "1"}))'
            + '\n  |> pivot(rowKey: ["row"], columnKey: ["part"], valueColumn: "_value")'
            + "\n  |> filter(fn: (r) => exists r.below and r.below > 0.0)"
            + "\n  |> map(fn: (r) => ({_value: r.above / r.below}))"
        )

    def share_not_in(self, area: str, tags: Sequence[str], states: Sequence[int]) -> str:
        """Return the share of the view's windows (0..1) in which each unit was in none of some states."""
        away = " or ".join(f"r._value == {state}.0" for state in states)
        return (
            self._bucket.readings(area, tags, "last")
            + "chosen\n  |> aggregateWindow(every: v.windowPeriod, fn: last, createEmpty: false)"
            + f"\n  |> map(fn: (r) => ({{unit: r.unit, _value: if {away} then 0.0 else 1.0}}))"
            + '\n  |> group(columns: ["unit"])\n  |> mean()'
        )

    def fill_count(self, state_tags: Sequence[str], end: int) -> str:
        """Return how many fills each hose ended in the view: changes into the state `end`, repeats left out."""
        return (
            self._bucket.view(measured("dispensing"), any_of("_field", state_tags))
            + '\n  |> duplicate(column: "_value", as: "state")\n  |> difference()'
            + f"\n  |> map(fn: (r) => ({{r with _value: if r._value != 0.0 and r.state == {end}.0 then 1 else 0}}))"
            + '\n  |> sum()\n  |> keep(columns: ["_value", "unit"])\n  |> group(columns: ["unit"])'
        )

    def fill_list(self, state_tags: Sequence[str], total_tags: Sequence[str], connect: int, end: int) -> str:
        """Return the fills that ended in the view, newest first: hose, kilograms, minutes.

        A fill's kilograms are the rise of the hose's counter from `connect` to `end` (contract section 3). The counter
        stands still around both, so that its last value of the minute before the one and of the other's will do.
        """
        events = (
            self._bucket.view(measured("dispensing"), any_of("_field", state_tags))
            + '\n  |> duplicate(column: "_value", as: "state")\n  |> difference()'
            + f"\n  |> filter(fn: (r) => r._value != 0.0 and (r.state == {connect}.0 or r.state == {end}.0))"
            + f"\n  |> map(fn: (r) => ({{unit: r.unit, state: r.state, at: r._time, _time: if r.state == {end}.0"
            + " then date.add(d: 60000000001ns, to: date.truncate(t: r._time, unit: 1m))"
            + " else date.add(d: 1ns, to: date.truncate(t: r._time, unit: 1m))}))"
            + '\n  |> group(columns: ["unit"])'
        )
        counters = (
            self._bucket.view(measured("dispensing"), any_of("_field", total_tags))
            + "\n  |> aggregateWindow(every: 1m, fn: last, createEmpty: false)"
            + keep("unit")
            + '\n  |> group(columns: ["unit"])'
        )
        return (
            f"{DATE}events = {events}\ncounters = {counters}\nunion(tables: [events, counters])"
            '\n  |> sort(columns: ["_time"])\n  |> fill(column: "_value", usePrevious: true)'
            "\n  |> filter(fn: (r) => exists r.state)"
            "\n  |> map(fn: (r) => ({r with kg: r._value, minutes: float(v: int(v: r.at)) / 60000000000.0}))"
            '\n  |> difference(columns: ["kg", "minutes"])'
            f"\n  |> filter(fn: (r) => r.state == {end}.0)\n  |> group()"
            "\n  |> map(fn: (r) => ({_time: r.at, hose: r.unit, kg: r.kg, minutes: r.minutes}))"
            '\n  |> sort(columns: ["_time"], desc: true)\n  |> limit(n: 200)'
        )

    def doubtful(self, areas: Sequence[str]) -> str:
        """Return how many readings of each area in the view were uncertain or bad; an explicit 0 where none was."""
        rows = ", ".join(f"{{area: {text(area)}, _value: 0}}" for area in areas)
        return (
            'import "array"\nfound = '
            + self._bucket.view(any_of("_measurement", areas), "r._field =~ /[.]q$/")
            + '\n  |> count()\n  |> rename(columns: {_measurement: "area"})\n  |> keep(columns: ["area", "_value"])\n'
            + f"union(tables: [array.from(rows: [{rows}]), found])"
            + '\n  |> group(columns: ["area"])\n  |> sum()'
        )
