"""What an ingest says of itself, as metrics: for /metrics of a whole service, and of an ingest by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector


class WriteTimes(Protocol):
    """How long calls of the store took."""

    @property
    def bounds_s(self) -> Sequence[float]:
        """Upper ends of the classes [s]."""
        ...

    @property
    def counts(self) -> Sequence[int]:
        """Calls by class, and one more for those beyond the last."""
        ...

    @property
    def sum_s(self) -> float:
        """All of them together [s]."""
        ...


class IngestFigures(Protocol):
    """Where an ingest stands; counts are since the start of its process."""

    @property
    def received(self) -> int:
        """Messages that came in."""
        ...

    @property
    def committed(self) -> int:
        """Messages that are in the spool, on the disk."""
        ...

    @property
    def delivered(self) -> int:
        """Messages that the store has."""
        ...

    @property
    def refused(self) -> Mapping[str, int]:
        """Dead letters by reason."""
        ...

    @property
    def duplicates(self) -> int:
        """Messages that came twice."""
        ...

    @property
    def late(self) -> int:
        """Messages older than what their unit sent before."""
        ...

    @property
    def missing(self) -> int:
        """Messages that the units' numbering says are missing."""
        ...

    @property
    def spool_bytes(self) -> int:
        """Size of the spool on disk."""
        ...

    @property
    def spool_fullness(self) -> float:
        """How near the spool is to taking no more, 0 to 1, by size or by age."""
        ...

    @property
    def oldest_age_s(self) -> float | None:
        """Age of the oldest message that waits for the store [s], None where none does."""
        ...

    @property
    def lag_s(self) -> float:
        """From reception to the store, of the newest delivery [s]."""
        ...

    @property
    def write_times(self) -> WriteTimes:
        """How long calls of the store took."""
        ...

    @property
    def failures(self) -> int:
        """Times a thread broke and was started again."""
        ...


class IngestCollector(Collector):
    """The metrics of one ingest, read at each scrape.

    Args:
        figures: What is read.
    """

    def __init__(self, figures: Callable[[], IngestFigures]) -> None:
        self._figures = figures

    def describe(self) -> Iterable[Metric]:
        """Return nothing: names are known from a scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        yield from ingest_metrics(self._figures())


def ingest_metrics(figures: IngestFigures) -> Iterator[Metric]:
    """Yield what one ingest says of itself, stage by stage."""
    yield CounterMetricFamily("jinma_ingest_received", "Messages received by ingest", figures.received)
    yield CounterMetricFamily("jinma_ingest_committed", "Messages spooled on disk", figures.committed)
    yield CounterMetricFamily("jinma_ingest_delivered", "Messages that the store has", figures.delivered)
    yield CounterMetricFamily("jinma_ingest_duplicates", "Messages that came twice", figures.duplicates)
    yield CounterMetricFamily("jinma_ingest_late", "Messages older than their unit's newest", figures.late)
    yield GaugeMetricFamily("jinma_ingest_missing", "Messages missing by their numbers", figures.missing)
    refused = CounterMetricFamily("jinma_ingest_refused", "Dead letters", labels=["reason"])
    for reason, count in figures.refused.items():
        refused.add_metric([reason], count)
    yield refused
    yield GaugeMetricFamily("jinma_ingest_spool_bytes", "Size of the spool", figures.spool_bytes)
    yield GaugeMetricFamily("jinma_ingest_spool_fullness", "1 takes no more: by size or age", figures.spool_fullness)
    yield GaugeMetricFamily("jinma_ingest_oldest_seconds", "Age of what waits", figures.oldest_age_s or 0.0)
    yield GaugeMetricFamily("jinma_ingest_lag_seconds", "From reception to the store", figures.lag_s)
    yield _write_seconds(figures.write_times)
    yield CounterMetricFamily("jinma_ingest_failures", "Threads that broke and began again", figures.failures)


def _write_seconds(times: WriteTimes) -> Metric:
    buckets: list[tuple[str, float]] = []
    count = 0
    for bound, more in zip([*map(str, times.bounds_s), "+Inf"], times.counts, strict=True):
        count += more
        buckets.append((bound, count))
    return HistogramMetricFamily(
        "jinma_ingest_write_seconds", "How long the store took for a batch", buckets, sum_value=times.sum_s
    )
