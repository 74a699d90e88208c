"""What the boards share: finding signals by role, the panels made of them, and the row that stands first on each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from dashboards.grafana import panels
from dashboards.grafana.flux import SILENCE_S, Bucket, Readings
from dashboards.grafana.panels import ALARM, NORMAL, Link, Size, Words
from dashboards.grafana.service_flux import AlarmChanges, Forecasts, IngestCounts
from station.domain.plant import Plant, Signal

Row = tuple[str, list[Any]]
"""Title and panels."""

AGE_LIMITS_S: Final = {"H": 15.0, "HH": 60.0}
"""For a station file without heartbeats: stale after 15 s (contract, section 7), lost after a minute."""
_SILENT_AREAS: Final = frozenset({"vehicle", "quality"})
"""A vehicle speaks only while it fuels, the analyser every few minutes: their age says nothing of the data path."""


class Page:
    """One station's boards are made through this; what the station has not is left out.

    Args:
        plant: Limits, states and tags come from its station file.
        bucket: Bucket of raw readings.
        console_url: Where the console is, without a slash at the end.
    """

    def __init__(self, plant: Plant, bucket: str, console_url: str) -> None:
        buckets = Bucket(bucket)
        self.plant = plant
        self.console = console_url
        self.readings = Readings(buckets)
        self.alarms = AlarmChanges(buckets)
        self.forecasts = Forecasts(buckets)
        self.ingest = IngestCounts(buckets)
        self.station_ids = buckets.stations()

    def playing(self, area: str, role: str, units: Iterable[str] | None = None) -> list[Signal]:
        """Return the signals of a role in an area, of some units or of all."""
        own = None if units is None else set(units)
        found = (s for s in self.plant.signals.values() if s.area == area and s.role == role)
        return [s for s in found if own is None or s.unit in own]

    def areas(self) -> list[str]:
        """Return the areas whose silence means something, in order."""
        return sorted({s.area for s in self.plant.signals.values()} - _SILENT_AREAS)

    def _links(self, area: str, label: str) -> list[Link]:
        page = f"units/{quote(area)}/{label}" if label == panels.UNIT_LABEL else "trends"
        return [Link("Console 操作台", f"{self.console}/console/{page}")]

    def trend(
        self, words: Words, signals: list[Signal], size: Size, function: str = "max", *, by_signal: bool = False
    ) -> Iterator[Any]:
        """Yield the trend of like signals on the axis of their instruments, nothing where the station has none."""
        if not signals:
            return
        first, tags = signals[0], [s.tag for s in signals]
        low, high = first.instrument_range
        alike = all(s.limits == first.limits for s in signals)
        limits = first.limits if alike else {}
        ask = self.readings.by_signal if by_signal else self.readings.by_unit
        label = panels.SIGNAL_NAME if by_signal else panels.UNIT_LABEL
        about = f"{words.about} The {function} of each window. {panels.limits_text(limits, first.unit_of_measure)}"
        silence_s = max(SILENCE_S, *(3.0 * s.rate_s for s in signals))
        yield (
            panels.trend_panel(
                Words(words.en, words.zh, " ".join(about.split())),
                [ask(first.area, tags, function, silence_s)],
                size,
                unit=panels.unit_of(first),
                ends=(max(low, 0.0) if first.normal_lo >= 0.0 else low, high),
                steps=panels.limit_steps(limits),
            )
            .display_name(label)
            .data_links(self._links(first.area, label))
        )

    def timeline(self, words: Words, signals: list[Signal], size: Size) -> Iterator[Any]:
        """Yield the timeline of like states, a row a unit."""
        if not signals:
            return
        first = signals[0]
        about = f"{words.about} As the equipment reports it, on change and each minute."
        query = self.readings.by_unit(first.area, [s.tag for s in signals], "last")
        panel = panels.timeline_panel(Words(words.en, words.zh, about), [query], size, panels.state_mapping(first))
        yield panel.display_name(panels.UNIT_LABEL).data_links(self._links(first.area, panels.UNIT_LABEL))

    def switches(
        self, words: Words, signals: list[Signal], size: Size, names: Mapping[int, tuple[str, str]]
    ) -> Iterator[Any]:
        """Yield the timeline of contacts, a row a signal."""
        if signals:
            query = self.readings.by_signal(signals[0].area, [s.tag for s in signals], "last")
            panel = panels.timeline_panel(words, [query], size, panels.number_mapping(names))
            yield panels.named_series(panel, {s.tag: f"{s.unit} {s.role.replace('_', ' ')}" for s in signals})

    def levels(self, words: Words, signals: list[Signal], size: Size) -> Iterator[Any]:
        """Yield bars of what is now, each coloured by its own limits; a value that is stale is not shown."""
        if not signals:
            return
        first = signals[0]
        within = f"{max(int(s.stale_after.total_seconds()) for s in signals) + 60}s"
        query = self.readings.newest(first.area, [s.tag for s in signals], within)
        high = max(s.instrument_range[1] for s in signals)
        panel = panels.bars_panel(words, query, size, panels.unit_of(first), panels.CALM).max(high).decimals(1)
        several = len({s.unit for s in signals}) == len(signals)
        for s in signals:
            shown = [
                panels.own("displayName", s.unit if several else f"{s.name.en} {s.name.zh}"),
                panels.own_thresholds(panels.limit_steps(s.limits)),
            ]
            panel = panel.override_by_name(s.tag, shown)
        yield panel

    def safety(self, *areas: str) -> Row:
        """Return the first row of every board: is it safe, is the data fresh."""
        return "Is it safe, is the data fresh? 安全与数据", list(self._safety(areas or tuple(self.areas())))

    def _safety(self, areas: tuple[str, ...]) -> Iterator[Any]:
        gas = self.playing("fire_gas", "gas")
        if gas:
            about = f"Highest of {len(gas)} detectors in 2 minutes. " + panels.limits_text(gas[0].limits, "%LEL")
            ask = self.readings.highest("fire_gas", [s.tag for s in gas])
            words = Words("Highest hydrogen", "最高氢浓度", about)
            panel = panels.value_panel(words, [ask], (4, 4), panels.limit_steps(gas[0].limits))
            yield panel.unit("suffix: %LEL").decimals(1)
        yield from (self._shutdown(level) for level in self.playing("fire_gas", "esd_level"))
        yield self._active_alarms()
        yield self._ages(areas)

    def _shutdown(self, level: Signal) -> Any:
        names = {n: (f"{state.en} {state.zh}", ALARM if n else NORMAL) for n, state in enumerate(level.states)}
        about = "Level of the station's own shutdown system, on change and each minute; 3 minutes' silence is no data."
        return panels.value_panel(
            Words("Emergency shutdown", "紧急停车", about),
            [self.readings.newest("fire_gas", [level.tag], "3m")],
            (4, 4),
            [(None, NORMAL), (1.0, ALARM)],
        ).mappings(panels.number_mapping(names))

    def _active_alarms(self) -> Any:
        about = "Active at the end of the view, acknowledged or not. Shelved and suppressed ones do not count."
        asked = [self.alarms.how_many(priority) for priority in panels.PRIORITIES]
        panel = panels.value_panel(Words("Active alarms", "当前报警", about), asked, (7, 4))
        for letter, (priority, (zh, colour)) in zip("ABCD", panels.PRIORITIES.items(), strict=True):
            shown = [
                panels.own("displayName", f"{priority} {zh}"),
                panels.own_thresholds([(None, NORMAL), (1.0, colour)]),
                panels.own("links", [Link("Console 操作台", f"{self.console}/console/alarms").build()]),
            ]
            panel = panel.override_by_query(letter, shown)
        return panel

    def _ages(self, areas: tuple[str, ...]) -> Any:
        about = (
            "Time since the newest value of each area, by the clock of the store. Where a simulator runs at another "
            "speed than 1, it is the distance of its clock."
        )
        words = Words("Data age", "数据时延", about)
        panel = panels.value_panel(words, [self.readings.data_age(areas)], (9, 4), panels.limit_steps(self.age_limits))
        return panel.unit("s").decimals(0).display_name(panels.AREA_LABEL)

    @property
    def age_limits(self) -> Mapping[str, float]:
        """Limits of a gateway's silence [s]."""
        heartbeats = self.playing("system", "heartbeat_age")
        return heartbeats[0].limits if heartbeats else AGE_LIMITS_S
