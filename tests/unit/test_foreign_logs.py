"""Other people's logs by a mapping file: encodings, separators, times, units, words, remarks (docs/logs.md)."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from station.adapters.foreign.draft import draft_map
from station.adapters.foreign.log_map import LogMapError, load_log_map
from station.adapters.foreign.reading import columns_left_out
from station.adapters.log_files import find_messages, read_log
from station.domain.signals import UnitMessage
from station.domain.units import unit_named
from station.errors import BadInputError
from station.wire import json_v1, topics
from tests.support.plants import jinma

T0 = 1_795_420_800_000  # 2026-11-23 08:00:00 UTC, 16:00 at the station
Row = tuple[str, int, float | None, str]
HEAD = 'format = 1\nstation = "jinma"\n'
LOCAL = '[time]\ncolumn = "time"\nformat = "iso"\n'
ONE = '[columns]\n"p" = "PT-330A"\n'


def taken(path: Path, text: str) -> tuple[list[Row], dict[int, str]]:
    """The readings of a log by a mapping, and what was refused by line."""
    refused: dict[int, str] = {}

    def refuse(line: int, _reason: str, said: str) -> None:
        refused[line] = said

    found = []
    for one in find_messages(path, refuse, rules=load_log_map(text, "map.toml", [jinma()])):
        topic = topics.parse_reading(one.record.topic)
        assert topic is not None
        said = json_v1.decode(one.record.payload)
        assert not said.refusals
        message = UnitMessage(*topic, said.t_ms, said.values, said.quality)
        assert {jinma().signals[tag].key for tag in said.values} == {message.key}
        found += [(r.signal, r.t_ms, r.value, r.quality) for r in message.readings()]
    return found, refused


def written(tmp_path: Path, text: str, encoding: str = "utf-8", name: str = "log.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def values(tmp_path: Path, log: str, text: str, encoding: str = "utf-8") -> list[Row]:
    found, refused = taken(written(tmp_path, log, encoding), HEAD + text)
    assert refused == {}
    return found


GERMAN = (
    "Anlage: Wasserstofftankstelle;;;\r\nBericht vom 23.11.2026;;;\r\n\r\n"
    "Datum;Uhrzeit;Druck HB [bar];Temperatur HB [°C];Bemerkung\r\n"
    '23.11.2026;16:00:00;441,2;21,5;"Start; Schicht ""A"""\r\n'
    "23.11.2026;16:00:01;441,0;---;\r\n"
    "23.11.2026;16:00:04;1.441,0;21,6;drei Zeilen fehlen\r\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_german_export_whatever_its_encoding(tmp_path: Path, encoding: str) -> None:
    text = HEAD + (
        '[time]\ncolumn = ["Datum", "Uhrzeit"]\nformat = "%d.%m.%Y %H:%M:%S"\n'
        '[values]\ndecimal = "comma"\nthousands = "point"\n'
        '[columns]\n"Druck HB [bar]" = {signal="PT-330A", unit="bar"}\n'
        '"Temperatur HB [°C]" = {signal="TT-330C", unit="°C"}\n'
    )
    path = written(tmp_path, GERMAN, encoding)
    assert taken(path, text) == (
        [
            ("PT-330A", T0, 44.12, "good"),
            ("TT-330C", T0, 21.5, "good"),
            ("PT-330A", T0 + 1000, 44.1, "good"),
            ("TT-330C", T0 + 1000, None, "bad:null"),
            ("PT-330A", T0 + 4000, 144.1, "good"),
            ("TT-330C", T0 + 4000, 21.6, "good"),
        ],
        {},
    )
    assert columns_left_out(path, load_log_map(text, "map", [jinma()])) == ["Bemerkung"]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig"])
def test_a_chinese_export_with_its_words(tmp_path: Path, encoding: str) -> None:
    log = (
        "时间,高压瓶组压力（ＭPa）,数据质量,1号枪状态,进气阀,备注\n"
        "2026年11月23日 16:00:00,44.12,良好,空闲,开,正常运行\n"
        "2026年11月23日 16:00:01,44.10,可疑,加注,关,\n"
        "2026年11月23日 16:00:02,坏值,坏,故障,开,变送器检修\n"
    )
    text = (
        '[time]\ncolumn = "时间"\nformat = "%Y年%m月%d日 %H:%M:%S"\n'
        '[columns]\n"高压瓶组压力(MPa)" = {signal="PT-330A", unit="MPa", quality="数据质量"}\n'
        '"1号枪状态" = {signal="XS-518A", states={"加注"="fill"}}\n'
        '"进气阀" = {signal="ZS-330D", states={"开"=1, "关"=0}}\n'
    )
    states = [jinma().signals["XS-518A"].state_number(name) for name in ("idle", "fill", "fault")]
    found = values(tmp_path, log, text, encoding)
    assert [row for row in found if row[0] == "PT-330A"] == [
        ("PT-330A", T0, 44.12, "good"),
        ("PT-330A", T0 + 1000, 44.1, "uncertain"),
        ("PT-330A", T0 + 2000, None, "bad:null"),
    ]
    assert [row[2] for row in found if row[0] == "XS-518A"] == states  # two of them by the station file's own words
    assert [row[2] for row in found if row[0] == "ZS-330D"] == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_any_separator_and_line_end(tmp_path: Path, separator: str, end: str) -> None:
    rows = [["time", "p", "remark"], ["2026-11-23 16:00:00", "44.12", ""], ["2026-11-23 16:00:01", "44.1", "x"]]
    log = end.join(separator.join(row) for row in rows)
    assert values(tmp_path, log, LOCAL + ONE) == [("PT-330A", T0, 44.12, "good"), ("PT-330A", T0 + 1000, 44.1, "good")]


@pytest.mark.parametrize(
    ("rule", "texts"),
    [
        ('format = "iso"', ("2026-11-23T16:00:00+08:00", "2026-11-23T08:00:01Z", "2026-11-23 16:00:02.000")),
        (
            'format = "iso"\ntimezone = "Europe/Berlin"',
            ("2026-11-23 09:00:00", "20261123T090001", "2026-11-23T09:00:02"),
        ),
        (
            'format = ["%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S"]',
            ("23.11.2026 16:00", "23.11.2026 16:00:01", "23.11.2026 16:00:02"),
        ),
        (
            'format = "%Y/%m/%d %I:%M:%S %p"',
            ("2026/11/23 04:00:00 PM", "2026/11/23 4:00:01 下午", "2026/11/23 04:00:02 pm"),
        ),
        (
            'format = "%Y-%m-%d %H:%M:%S,%f"',
            ("2026-11-23 16:00:00,000", "2026-11-23 16:00:01,0", "2026-11-23 16:00:02,000"),
        ),
        ('format = "seconds"\nstart = "2026-11-23T16:00:00+08:00"', ("0.000", "1", "2,0")),
        ('format = "seconds"\nstart = "2026-11-23 16:00:00"', ("0", "1", "2")),
        ('format = "seconds"\nstart = 2026-11-23T16:00:00', ("0", "1", "2e0")),
        ('format = "minutes"\nstart = "2026-11-23T16:00:00+08:00"', ("0", "0.0166666667", "0.0333333333")),
        ('format = "ms"\nstart = "2026-11-23T08:00:00Z"', ("0", "1000", "2000")),
        ('format = "unix"', (f"{T0 // 1000}", f"{T0 // 1000 + 1}.0", f"{T0 / 1000 + 2:.3f}")),
        ('format = "unix_ms"', (f"{T0}", f"{T0 + 1000}", f"{T0 + 2000}")),
        ('format = "unix_ns"', (f"{T0}000000", f"{T0 + 1000}000000", f"{T0 + 2000}000000")),
        ('format = "excel"', ("46349.6666666667", "46349.6666782407", "46349.6666898148")),
    ],
)
def test_any_spelling_of_time(tmp_path: Path, rule: str, texts: tuple[str, ...]) -> None:
    log = "time;p\n" + "".join(f"{text};{n}\n" for n, text in enumerate(texts))
    found = values(tmp_path, log, f'[time]\ncolumn = "time"\n{rule}\n' + ONE)
    assert [(row[1] - T0, row[2]) for row in found] == [(0, 0.0), (1000, 1.0), (2000, 2.0)]


def test_the_hour_that_comes_twice_and_the_one_that_never_comes(tmp_path: Path) -> None:
    log = "time,p\n" + "".join(
        f"2026-10-25 {text},{n}\n" for n, text in enumerate(("01:59", "02:30", "02:59", "02:00", "02:30", "03:00"))
    )
    found = values(tmp_path, log, LOCAL + 'timezone = "Europe/Berlin"\n' + ONE)
    minutes = [(row[1] - found[0][1]) // 60_000 for row in found]
    assert minutes == [0, 31, 60, 61, 91, 121]
    path = written(tmp_path, "time,p\n2026-03-29 01:59:59,1\n2026-03-29 02:30:00,2\n2026-03-29 03:00:00,3\n")
    rows, refused = taken(path, HEAD + LOCAL + 'timezone = "Europe/Berlin"\n' + ONE)
    assert [row[1] - rows[0][1] for row in rows] == [0, 1000]
    assert "does not exist in Europe/Berlin" in refused[3]


@pytest.mark.parametrize(
    ("signal", "unit", "said", "value"),
    [
        ("PT-330A", "Pa", "4.41234e+07", 44.1234),
        ("PT-330A", "bar", "441.2", 44.12),
        ("PT-330A", "barg", "440", 44.101325),
        ("PT-330A", "kPa", "44120", 44.12),
        ("PT-330A", "psi", "6000", 41.368543758),
        ("PT-330A", "MPa(G)", "44", 44.101325),
        ("TT-330C", "K", "297.294", 24.144),
        ("TT-330C", "℃", "-38.5", -38.5),
        ("TT-330C", "°F", "68", 20.0),
        ("FT-515A", "kg/s", "0.00142128", 1.42128),
        ("FT-515A", "kg/min", "3.6", 60.0),
        ("FT-515A", "g/s", ".5", 0.5),
        ("FQ-516A", "Nm3", "1113", 100.0),
        ("AT-710A", "vol%", "0.4", 10.0),
    ],
)
def test_any_unit(tmp_path: Path, signal: str, unit: str, said: str, value: float) -> None:
    if signal not in jinma().signals:
        signal = next(tag for tag, own in jinma().signals.items() if own.unit_of_measure == "%LEL")
    log = f"time,p\n2026-11-23 16:00:00,{said}\n"
    text = LOCAL + f'[columns]\np = {{signal="{signal}", unit="{unit}"}}\n'
    assert values(tmp_path, log, text) == [(signal, T0, value, "good")]


def test_scale_and_offset_where_no_unit_says_it(tmp_path: Path) -> None:
    text = LOCAL + '[columns]\np = {signal="PT-330A", scale=0.003125, offset=-12.5}\n'  # 4..20 mA of a raw counter
    assert values(tmp_path, "time,p\n2026-11-23 16:00:00,20000\n", text) == [("PT-330A", T0, 50.0, "good")]


WORDS = "time,p\n" + "".join(
    f"2026-11-23 16:00:0{n},{text}\n" for n, text in enumerate(["44.1", "---", "", "NaN", "Comm Fail", "1_5", "-Inf"])
)


@pytest.mark.parametrize(
    ("rules", "qualities", "refused"),
    [
        ("", {0: "good", 1: "bad:null", 2: "bad:null", 3: "bad:null", 6: "bad:null"}, [6, 7]),
        (
            'text = "bad"',
            {0: "good", **dict.fromkeys((1, 2, 3, 6), "bad:null"), 4: "bad:Comm Fail", 5: "bad:1_5"},
            [],
        ),
        ('text = "skip"\nskip = ["", "---"]', {0: "good", 3: "bad:null", 6: "bad:null"}, []),
        ('bad = ["---"]\nskip = [""]', {0: "good", 1: "bad:null"}, [5, 6, 7, 8]),
    ],
)
def test_what_is_no_number_goes_by_the_rule(
    tmp_path: Path, rules: str, qualities: dict[int, str], refused: list[int]
) -> None:
    found, told = taken(written(tmp_path, WORDS), HEAD + LOCAL + f"[values]\n{rules}\n" + ONE)
    assert {(row[1] - T0) // 1000: row[3] for row in found} == qualities
    assert all((row[2] is None) == (row[3] != "good") for row in found)
    assert sorted(told) == refused
    assert all("column 'p'" in text for text in told.values())


def test_a_row_a_reading_by_tag_in_order_of_time(tmp_path: Path) -> None:
    log = (
        "TagName;Zeitstempel;Wert;Status\n"
        + "".join(f"PT_HB;2026-11-23 16:00:{n:02};{440 + n},5;192\n" for n in range(3))
        + "unknown;2026-11-23 16:00:00;1;192\n"
        + "".join(f"TT_HB;2026-11-23 16:00:{n:02};{20 + n},5;{(192, 64, 0)[n]}\n" for n in range(3))
    )
    text = HEAD + (
        '[time]\ncolumn = "Zeitstempel"\nformat = "iso"\n[values]\ndecimal = "comma"\n'
        '[long]\ntag = "TagName"\nvalue = "Wert"\nquality = "Status"\n'
        '[columns]\nPT_HB = {signal="PT-330A", unit="bar"}\nTT_HB = {signal="TT-330C", unit="°C"}\n'
    )
    path = written(tmp_path, log)
    found, refused = taken(path, text)
    assert refused == {}
    assert found == [
        *(("PT-330A", T0 + 1000 * n, round(44.05 + n / 10, 2), "good") for n in range(3)),
        *(("TT-330C", T0 + 1000 * n, 20.5 + n, ("good", "uncertain", "bad")[n]) for n in range(3)),
    ]
    times = [json_v1.decode(one.payload).t_ms for one in read_log(path, rules=load_log_map(text, "map", [jinma()]))]
    assert times == sorted(times)
    assert len(times) == 6


def test_quotes_over_lines_and_quotes_that_do_not_end(tmp_path: Path) -> None:
    log = (
        "time,p,remark\n"
        '2026-11-23 16:00:00,1,"first line\nsecond, line"\n'
        '2026-11-23 16:00:01,2,"never closed\n'
        "2026-11-23 16:00:02,3,\n"
        '2026-11-23 16:00:03,"4",ok\n'
        '2026-11-23 16:00:04,5,"ab"c\n'
        "2026-11-23 16:00:05,6,"
    )
    found, refused = taken(written(tmp_path, log), HEAD + LOCAL + ONE)
    assert [row[2] for row in found] == [1.0, 3.0, 4.0, 6.0]
    assert list(refused) == [4, 7]


def test_short_rows_only_where_it_is_said(tmp_path: Path) -> None:
    path = written(
        tmp_path, "time,p,remark\n2026-11-23 16:00:00,1\n2026-11-23 16:00:01,2,x\n2026-11-23 16:00:02,3,x,\n"
    )
    found, refused = taken(path, HEAD + LOCAL + ONE)
    assert [row[2] for row in found] == [2.0, 3.0]
    assert refused == {2: "has 2 cells, 3 columns are named"}
    found, refused = taken(path, HEAD + "short_rows = true\n" + LOCAL + ONE)
    assert [row[2] for row in found] == [1.0, 2.0, 3.0]


def test_repeated_headers_no_header_and_a_packed_log(tmp_path: Path) -> None:
    log = "time,p\n2026-11-23 16:00:00,1\n"
    assert [row[2] for row in values(tmp_path, log + log, LOCAL + ONE)] == [1.0, 1.0]
    numbered = 'header = false\n[time]\ncolumn = "1"\nformat = "iso"\n[columns]\n"2" = "PT-330A"\n'
    assert values(tmp_path, "2026-11-23 16:00:00,1\n", numbered) == [("PT-330A", T0, 1.0, "good")]
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(log.encode()))
    assert taken(path, HEAD + LOCAL + ONE) == ([("PT-330A", T0, 1.0, "good")], {})


@pytest.mark.parametrize(
    ("log", "text"),
    [
        ("time,q\n1,2\n", r"it has no column 'p'; line 1 has time, q"),
        ("time,pp\n1,2\n", "did you mean 'pp'"),
        ("a,b\n1,2\n", "it has no column 'time', 'p'; no line names any"),
        ("", "has no column"),
        ("time,p,p\n1,2,3\n", r"columns \[2, 3\] are all called 'p'"),
        ("PK\x03\x04rest", "save the sheet as csv"),
    ],
)
def test_a_log_that_does_not_fit_its_mapping_is_told(tmp_path: Path, log: str, text: str) -> None:
    with pytest.raises(BadInputError, match=text):
        taken(written(tmp_path, log), HEAD + LOCAL + ONE)


MISTAKES = [
    ('format = 2\nstation = "jinma"\n' + LOCAL + ONE, 1, "newer"),
    ('format = 1\nstation = "jinna"\n' + LOCAL + ONE, 2, r"has no station file.*name it with --plant"),
    (HEAD + 'encoding = "utf-9"\n' + LOCAL + ONE, 3, "encoding"),
    (HEAD + 'separator = ";"\n' + LOCAL + ONE, 3, "separator"),
    (HEAD + 'sepparator = "tab"\n' + LOCAL + ONE, 3, "did you mean 'separator'"),
    (HEAD + '[time]\ncolumn = "t"\nformat = "%H:%M"\n' + ONE, 5, "year, month and day"),
    (HEAD + '[time]\ncolumn = "t"\nformat = "sec"\n' + ONE, 5, "unknown"),
    (HEAD + '[time]\ncolumn = "t"\nformat = "seconds"\n' + ONE, 3, "'start' is missing"),
    (HEAD + '[time]\ncolumn = "t"\nformat = "seconds"\nstart = "noon"\n' + ONE, 6, "start 'noon'"),
    (HEAD + '[time]\ncolumn = "t"\nformat = "iso"\ntimezone = "Mars"\n' + ONE, 6, "timezone"),
    (HEAD + LOCAL + '[columns]\np = "PT-330X"\n', 7, "did you mean"),
    (HEAD + LOCAL + '[columns]\np = {signal="PT-330A", unit="kg"}\n', 7, "cannot become MPa.*known are Pa"),
    (HEAD + LOCAL + '[columns]\np = {signal="PT-330A", unit="furlong"}\n', 7, "cannot become MPa"),
    (HEAD + LOCAL + '[columns]\np = "PT-330A"\nq = "PT-330A"\n', 8, "taken by column 'p'"),
    (HEAD + LOCAL + '[columns]\np = {signal="XS-518A", states={a="fil"}}\n', 7, "did you mean 'fill'"),
    (HEAD + LOCAL + '[columns]\np = {signal="XS-518A", states={a=8}}\n', 7, "from 0 to 7"),
    (HEAD + LOCAL + '[columns]\np = {signal="PT-330A", states={a=1}}\n', 7, "no states"),
    (HEAD + LOCAL + "[columns]\n", 6, "names no column"),
    (HEAD + LOCAL + '[values]\ntext = "drop"\n' + ONE, 7, "text 'drop' is unknown"),
    (HEAD + LOCAL + '[values]\nquality = {x = "fine"}\n' + ONE, 7, "good, uncertain or bad"),
    (HEAD + LOCAL + '[values]\ndecimal = "comma"\nthousands = "comma"\n' + ONE, 8, "the same mark"),
    (HEAD + LOCAL + '[long]\ntag = "T"\n' + ONE, 6, "'value' is missing"),
    (HEAD + "[time\n", 3, "not TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "what"), MISTAKES)
def test_a_mistake_of_a_mapping_file_has_its_line(text: str, line: int, what: str) -> None:
    with pytest.raises(LogMapError, match=what) as caught:
        load_log_map(text, "map.toml", [jinma()])
    assert line in [mistake.line for mistake in caught.value.mistakes]


def test_the_mapping_of_the_guide_is_right() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "logs.md").read_text(encoding="utf-8")
    whole, long = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    assert len(load_log_map(whole, "docs/logs.md", [jinma()]).columns) == 4
    rules = load_log_map(whole.partition("[columns]")[0] + long, "docs/logs.md", [jinma()])
    assert rules.long is not None
    said = re.search(r"\*\*Units\*\* become the station file's: (.*?) and others", guide, re.DOTALL)
    assert said is not None
    named = re.findall(r"[A-Za-z][\w/]*", re.sub(r"\(absolute;|are over [\d.]+ kPa\)", "", said[1]))
    assert len(named) > 30
    assert [name for name in named if unit_named(name) is None] == []


def test_a_draft_needs_only_its_signals(tmp_path: Path) -> None:
    path = written(tmp_path, GERMAN.replace(";16:00", " 16:00").replace("Datum;Uhrzeit", "Zeit"), "cp1252")
    draft = draft_map(path, jinma())
    assert 'separator = "semicolon"' in draft
    assert 'format = "%d.%m.%Y %H:%M:%S"' in draft
    assert 'decimal = "comma"' in draft
    lines = [line for line in draft.splitlines() if "Bemerkung" not in line]
    filled = "\n".join(lines).replace('signal="", unit="bar"', 'signal="PT-330A", unit="bar"')
    filled = filled.replace('signal="", unit="degC"', 'signal="TT-330C", unit="degC"')
    found, refused = taken(path, filled)
    assert found[:2] == [("PT-330A", T0, 44.12, "good"), ("TT-330C", T0, 21.5, "good")]
    assert list(refused) == [7]  # 1.441,0: nobody said that points stand between thousands
