"""Alarm points: every alarm that a station can raise, with where it stands."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator

from station.domain.alarm_views import AlarmView, alarm_view
from station.domain.alarms import AlarmState, fresh_state
from station.domain.plant import AlarmSpec, Gateway, Plant, Text

SILENT_STATION = "SYS-SILENT"
SILENT_GATEWAY = "SYS-GATEWAY"
GRAFANA_ALARM = "SYS-GRAFANA"


class AlarmPoint:
    """One alarm of one station: what it is, and its present state.

    Attributes:
        id: Unique per station.
        signal: Tag, None for capacity and system alarms.
        group: Alarms of one group that begin together have one first-out.
        suppressors: Names of the rules that hide it now.
    """

    __slots__ = ("_changed", "group", "id", "signal", "spec", "state", "station", "suppressors")

    def __init__(self, alarm_id: str, station: str, signal: str | None, group: str, spec: AlarmSpec) -> None:
        self.id = alarm_id
        self.station = station
        self.signal = signal
        self.group = group
        self.spec = spec
        self.state: AlarmState = fresh_state(spec)
        self.suppressors: set[str] = set()
        self._changed: AlarmSpec | None = None

    @property
    def spec_now(self) -> AlarmSpec:
        """What it is, with its limit as it is set now."""
        limit = self.state.changed_limit
        if limit is None:
            return self.spec
        if self._changed is None or self._changed.limit != limit:
            self._changed = self.spec.with_limit(limit)
        return self._changed

    def view(self) -> AlarmView:
        """Return it as the outside sees it."""
        return alarm_view(self.id, self.station, self.signal, self.group, self.spec_now, self.state)


def alarm_points(plant: Plant, station: str) -> dict[str, AlarmPoint]:
    """Return every alarm of a station by id, in the order of the station file.

    Args:
        plant: The station file.
        station: Id under which they are listed; a replay of the station has its own.
    """
    points = {}
    for alarm_id, signal, group, spec in _alarms(plant):
        points[alarm_id] = AlarmPoint(alarm_id, station, signal, group, spec)
    return points


def gateway_alarm_id(gateway: Gateway) -> str:
    """Return the id of the alarm that stands for a silent gateway."""
    return f"{SILENT_GATEWAY}-{gateway.id}"


def _alarms(plant: Plant) -> Iterator[tuple[str, str | None, str, AlarmSpec]]:
    for signal in plant.signals.values():
        for spec in signal.alarms:
            yield f"{signal.tag}.{spec.condition}", signal.tag, f"{signal.area}/{signal.unit}", spec
    for alarm_id, spec in plant.capacity_alarms.items():
        yield alarm_id, None, "capacity", spec
    for alarm_id, spec in plant.system_alarms.items():
        yield alarm_id, None, "system", spec
    for alarm_id, spec in ((SILENT_STATION, _SILENT_STATION), (GRAFANA_ALARM, _GRAFANA)):
        if alarm_id not in plant.system_alarms:
            yield alarm_id, None, "system", spec
    about = plant.system_alarms.get(SILENT_GATEWAY, _SILENT_GATEWAY)
    for gateway in plant.gateways:
        named = Text(f"{gateway.label.en}: {about.text.en}", f"{gateway.label.zh}：{about.text.zh}")
        yield gateway_alarm_id(gateway), None, f"gateway/{gateway.id}", dataclasses.replace(about, text=named)


_SILENT_GATEWAY = AlarmSpec(
    condition=SILENT_GATEWAY,
    limit=None,
    deadband=0.0,
    # No on-delay: the silence itself has lasted 15 s or more. Off as for all software alarms.
    on_delay=dt.timedelta(),
    off_delay=dt.timedelta(seconds=30),
    # It takes the place of the stale alarms of all its signals, protective ones among them.
    priority="high",
    latched=False,
    safety=False,
    text=Text("gateway silent, none of its signals arrives", "网关无数据，其全部信号中断"),
    cause=Text("Gateway without power, its network broken, or its program stopped.", "网关断电、网络中断或程序停止。"),
    consequence=Text(
        "Values of its units are unknown; their limits are not watched.",
        "其所属设备的数值未知，限值不再受监视。",
    ),
    action=Text(
        "Watch the equipment on site; check power and network of the gateway.",
        "现场监视设备；检查网关的电源和网络。",
    ),
)
_SILENT_STATION = dataclasses.replace(
    _SILENT_GATEWAY,
    condition=SILENT_STATION,
    text=Text("no data from the whole station", "全站无数据"),
    cause=Text("Broker or network down, or all gateways without power.", "消息服务器或网络中断，或全部网关断电。"),
    consequence=Text(
        "Nothing is watched here; only the station's own safety system is.", "本系统无法监视，仅靠站内安全系统。"
    ),
    action=Text("Go to the local panels; check broker and network.", "改看就地盘；检查消息服务器和网络。"),
)
_GRAFANA = dataclasses.replace(
    _SILENT_GATEWAY,
    condition=GRAFANA_ALARM,
    off_delay=dt.timedelta(),
    priority="low",
    text=Text("Grafana reports an alert", "Grafana 告警"),
    cause=Text("A rule in Grafana fires.", "Grafana 中的规则触发。"),
    consequence=Text("See the rule's own words.", "见该规则说明。"),
    action=Text("Open the rule in Grafana.", "在 Grafana 中查看该规则。"),
)
