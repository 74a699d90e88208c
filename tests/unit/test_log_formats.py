"""One log in every format: the same readings, whatever the writing, and read back whole (contract section 8)."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from station.adapters.line_protocol import message_line
from station.adapters.log_files import LogRecord, log_records, read_log, read_log_header, write_log
from station.adapters.log_lines import read_lines, write_lines
from station.domain.signals import UnitMessage
from station.errors import BadInputError
from station.wire import json_v1, topics
from tests.support.plants import jinma

HEADER = {"made_by": "jinma 0.1.0", "station": "jinma", "seed": 1, "title": "\u91d1\u9a6c"}
T0 = 1_780_243_200_000
MESSAGES = [
    UnitMessage("jinma", "storage", "bank-HB", T0, {"PT-330A": 44.12, "PT-330B": 44.0, "ZS-330D": 1}, {}, "b1", 7),
    UnitMessage("jinma", "storage", "bank-HB", T0 + 200, {"PT-330A": None, "PT-330B": 1e-7}, {}, "b1", 8),
    UnitMessage("jinma", "storage", "bank-HB", T0 + 200, {"PT-330A": 5.0}, {}, "b1", 9),
    UnitMessage("jinma", "vehicle", "hose-1A", T0 + 400, {"QI-611": 97.5, "XI-611": 0}, {"QI-611": "uncertain:a,b"}),
    UnitMessage("jinma", "vehicle", "hose-1A", T0 + 86_400_000, {"QI-611": None}, {"QI-611": "bad:range"}),
    UnitMessage("odd, name", "storage", 'bank "=%d', T0, {"A b,%s": 2.0, 'C="': None}, {}),
]
PLAN = LogRecord(topics.plan("jinma", "2026-06-01"), b'{"trucks":[],"trailers":[]}')
LONG = [".csv", ".csv.gz", ".csv.zst", ".lp", ".lp.gz", ".lp.zst", ".parquet"]


def rows(records: list[LogRecord]) -> list[tuple[object, ...]]:
    """What two logs are compared by: (station, area, unit, signal, t, value, quality)."""
    found: list[tuple[object, ...]] = []
    for record in records:
        topic = topics.parse_reading(record.topic)
        if topic is None:
            continue
        said = json_v1.decode(record.payload)
        message = UnitMessage(*topic, said.t_ms, said.values, said.quality)
        found += [(*topic, r.signal, r.t_ms, r.value, r.quality) for r in message.readings()]
    return found


def written(tmp_path: Path, suffix: str, messages: list[UnitMessage] = MESSAGES) -> Path:
    path = tmp_path / f"day{suffix}"
    assert write_log(path, [PLAN, *log_records(messages)], HEADER) == len(messages) + 1
    return path


@pytest.mark.parametrize("suffix", LONG)
def test_what_is_written_is_read_back(suffix: str, tmp_path: Path) -> None:
    wrong: dict[int, str] = {}
    assert rows(list(read_log(written(tmp_path, suffix), wrong.__setitem__))) == rows(list(log_records(MESSAGES)))
    assert wrong == {}


@pytest.mark.parametrize("suffix", LONG)
def test_the_log_says_what_made_it(suffix: str, tmp_path: Path) -> None:
    assert read_log_header(written(tmp_path, suffix)) == HEADER


@pytest.mark.parametrize("suffix", LONG)
def test_the_same_records_make_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    first = written(tmp_path, suffix).read_bytes()
    assert written(tmp_path, suffix).read_bytes() == first


def test_csv_is_what_the_contract_says(tmp_path: Path) -> None:
    text = written(tmp_path, ".csv").read_text()
    first, *lines = text.splitlines()
    assert json.loads(first.removeprefix("# ")) == HEADER
    found = list(csv.reader(io.StringIO("\n".join(lines))))
    assert found[0] == ["t", "station", "area", "unit", "signal", "value", "quality"]
    assert found[1] == ["2026-05-31T16:00:00.000Z", "jinma", "storage", "bank-HB", "PT-330A", "44.12", "good"]
    assert found[3][4:] == ["ZS-330D", "1", "good"]
    assert found[4] == ["2026-05-31T16:00:00.200Z", "jinma", "storage", "bank-HB", "PT-330A", "", "bad:null"]
    assert found[7][4:] == ["QI-611", "97.5", "uncertain:a,b"]
    assert found[9][0] == "2026-06-01T16:00:00.000Z"
    assert found[10][1:] == ["odd, name", "storage", 'bank "=%d', "A b,%s", "2.0", "good"]
    assert len(found) == 12


def test_parquet_is_what_the_contract_says(tmp_path: Path) -> None:
    table = parquet.read_table(written(tmp_path, ".parquet"))
    words = pa.dictionary(pa.int32(), pa.string())
    assert [(field.name, field.type) for field in table.schema] == [
        ("t", pa.timestamp("ms", "UTC")),
        ("station", words),
        ("area", words),
        ("unit", words),
        ("signal", words),
        ("value", pa.float64()),
        ("quality", words),
    ]
    said: list[dict[str, Any]] = table.to_pylist()
    assert len(said) == 11
    assert [row["value"] for row in said[:5]] == [44.12, 44.0, 1.0, None, 1e-7]
    assert [row["quality"] for row in said[:5]] == ["good"] * 3 + ["bad:null", "good"]
    assert json.loads(table.schema.metadata[b"log"]) == HEADER


def test_line_protocol_is_what_the_store_takes(tmp_path: Path) -> None:
    first, *lines = written(tmp_path, ".lp").read_text().splitlines()
    assert json.loads(first.removeprefix("# ")) == HEADER
    assert lines == [message_line(message) for message in MESSAGES]
    assert lines[0] == f"storage,station=jinma,unit=bank-HB PT-330A=44.12,PT-330B=44.0,ZS-330D=1.0 {T0}"


def test_bools_are_numbers_and_what_is_no_reading_stays_out(tmp_path: Path) -> None:
    topic = topics.reading("jinma", "storage", "bank-HB")
    records = [
        LogRecord(topic, b'{"t":5,"v":{"ZS-330D":true,"ZS-330E":false}}'),
        LogRecord(topic, b"not json"),
        LogRecord("h2/v1/jinma/storing/bank-HB", b'{"t":5,"v":{"A":1}}'),
    ]
    for suffix in LONG:
        path = tmp_path / f"day{suffix}"
        assert write_log(path, records, HEADER) == 3
        assert [row[3:] for row in rows(list(read_log(path)))] == [("ZS-330D", 5, 1, "good"), ("ZS-330E", 5, 0, "good")]


HEAD = "t,station,area,unit,signal,value"
FOREIGN = [
    ([HEAD, "5,s,storage,u,A,1"], {}),
    ([HEAD + ",quality", "5,s,storage,u,A,one,good", "5,s,storage,u,A,1,"], {2: "one"}),
    (
        [HEAD, "5,s,cellar,u,A,1", "5,s,storage,u,A,inf", "5,s,storage", "5,s,storage,u,A,1"],
        {2: "cellar", 3: "finite", 4: "columns"},
    ),
    (["storage,station=s,unit=u A=1i 5"], {}),
    (
        [
            "storage,station=s A=1 5",
            "storage,station=s,unit=u A=1",
            "storage,unit=u,station=s A=1 5",
            'storage,station=s,unit=u A="x" 5',
        ],
        {1: "tags", 2: "time", 4: "text"},
    ),
]


@pytest.mark.parametrize(("lines", "wrong"), FOREIGN)
def test_a_bad_row_of_a_foreign_log_is_named_and_the_others_come(
    lines: list[str], wrong: dict[int, str], tmp_path: Path
) -> None:
    path = tmp_path / "foreign"
    path.write_text("\n".join(lines) + "\n")
    told: dict[int, str] = {}
    assert rows(list(read_log(path, told.__setitem__))) == [("s", "storage", "u", "A", 5, 1, "good")]
    assert told.keys() == wrong.keys()
    for number, word in wrong.items():
        assert word in told[number]


def test_a_wide_csv_without_its_station_is_refused_in_words_and_read_by_the_station_file(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("t,PT-330A,PT-330B\n5,1,2\n")
    with pytest.raises(BadInputError, match="of which station"):
        list(read_log(path))
    assert rows(list(read_log(path, plants=[jinma()]))) == [
        ("jinma", "storage", "bank-HB", "PT-330A", 5, 1, "good"),
        ("jinma", "storage", "bank-HB", "PT-330B", 5, 2, "good"),
    ]


def test_a_table_of_others_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("Zeit;Druck\n23.11.2026 08:00:00;44,1\n")
    with pytest.raises(BadInputError, match=r"needs a mapping file \(--map\): `jinma import FILE --map-draft`"):
        list(read_log(path))


CHARACTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="/\\")
NAMES = st.text(CHARACTERS, min_size=1, max_size=8).filter(lambda name: not name.endswith(".q"))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.none()
VALUES = st.dictionaries(NAMES, NUMBERS, min_size=1, max_size=4)


@given(NAMES, NAMES, st.integers(0, 9_000_000_000_000), VALUES)
@settings(max_examples=150, deadline=None)
def test_any_name_and_number_comes_through_line_protocol(
    station: str, unit: str, t_ms: int, values: dict[str, float | None]
) -> None:
    message = UnitMessage(station, "storage", unit, t_ms, values)
    file = io.BytesIO()
    write_lines(file, log_records([message]), {})
    lines = list(enumerate(file.getvalue().splitlines(keepends=True), 1))
    told: dict[int, str] = {}
    assert rows([found.record for found in read_lines(lines, told.__setitem__)]) == rows(list(log_records([message])))
