"""Other people's logs as our messages, by a mapping file; what cannot be read is refused by line, and it alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from station.adapters.foreign.cells import Reading, reading_of
from station.adapters.foreign.log_map import ColumnRule, LogMap, folded
from station.adapters.foreign.table import Layout, OnRefused, Row, layout_of, rows
from station.adapters.foreign.times import Times
from station.adapters.log_records import Found, Gathering, record_of
from station.wire.json_v1 import MAX_SIGNALS
from station.wire.topics import ReadingTopic


def find_foreign(path: Path, rules: LogMap, refuse: OnRefused) -> Iterator[Found]:
    """Yield the messages of a log in the order of its rows.

    Args:
        path: A text of cells, plain or packed.
        rules: Of the mapping file.
        refuse: Told of each row, and each cell, that is not taken.

    Raises:
        BadInputError: The file cannot be opened, or lacks columns that the rules ask for.
    """
    layout = layout_of(path, rules)
    found = rows(path, layout, refuse)
    width = len(layout.names)
    least = 1 + max(layout.places(rules.needed).values()) if rules.short_rows else width
    whole = (row for row in found if _is_whole(row, least, width, refuse))
    if rules.long is None:
        yield from _wide(whole, layout, rules, refuse)
    else:
        yield from _long(whole, layout, rules, refuse)


def columns_left_out(path: Path, rules: LogMap) -> list[str]:
    """Return the names of the columns that a mapping takes nothing of."""
    layout = layout_of(path, rules)
    needed = set(map(folded, rules.needed))
    return [name for name in layout.names if name and folded(name) not in needed]


def _is_whole(row: Row, least: int, width: int, refuse: OnRefused) -> bool:
    if least <= len(row.cells) and not any(row.cells[width:]):
        return True
    refuse(row.line, "row", f"has {len(row.cells)} cells, {width} columns are named")
    return False


class _Column:
    """A column, and where it and its quality stand."""

    def __init__(self, rule: ColumnRule, places: dict[str, int]) -> None:
        self.rule = rule
        self.place = places[rule.header]
        self.quality = None if rule.quality is None else places[rule.quality]


def _wide(found: Iterator[Row], layout: Layout, rules: LogMap, refuse: OnRefused) -> Iterator[Found]:
    places = layout.places(rules.needed)
    time_places = [places[name] for name in rules.time.columns]
    times = Times(rules.time)
    units = _by_unit(rules, places)
    for line, cells in found:
        try:
            t_ms = times.ms([cells[place] for place in time_places])
        except ValueError as error:
            refuse(line, "time", str(error))
            continue
        for topic, columns in units:
            readings = _readings(line, cells, columns, rules, refuse)
            if readings:
                values = {tag: value for tag, (value, _) in readings.items()}
                quality = {tag: said for tag, (_, said) in readings.items()}
                yield Found(record_of(topic, t_ms, values, quality), line)


def _by_unit(rules: LogMap, places: dict[str, int]) -> list[tuple[ReadingTopic, Sequence[_Column]]]:
    """Return the columns of each unit, at most as many together as a message may hold."""
    grouped: dict[ReadingTopic, list[_Column]] = defaultdict(list)
    for rule in rules.columns.values():
        grouped[ReadingTopic(rules.plant.id, *rule.signal.key)].append(_Column(rule, places))
    return [
        (topic, columns[first : first + MAX_SIGNALS])
        for topic, columns in grouped.items()
        for first in range(0, len(columns), MAX_SIGNALS)
    ]


def _readings(
    line: int, cells: Sequence[str], columns: Sequence[_Column], rules: LogMap, refuse: OnRefused
) -> dict[str, Reading]:
    readings: dict[str, Reading] = {}
    for column in columns:
        said = None if column.quality is None else cells[column.quality]
        try:
            reading = reading_of(cells[column.place], said, column.rule, rules.values)
        except ValueError as error:
            refuse(line, "value", f"column {column.rule.header!r}: {error}")
            continue
        if reading is not None:
            readings[column.rule.signal.tag] = reading
    return readings


def _long(found: Iterator[Row], layout: Layout, rules: LogMap, refuse: OnRefused) -> Iterator[Found]:
    assert rules.long is not None
    places = layout.places(rules.needed)
    time_places = [places[name] for name in rules.time.columns]
    at_tag, at_value = places[rules.long.tag], places[rules.long.value]
    at_quality = None if rules.long.quality is None else places[rules.long.quality]
    times, gathered = Times(rules.time), Gathering()
    for line, cells in found:
        rule = rules.columns.get(folded(cells[at_tag]))
        if rule is None:
            continue
        try:
            t_ms = times.ms([cells[place] for place in time_places], rule.header)
        except ValueError as error:
            refuse(line, "time", str(error))
            continue
        try:
            said = None if at_quality is None else cells[at_quality]
            reading = reading_of(cells[at_value], said, rule, rules.values)
        except ValueError as error:
            refuse(line, "value", f"tag {rule.header!r}: {error}")
            continue
        if reading is None:
            continue
        topic = ReadingTopic(rules.plant.id, *rule.signal.key)
        if (message := gathered.take(line, topic, t_ms, rule.signal.tag, *reading)) is not None:
            yield message
    if (message := gathered.rest()) is not None:
        yield message
