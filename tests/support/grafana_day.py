"""A simulated day in a real InfluxDB with what our services write beside it, and queries asked as Grafana does."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import io
import json
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence

from api.alarms.points import alarm_points
from api.live.service_points import alarm_point, capacity_point
from simulators.physics import StationPhysics
from simulators.scenario import shipped_scenario
from simulators.station import SimulatedStation
from station.adapters import flux
from station.adapters.influx_readings import InfluxReadings
from station.adapters.property_tables import hydrogen_tables
from station.domain.capacity import forecast
from station.domain.capacity_forecast import forecast_as_json
from station.domain.plant import Plant
from station.domain.signals import UnitMessage
from station.ports import ServicePoint
from tests.support.capacity_snapshots import snapshot
from tests.support.influxd import Influxd

DAY = dt.timedelta(days=1)
MINUTE_MS = 60_000
_STEP_S = 10.0
_EVERY = dt.timedelta(minutes=1)
_MINUTES_OF = dt.timedelta(minutes=12)
"""Of the end of the day: to work out those of all of it would take InfluxDB minutes of CPU."""

Table = list[dict[str, str]]


@dataclasses.dataclass(frozen=True)
class View:
    """What Grafana puts into a query."""

    length: dt.timedelta
    window: str


AS_OPENED = View(dt.timedelta(hours=6), "30s")
"""A board as it opens, on a panel of 800 pixels."""
WHOLE_DAY = View(DAY, "55s")
"""Out of readings: a window of a minute would be answered out of minutes."""
OUT_OF_MINUTES = View(_MINUTES_OF, "1m0s")


def last_noon(plant: Plant) -> dt.datetime:
    """Return the last noon of the station, before which many trucks came."""
    now = dt.datetime.now(plant.timezone)
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0)
    return noon if noon < now else noon - DAY


def simulated_day(plant: Plant, end: dt.datetime) -> list[UnitMessage]:
    """Return what the sensors said in the 24 hours before `end`, a value a minute."""
    begin = (end - DAY).astimezone(dt.UTC)
    physics = StationPhysics(plant, hydrogen_tables(), shipped_scenario("normal-day"), begin, 1)
    return SimulatedStation(plant, physics, 1).advance(DAY.total_seconds(), step_s=_STEP_S, every=_EVERY)


def service_points(plant: Plant, end: dt.datetime) -> Iterator[ServicePoint]:
    """Yield forecasts each five minutes of the day and each of its last half hour, and three alarms."""
    end_ms = round(end.timestamp() * 1000)
    said = forecast_as_json(forecast(plant, snapshot(12.0, trailer_hours=[], bay_mpa=(7.0, 6.0, None, None)), 0))
    for minute in [*range(24 * 60, 30, -5), *range(30, -1, -1)]:
        yield capacity_point(plant.id, end_ms - minute * MINUTE_MS - 1, said)
    states = {"PT-330A.HH": ["UNACK"], "PT-330A.H": ["UNACK", "ACKED"], "PT-152.L": ["UNACK", "NORM"]}
    for alarm_id, changes in states.items():
        view = alarm_points(plant, plant.id)[alarm_id].view()
        for number, state in enumerate(changes):
            changed = dataclasses.replace(view, state=state, value=48.1)
            yield alarm_point(plant.id, changed, end_ms - 10 * MINUTE_MS + number * MINUTE_MS)


def ingest_points(messages: Sequence[UnitMessage]) -> Iterator[ServicePoint]:
    """Yield what ingest counts of messages, per unit and minute."""
    counts = collections.Counter((m.station, m.area, m.unit, m.t_ms // MINUTE_MS) for m in messages)
    for (station, area, unit, minute), received in counts.items():
        others = dict.fromkeys(("gaps", "late", "duplicate", "refused"), 0.0)
        tags = {"station": station, "area": area, "unit": unit}
        yield ServicePoint("ingest", tags, {"received": float(received), **others}, minute * MINUTE_MS)


class GrafanaDay:
    """A bucket with the day; asks it as Grafana's InfluxDB data source does.

    Args:
        influxd: Where.
        bucket: Of the readings.
        plant: The station.
    """

    def __init__(self, influxd: Influxd, bucket: str, plant: Plant) -> None:
        self.influxd, self.bucket, self.plant = influxd, bucket, plant
        self.end = last_noon(plant)
        end_ms = round(self.end.timestamp() * 1000)
        messages = simulated_day(plant, self.end)
        store = self.store()
        store.write(messages)
        lately = [m for m in messages if m.t_ms >= end_ms - 60 * MINUTE_MS]
        store.write_points([*service_points(plant, self.end), *ingest_points(lately)])
        states = [s.tag for s in plant.signals.values() if s.states]
        store.roll_up(end_ms - round(_MINUTES_OF.total_seconds() * 1000), end_ms, states)
        store.close()

    def store(self) -> InfluxReadings:
        """Open the store of the bucket."""
        return InfluxReadings(self.influxd.url, self.influxd.token, self.influxd.org, self.bucket)

    def tables(self, query: str, view: View = AS_OPENED, station: str | None = None) -> list[Table]:
        """Ask with the view's times, its window and the station put in, word for word as Grafana does it."""
        start, stop = (_rfc3339(moment) for moment in (self.end - view.length, self.end))
        put_in = {
            "v.timeRangeStart": start,
            "v.timeRangeStop": stop,
            "v.windowPeriod": view.window,
            "${station}": station or self.plant.id,
        }
        for name, value in put_in.items():
            query = query.replace(name, value)
        request = urllib.request.Request(
            f"{self.influxd.url}/api/v2/query?{urllib.parse.urlencode({'org': self.influxd.org})}",
            json.dumps({"query": query, "dialect": {"annotations": []}}).encode(),
            {"Content-Type": "application/json", "Authorization": f"Token {self.influxd.token}"},
        )
        with urllib.request.urlopen(request, timeout=120.0) as answer:
            text = answer.read().decode()
        found: dict[str, Table] = {}
        for row in flux.records(io.StringIO(text, newline="")):
            found.setdefault(row["table"], []).append(row)
        return list(found.values())


def _rfc3339(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
