"""Our lines are what InfluxDB's grammar says, and come back from an independent reading of that grammar."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.adapters.line_protocol import joined_lines, message_line, point_line
from station.adapters.point_rules import merged, refusal, visible, worst
from station.domain.signals import UnitMessage
from station.ports import ServicePoint


def message(
    values: dict[str, float | None], quality: dict[str, str] | None = None, unit: str = "bank-HB"
) -> UnitMessage:
    return UnitMessage("jinma", "storage", unit, 1795420800123, values, quality or {})


def test_a_message_is_one_line_of_floats() -> None:
    line = message_line(message({"PT-330A": 44.12, "ZS-330D": 1.0, "FQ-1": 5e-324}))
    assert line == "storage,station=jinma,unit=bank-HB PT-330A=44.12,ZS-330D=1.0,FQ-1=5e-324 1795420800123"


def test_quality_stands_beside_its_value_and_null_alone() -> None:
    line = message_line(message({"A": 1.5, "B": None, "C": None}, {"A": "uncertain:drift", "C": "bad:short"}))
    fields = 'A=1.5,A.q="uncertain:drift",B.q="bad:null",C.q="bad:short"'
    assert line == f"storage,station=jinma,unit=bank-HB {fields} 1795420800123"


def test_special_characters_are_escaped() -> None:
    line = message_line(message({"P T,1=x": 1.0}, {"P T,1=x": 'bad:say "no"'}, unit="a b,c=d"))
    assert line == (r'storage,station=jinma,unit=a\ b\,c\=d P\ T\,1\=x=1.0,P\ T\,1\=x.q="bad:say \"no\"" 1795420800123')


def test_a_point_of_a_service_has_sorted_tags_and_no_empty_ones() -> None:
    point = ServicePoint(
        "alarms", {"station": "jinma", "id": "CAP SHORT", "group": ""}, {"value": 3, "text_zh": '缺"氢"\\'}, 5
    )
    assert point_line(point) == 'alarms,id=CAP\\ SHORT,station=jinma value=3.0,text_zh="缺\\"氢\\"\\\\" 5'
    assert point_line(ServicePoint("capacity", {}, {"p50": math.nan}, 5)) is None


names = st.text(
    st.characters(codec="utf-8", exclude_characters="\\\n\r\t\0", exclude_categories=("Cs", "Cc")),
    min_size=1,
    max_size=12,
).filter(lambda name: not name.endswith(".q"))


@st.composite
def any_messages(draw: st.DrawFn) -> UnitMessage:
    number = st.floats() | st.floats(allow_nan=False, allow_infinity=False)
    odd = st.text(max_size=3) | st.sampled_from(["a.q", "%s", "%"])
    values = draw(st.dictionaries(names | odd, st.none() | number, max_size=4))
    quality = {name: "uncertain:100%" for name in values if draw(st.integers(0, 5)) == 0}
    t_ms = draw(st.sampled_from([0, 1795420800123, -1, 9_000_000_000_001]))
    return UnitMessage("ji%nma", "storage", draw(names | odd), t_ms, values, quality)


@given(st.lists(any_messages(), max_size=6))
def test_joined_lines_are_the_lines_one_by_one(batch: list[UnitMessage]) -> None:
    refused: dict[int, str] = {}
    joined = joined_lines(batch, refused)
    reasons = {index: reason for index, one in enumerate(batch) if (reason := refusal(one))}
    if joined is None:
        assert any("is nan" in reason or "inf" in reason for reason in reasons.values())
        return
    assert refused == reasons
    assert _numbers_alike(joined) == _numbers_alike(
        "\n".join([message_line(one) for index, one in enumerate(batch) if index not in reasons])
    )


def _numbers_alike(lines: str) -> str:
    """JSON writes 1e16 and Python 1e+16; both are the same number of line protocol."""
    return re.sub(r"(?<=\de)[+]?(-?)0*(?=\d)", r"\1", lines)


def test_a_bool_is_not_joined() -> None:
    assert joined_lines([message({"A": True})], {}) is None


@given(
    values=st.dictionaries(names, st.none() | st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=6),
    reason=st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12),
    unit=names,
)
def test_every_line_reads_back(values: dict[str, float | None], reason: str, unit: str) -> None:
    quality = dict.fromkeys(list(values)[::2], f"uncertain:{reason}")
    sent = message(values, quality, unit)
    assert refusal(sent) is None
    line = message_line(sent)
    assert "\n" not in line
    measurement, tags, fields, t_ms = LineReader(line).read()
    assert (measurement, t_ms) == (sent.area, sent.t_ms)
    assert tags == {"station": sent.station, "unit": unit}
    expected: dict[str, float | str] = {}
    for signal, value in values.items():
        if value is not None:
            expected[signal] = value
        if sent.quality_of(signal) != "good":
            expected[f"{signal}.q"] = sent.quality_of(signal)
    assert fields == expected


class LineReader:
    """Reads one line by InfluxDB's grammar, character by character."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.at = 0

    def until(self, ends: str) -> str:
        read = ""
        while self.line[self.at] not in ends:
            if self.line[self.at] == "\\" and self.line[self.at + 1] in ', ="':
                self.at += 1
            read += self.line[self.at]
            self.at += 1
        return read

    def quoted(self) -> str:
        read = ""
        self.at += 1
        while self.line[self.at] != '"':
            if self.line[self.at] == "\\" and self.line[self.at + 1] in '"\\':
                self.at += 1
            read += self.line[self.at]
            self.at += 1
        self.at += 1
        return read

    def read(self) -> tuple[str, dict[str, str], dict[str, float | str], int]:
        measurement = self.until(", ")
        tags: dict[str, str] = {}
        while self.line[self.at] == ",":
            self.at += 1
            key = self.until("=")
            self.at += 1
            tags[key] = self.until(", ")
        fields: dict[str, float | str] = {}
        while self.line[self.at] == "," or not fields:
            self.at += 1
            key = self.until("=")
            self.at += 1
            fields[key] = self.quoted() if self.line[self.at] == '"' else float(self.until(", "))
        return measurement, tags, fields, int(self.line[self.at + 1 :])


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ((1.0, "good"), (2.0, "good"), (2.0, "good")),
        ((1.0, "bad:x"), (2.0, "good"), (2.0, "bad:x")),
        ((1.0, "good"), (None, "bad:null"), (None, "bad:null")),
        ((None, "bad:null"), (2.0, "good"), (None, "bad:null")),
        ((1.0, "good"), (None, "bad:short"), (1.0, "bad:short")),
    ],
)
def test_second_arrivals_merge_as_fields_do(
    old: tuple[float | None, str], new: tuple[float | None, str], expected: tuple[float | None, str]
) -> None:
    assert visible(merged(old, new)) == expected


def test_the_worst_quality_has_one_name() -> None:
    assert worst([]) == "good"
    assert worst(["uncertain:a", "good", "uncertain:b"]) == "uncertain:b"
    assert worst(["uncertain:z", "bad"]) == "bad"
