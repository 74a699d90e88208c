"""Metrics for Prometheus, read from the live objects at each scrape; nothing is counted twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.ingest_metrics import ingest_metrics
from api.live.station import LiveStation

if TYPE_CHECKING:
    from api.services import ApiServices

_PRIORITIES = ("critical", "high", "medium", "low")
_HIDDEN = ("OUT_OF_SERVICE", "SUPPRESSED", "SHELVED")


class ServiceCollector(Collector):
    """Everything that one service tells of itself.

    Args:
        services: What is read.
    """

    def __init__(self, services: ApiServices) -> None:
        self._services = services

    def describe(self) -> Iterable[Metric]:
        """Return nothing: names are known from a scrape, and registering must not touch a store."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        lives = list(self._services.stations.values())
        yield _counter("jinma_messages_received", "Messages that the live core took", lives, lambda s: s.received)
        yield GaugeMetricFamily(
            "jinma_messages_waiting", "Messages that came and are not taken yet", self._services.waiting()
        )
        yield _counter("jinma_live_failures", "Messages that broke the live core", lives, lambda s: s.failures)
        yield self._refused(lives)
        yield _gauge("jinma_stream_clients", "Clients on the event stream", lives, lambda s: s.hub.clients)
        yield _counter("jinma_stream_cut", "Stream clients cut for slowness", lives, lambda s: s.hub.cut_clients)
        yield self._alarms(lives)
        yield from self._forecasts(lives)
        yield _gauge("jinma_reading_age_seconds", "Station time since the newest reading", lives, _reading_age_s)
        yield _gauge("jinma_station_speed", "Station seconds per wall second", lives, lambda s: s.speed)
        yield _gauge("jinma_points_waiting", "Points waiting for the store", lives, lambda s: s.points_waiting)
        yield from self._ingest()

    def _refused(self, lives: list[LiveStation]) -> Metric:
        family = CounterMetricFamily(
            "jinma_messages_refused", "Messages or values refused", labels=["station", "reason"]
        )
        for live in lives:
            for reason, count in list(live.refused.items()):
                family.add_metric([live.plant.id, reason], count)
        return family

    def _alarms(self, lives: list[LiveStation]) -> Metric:
        family = GaugeMetricFamily(
            "jinma_alarms_active", "Active alarms that are not hidden", labels=["station", "priority"]
        )
        for live in lives:
            active = [view.priority for view in live.alarms.alarms() if view.active and view.state not in _HIDDEN]
            for priority in _PRIORITIES:
                family.add_metric([live.plant.id, priority], active.count(priority))
        return family

    def _forecasts(self, lives: list[LiveStation]) -> Iterator[Metric]:
        age = GaugeMetricFamily("jinma_forecast_age_seconds", "Station time since the forecast", labels=["station"])
        took = GaugeMetricFamily(
            "jinma_forecast_duration_seconds", "From asking for the last forecast to having it", labels=["station"]
        )
        for live in lives:
            if live.capacity.newest_at_ms is not None:
                age.add_metric([live.plant.id], (live.now_ms - live.capacity.newest_at_ms) / 1000)
            if live.capacity.last_duration_s is not None:
                took.add_metric([live.plant.id], live.capacity.last_duration_s)
        yield age
        yield took

    def _ingest(self) -> Iterator[Metric]:
        if self._services.ingest is not None:
            yield from ingest_metrics(self._services.ingest())


def _reading_age_s(live: LiveStation) -> float:
    newest_ms = live.latest.newest_ms
    return max(0.0, (live.now_ms - newest_ms) / 1000) if newest_ms else float("inf")


def _gauge(name: str, text: str, lives: list[LiveStation], read: Callable[[LiveStation], float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=["station"])
    for live in lives:
        family.add_metric([live.plant.id], read(live))
    return family


def _counter(name: str, text: str, lives: list[LiveStation], read: Callable[[LiveStation], float]) -> Metric:
    family = CounterMetricFamily(name, text, labels=["station"])
    for live in lives:
        family.add_metric([live.plant.id], read(live))
    return family
