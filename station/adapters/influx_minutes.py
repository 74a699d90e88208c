"""Minutes of every signal in InfluxDB, as Flux: worked out of BUCKET, kept in BUCKET_1m (contract section 4).

A signal without doubtful values in the range is left to the storage engine, which needs a hundredth of the time; the
others are put together row by row, value beside quality. A minute that was worked out before is written over, whence
`.count` and `.bad` are always there, 0 too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from influxdb_client import TaskCreateRequest

from station.adapters import flux
from station.adapters.windowing import Minutes
from station.domain.signals import AREAS
from station.ports import Minute

LATE: Final = "late"
"""Measurement of BUCKET that names hours, by their start, in which something was written late; `written`: wall ms."""

MINUTE_TASK_BACK: Final = "3m"
"""Each minute the last three are worked out again, 1 s of CPU at station rate; later writes are named in `late`."""

LATE_EVERY: Final = "5m"
LATE_BACK_MS: Final = 660_000
"""Of marks that a run of the late task looks at: two runs and a minute, so that none falls between two."""

MINUTE_FIELDS: Final = (".mean", ".min", ".max", ".last", ".count", ".bad")

_PREAMBLE: Final = r"""import "array"
import "date"
import "regexp"
import "strings"
import "types"

key = ["_measurement", "station", "unit", "_field"]
raw = (start, stop) => from(bucket: %(bucket)s) |> range(start: start, stop: stop) |> filter(fn: (r) => %(areas)s)
states = regexp.compile(v: %(states)s)
among = (names) => regexp.compile(v: "^(" + strings.joinStr(arr: names, v: "|") + ")(\\.q)?$")
names = (tables=<-) => tables
    |> group()
    |> map(fn: (r) => ({_value: regexp.quoteMeta(v: strings.trimSuffix(v: r._field, suffix: ".q"))}))
    |> distinct()
    |> findColumn(fn: (key) => true, column: "_value")
each = (tables=<-, fn, name) => tables
    |> aggregateWindow(every: 1m, fn: fn, createEmpty: false, timeSrc: "_start")
    |> toFloat()
    |> map(fn: (r) => ({r with _field: r._field + name}))
    |> group(columns: key)
    |> keep(columns: ["_time", "_value", "_measurement", "station", "unit", "_field"])

minutes = (start, stop) => {
    doubted = raw(start, stop) |> filter(fn: (r) => r._field =~ /\.q$/) |> last() |> names()
    // A text that another program wrote under an area of ours: the storage engine panics where any shard of the range
    // knows one, whence the week around.
    foreign = raw(start: date.sub(d: 1w, from: start), stop: date.add(d: 1w, to: stop))
        |> filter(fn: (r) => r._field !~ /\.q$/)
        |> last()
        |> filter(fn: (r) => not types.isType(v: r._value, type: "float"))
        |> names()
    doubtful = among(names: doubted)
    others = among(names: array.concat(arr: doubted, v: foreign))
    numbers = among(names: foreign)
    // Functions: what several questions share is read once and left to Flux; each by itself is left to the storage.
    plain = () => raw(start, stop) |> filter(fn: (r) => r._field !~ others and r._field !~ /\.q$/)
    measured = () => raw(start, stop)
        |> filter(fn: (r) => r._field !~ others and r._field !~ /\.q$/ and r._field !~ states)
    value = raw(start, stop)
        |> filter(fn: (r) => r._field =~ doubtful and r._field !~ /\.q$/ and r._field !~ numbers)
        |> set(key: "part", value: "value")
    rank = raw(start, stop)
        |> filter(fn: (r) => r._field =~ doubtful and r._field =~ /\.q$/)
        |> map(fn: (r) => ({r with
            part: "rank",
            _field: strings.trimSuffix(v: r._field, suffix: ".q"),
            _value: if strings.hasPrefix(v: r._value, prefix: "uncertain") then 1.0 else 2.0,
        }))
    mixed = union(tables: [value, rank])
        |> group(columns: key)
        |> pivot(rowKey: ["_time"], columnKey: ["part"], valueColumn: "_value")
        |> map(fn: (r) => ({r with
            counted: exists r.value and (not exists r.rank or r.rank < 1.5),
            _value: if exists r.value then r.value else 0.0,
        }))
        |> drop(columns: ["value", "rank"])
        |> sort(columns: ["_time"])
    good = mixed |> filter(fn: (r) => r.counted)
    analog = good |> filter(fn: (r) => r._field !~ states)
    return union(tables: [
        measured() |> each(fn: mean, name: ".mean"),
        measured() |> each(fn: min, name: ".min"),
        measured() |> each(fn: max, name: ".max"),
        plain() |> each(fn: last, name: ".last"),
        plain() |> each(fn: count, name: ".count"),
        plain() |> each(fn: count, name: ".bad") |> map(fn: (r) => ({r with _value: 0.0})),
        analog |> each(fn: mean, name: ".mean"),
        analog |> each(fn: min, name: ".min"),
        analog |> each(fn: max, name: ".max"),
        good |> each(fn: last, name: ".last"),
        mixed |> map(fn: (r) => ({r with _value: if r.counted then 1.0 else 0.0})) |> each(fn: sum, name: ".count"),
        mixed |> map(fn: (r) => ({r with _value: if r.counted then 0.0 else 1.0})) |> each(fn: sum, name: ".bad"),
    ])
        |> group(columns: key)
        |> to(bucket: %(minutes)s, org: %(org)s)
        |> filter(fn: (r) => false)
}
"""


def preamble(bucket: str, minutes_bucket: str, org: str, states: Sequence[str]) -> str:
    """Return the definitions that the three programs below begin with; of `states` only last and count are kept."""
    pattern = "^(" + "|".join(map(_quoted, states)) + ")$"
    return _PREAMBLE % {
        "bucket": flux.text(bucket),
        "minutes": flux.text(minutes_bucket),
        "org": flux.text(org),
        "areas": flux.any_of("_measurement", AREAS),
        "states": flux.text(pattern),
    }


def _quoted(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter == "-" else "\\" + letter for letter in name)


def range_program(definitions: str, start_ms: int, end_ms: int) -> str:
    """Return what works out the minutes of [start, end), both whole minutes."""
    return f"{definitions}\nminutes(start: {flux.moment(start_ms)}, stop: {flux.moment(end_ms)})"


def minute_task(definitions: str, name: str) -> str:
    """Return the task that follows the present."""
    return f"""{definitions}
option task = {{name: {flux.text(name)}, every: 1m, offset: 10s}}

stop = date.truncate(t: now(), unit: 1m)
minutes(start: date.sub(d: {MINUTE_TASK_BACK}, from: stop), stop: stop)
"""


def late_task(definitions: str, bucket: str, name: str) -> str:
    """Return the task that puts hours right in which something was written late."""
    return f"""{definitions}
option task = {{name: {flux.text(name)}, every: {LATE_EVERY}, offset: 20s}}

since = float(v: int(v: now()) / 1000000) - {LATE_BACK_MS}.0
hours = from(bucket: {flux.text(bucket)})
    |> range(start: -60d, stop: 2d)
    |> filter(fn: (r) => r._measurement == {flux.text(LATE)} and r._field == "written" and r._value >= since)
    |> group()
    |> distinct(column: "_time")
    |> findColumn(fn: (key) => true, column: "_value")
// The hour of the epoch is empty; a union must have two tables.
union(
    tables: array.map(
        arr: array.concat(arr: [time(v: 0), time(v: 3600000000000)], v: hours),
        fn: (x) => minutes(start: x, stop: date.add(d: 1h, to: x)),
    ),
)
"""


def put_task(client: Any, org: str, name: str, program: str) -> None:
    """Make a task of InfluxDB, or give the one of this name the present program."""
    tasks = client.tasks_api()
    found = [task for task in tasks.find_tasks(name=name, org=org) if task.name == name]
    if found:
        found[0].flux = program
        found[0].status = "active"
        # The program names them itself; given twice they are refused.
        found[0].every = found[0].cron = found[0].offset = None
        tasks.update_task(found[0])
        return
    organisation = client.organizations_api().find_organizations(org=org)[0]
    tasks.create_task(task_create_request=TaskCreateRequest(flux=program, org_id=organisation.id, status="active"))


def task_troubles(client: Any, org: str, names: Sequence[str]) -> list[str]:
    """Return what is wrong with tasks of InfluxDB, a line each; nothing where all run."""
    troubles: list[str] = []
    for name in names:
        found = [task for task in client.tasks_api().find_tasks(name=name, org=org) if task.name == name]
        if not found:
            troubles.append(f"task {name!r} is missing")
        elif found[0].status != "active":
            troubles.append(f"task {name!r} is switched off")
        elif found[0].last_run_status == "failed":
            troubles.append(f"task {name!r} failed at its last run: {found[0].last_run_error}")
    return troubles


def minutes_told(rows: Iterable[Mapping[str, str]]) -> list[Minute]:
    """Return the minutes of one signal out of the rows of BUCKET_1m."""
    times = flux.Times()
    found: dict[int, dict[str, float]] = {}
    for row in rows:
        kind = row["_field"].rpartition(".")[2]
        found.setdefault(times.ms(row["_time"]), {})[kind] = float(row["_value"])
    minutes: list[Minute] = []
    for t_ms, said in sorted(found.items()):
        count, bad = int(said.get("count", 0)), int(said.get("bad", 0))
        mean, low, high, last = (said.get(kind) if count else None for kind in ("mean", "min", "max", "last"))
        minutes.append(Minute(t_ms, mean, low, high, last, count, bad))
    return minutes


def minutes_as_columns(minutes: Sequence[Minute]) -> Minutes:
    """Return minutes for windows of them; of their quality no more is kept than whether some was bad."""
    count = np.array([one.count for one in minutes], np.int64)
    bad = np.array([one.bad for one in minutes], np.int64)
    low, high, last, mean = (
        np.array([np.nan if number is None else number for number in numbers], np.float64)
        for numbers in (
            [one.min for one in minutes],
            [one.max for one in minutes],
            [one.last for one in minutes],
            [one.mean for one in minutes],
        )
    )
    t_ms, total = np.array([one.t_ms for one in minutes], np.int64), np.where(count > 0, mean * count, 0.0)
    return Minutes(t_ms, count, bad, total, low, high, last, (bad > 0).astype(np.uint32))
