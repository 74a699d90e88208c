from __future__ import annotations

import json
from pathlib import Path

import pytest

from station.adapters.log_files import (
    MAX_LINE_BYTES,
    NULL,
    LogRecord,
    count_lines,
    log_records,
    read_log,
    read_log_header,
    write_log,
)
from station.domain.signals import UnitMessage
from station.errors import BadInputError

HEADER = {"version": "0.1.0", "station": "jinma", "seed": 1}
RECORDS = [
    LogRecord("h2/v1/jinma/storage/bank-HB", b'{"t":1,"v":{"PT-330A":44.12}}'),
    LogRecord("h2/v1/jinma/storage/bank-HB", b'{"t":2,"v":{"PT-330A":44.1}}', 1_780_243_200_123),
    LogRecord("h2/v1/jinma/plan/2026-06-01", b'{"trucks":[],"trailers":[]}'),
]


def bad_lines(path: Path) -> tuple[list[LogRecord], dict[int, str]]:
    wrong: dict[int, str] = {}
    return list(read_log(path, wrong.__setitem__)), wrong


@pytest.mark.parametrize("name", ["day.ndjson", "day.ndjson.gz", "day.ndjson.zst"])
def test_what_is_written_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert write_log(path, iter(RECORDS), HEADER) == 3
    assert list(read_log(path)) == RECORDS
    assert read_log_header(path) == HEADER


@pytest.mark.parametrize("name", ["day.ndjson", "day.ndjson.gz", "day.ndjson.zst"])
def test_the_same_records_make_the_same_bytes(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for folder in ("a", "b"):
        write_log(tmp_path / folder / name, RECORDS, HEADER)
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "lines"), [("day.ndjson", 4), ("day.csv", 4), ("day.parquet", 2), ("day.ndjson.gz", None)]
)
def test_a_log_says_how_long_it_is_where_that_costs_nothing(tmp_path: Path, name: str, lines: int | None) -> None:
    write_log(tmp_path / name, RECORDS, HEADER)
    assert count_lines(tmp_path / name) == lines


def test_each_line_is_json_of_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "day.ndjson"
    write_log(path, RECORDS, HEADER)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0] == {"log": HEADER}
    assert lines[1] == {"topic": RECORDS[0].topic, "payload": {"t": 1, "v": {"PT-330A": 44.12}}}
    assert lines[2]["received"] == 1_780_243_200_123


def test_pairs_and_messages_are_written_too(tmp_path: Path) -> None:
    path = tmp_path / "day.ndjson"
    write_log(path, [("a/b", b"{}")], {})
    assert list(read_log(path)) == [LogRecord("a/b", b"{}")]
    message = UnitMessage("jinma", "storage", "bank-HB", 5, {"PT-330A": 44.1, "PT-330B": None}, {}, "b1", 7)
    write_log(path, log_records([message]), {})
    [record] = read_log(path)
    assert record.topic == "h2/v1/jinma/storage/bank-HB"
    assert json.loads(record.payload) == {"t": 5, "boot": "b1", "seq": 7, "v": {"PT-330A": 44.1, "PT-330B": None}}


def test_a_payload_stays_on_one_line_and_what_is_no_json_becomes_a_text(tmp_path: Path) -> None:
    path = tmp_path / "day.ndjson"
    write_log(path, [("a", b'{\n "t": 1\r\n}'), ("b", "not json \u91d1\n".encode()), ("c", b"\xff{")], HEADER)
    assert len(path.read_bytes().splitlines()) == 4
    payloads = [record.payload for record in read_log(path)]
    assert json.loads(payloads[0]) == {"t": 1}
    assert payloads[1:] == ["not json \u91d1\n".encode(), b"\\xff{"]


def test_a_bad_line_is_named_and_the_others_come(tmp_path: Path) -> None:
    path = tmp_path / "day.ndjson"
    good = b'{"topic":"a","payload":{"t":1}}\n'
    lines = [
        good,
        b'{"topic":"a","payload":{"t":1}\n',
        b'{"payload":{"t":1}}\n',
        b"\n",
        b'{"topic":"a"}\n',
        b'{"topic":5,"payload":{}}\n',
        b'{"topic":"a","payload":{},"received":"yesterday"}\n',
        b"\xff\xfe\n",
        b'{"topic":"' + b"a" * (2 * MAX_LINE_BYTES) + b'"}\n',
        b"[]\n",
        good.strip(),
    ]
    path.write_bytes(b"".join(lines))
    records, wrong = bad_lines(path)
    assert records == [LogRecord("a", b'{"t":1}')] * 2
    assert sorted(wrong) == [2, 3, 5, 6, 7, 8, 9, 10]
    assert "topic" in wrong[3]
    assert "bytes long" in wrong[9]


def test_a_log_without_a_header_with_a_mark_and_with_times_as_text_is_read(tmp_path: Path) -> None:
    path = tmp_path / "foreign.log"
    path.write_bytes(b'\xef\xbb\xbf{"topic":"a","payload":{"t":1},"received":"2026-06-01T00:00:00+08:00","more":1}\r\n')
    assert list(read_log(path)) == [LogRecord("a", b'{"t":1}', 1_780_243_200_000)]
    assert read_log_header(path) is None


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_packing_is_known_by_its_bytes_and_one_cut_short_gives_what_it_has(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / "cut.ndjson"
    records = [("a", b'{"t":%d}' % n) for n in range(50_000)]
    write_log(tmp_path / f"whole.ndjson{suffix}", records, HEADER)
    packed = (tmp_path / f"whole.ndjson{suffix}").read_bytes()
    path.write_bytes(packed[: len(packed) // 2])
    found, wrong = bad_lines(path)
    assert 1000 < len(found) < 50_000
    assert [record.payload for record in found[:2]] == [b'{"t":0}', b'{"t":1}']
    assert "unpacked" in wrong[max(wrong)]


def test_an_empty_log_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty.ndjson"
    path.write_bytes(b"")
    assert list(read_log(path)) == []
    assert read_log_header(path) is None


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"nowhere\.ndjson"):
        list(read_log(tmp_path / "nowhere.ndjson"))
    with pytest.raises(BadInputError, match="cannot write"):
        write_log(tmp_path / "no" / "folder.ndjson", [], HEADER)


@pytest.mark.parametrize("name", ["day.log", "ndjson", "day.parquet.gz", "day.csv.zip"])
def test_a_suffix_that_tells_no_format_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"must end in \.ndjson, \.csv, \.lp"):
        write_log(tmp_path / name, [], HEADER)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_kept_of_what_is_only_counted() -> None:
    assert write_log(Path(NULL), iter(RECORDS), HEADER) == 3
    assert not Path(NULL).exists()
