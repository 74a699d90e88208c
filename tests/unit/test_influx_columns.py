"""InfluxDB's answers as columns: the same readings as row by row."""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import isnan

import pytest

from station.adapters.influx_columns import NO_NUMBERS, NotOneSchemaError, Quality, read_numbers, table_of
from station.adapters.influx_columns import table_of_messages as told
from station.domain.signals import UnitMessage

T0 = 1_795_420_800_000
HEAD = ",result,table,_time,_value,_field,_measurement,unit\r\n"
ANSWER = HEAD + (
    ",_result,0,2026-11-23T08:00:00Z,44.12,PT-330A,storage,bank-HB\r\n"
    ",_result,0,2026-11-23T08:00:00.2Z,44.1,PT-330A,storage,bank-HB\r\n"
    ",_result,1,2026-11-23T08:00:00Z,1,ZS-330D,storage,bank-HB\r\n"
    ',_result,2,2026-11-23T08:00:00.123Z,-0.5,"A b,c",cooling,chiller-1\r\n'
)


def answer(text: str) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(text.encode()))  # type: ignore[arg-type]


def rows(text: str, qualities: Sequence[Quality] = ()) -> list[tuple[object, ...]]:
    table = table_of(read_numbers(answer(text)), qualities)
    return [
        (t_ms, *table.units[unit], table.tags[signal], None if isnan(value) else value, table.qualities[quality])
        for t_ms, unit, signal, value, quality in zip(*(part.tolist() for part in table[:5]), strict=True)
    ]


def test_numbers_come_in_order_of_time_and_unit() -> None:
    assert rows(ANSWER) == [
        (T0, "storage", "bank-HB", "PT-330A", 44.12, "good"),
        (T0, "storage", "bank-HB", "ZS-330D", 1.0, "good"),
        (T0 + 123, "cooling", "chiller-1", "A b,c", -0.5, "good"),
        (T0 + 200, "storage", "bank-HB", "PT-330A", 44.1, "good"),
    ]


def test_a_quality_finds_its_number_and_without_one_it_is_a_null() -> None:
    own = ("storage", "bank-HB", "PT-330A")
    found = rows(ANSWER, [(own, T0, "uncertain:drift"), (own, T0 + 200, "bad:null"), (own, T0 + 300, "bad:range")])
    assert [row[4:] for row in found if row[3] == "PT-330A"] == [
        (44.12, "uncertain:drift"),
        (None, "bad:null"),
        (None, "bad:range"),
    ]


def test_nothing_is_nothing() -> None:
    assert read_numbers(answer("")) is NO_NUMBERS
    assert read_numbers(answer("\r\n")) is NO_NUMBERS
    assert rows(HEAD) == []
    assert len(told([]).t_ms) == 0


@pytest.mark.parametrize(
    "more",
    [
        "\r\n" + HEAD + ",_result,3,2026-11-23T08:00:00Z,text,PT-9,storage,x\r\n",
        "\r\nerror,reference\r\nbroken,897\r\n",
    ],
)
def test_what_is_more_than_numbers_is_told(more: str) -> None:
    with pytest.raises(NotOneSchemaError):
        read_numbers(answer(ANSWER + more))
    with pytest.raises(NotOneSchemaError):
        read_numbers(answer("error,reference\r\nbroken,897\r\n"))


def test_messages_make_the_same_table() -> None:
    messages = [
        UnitMessage("s", "storage", "bank-HB", T0, {"PT-330A": 44.12, "ZS-330D": 1.0}),
        UnitMessage("s", "cooling", "chiller-1", T0 + 123, {"A b,c": -0.5}),
        UnitMessage("s", "storage", "bank-HB", T0 + 200, {"PT-330A": None}, {"PT-330A": "bad:range"}),
    ]
    by_hand = table_of(read_numbers(answer(ANSWER)), [(("storage", "bank-HB", "PT-330A"), T0 + 200, "bad:range")])
    for mine, other in zip(told(messages)[:3], by_hand[:3], strict=True):
        assert mine.tolist() == other.tolist()
    assert told(messages).tags == by_hand.tags
