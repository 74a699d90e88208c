"""Lines of a TOML text: whatever its layout, each key is found where it stands."""

from __future__ import annotations

import datetime as dt
import tomllib

import pytest

from station.domain.toml_lines import LineIndex
from station.domain.toml_reader import MistakeList, TomlTable, nearest

LAYOUTS = """\
# remark with [brackets] and = signs
top = 1
dotted.key = "a = [ { # no remark"
text = \"\"\"
[not.a.table]
x = 1
\"\"\"
literal = '''
]]]
'''
"quoted key" = {in = 1, 'side' = [1, 2,
  3]}

[plain] # remark
list = [
  # remark, with a comma
  {a = 1}, {a = 2, b.c = "}"},

  {a = 3},
]

[[rows]]
n = 1
[rows.sub]
deep = true
[[rows]]
[[rows.more]]
m = 1.5e3
[[rows.more]]
m = 2026-06-01T00:00:00+08:00
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("dotted", "key"), 3),
        (("text",), 4),
        (("literal",), 8),
        (("quoted key", "in"), 11),
        (("quoted key", "side", 1), 11),
        (("quoted key", "side", 2), 12),
        (("plain",), 14),
        (("plain", "list", 0, "a"), 17),
        (("plain", "list", 1, "b", "c"), 17),
        (("plain", "list", 2), 19),
        (("rows", 0, "n"), 23),
        (("rows", 0, "sub", "deep"), 25),
        (("rows", 1), 26),
        (("rows", 1, "more", 0, "m"), 28),
        (("rows", 1, "more", 1, "m"), 30),
        (("rows", 1, "more", 1, "missing"), 29),
        (("nowhere",), 1),
    ],
)
def test_lines(path: tuple[str | int, ...], line: int) -> None:
    tomllib.loads(LAYOUTS)
    assert LineIndex(LAYOUTS).line(path) == line


def test_an_empty_text_has_a_first_line() -> None:
    assert LineIndex("").line(("a",)) == 1


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("15s", 15), ("1.5m", 90), ("4h", 14400), ("2d", 172800), ("0s", 0)]
)
def test_durations(text: str, seconds: float) -> None:
    mistakes = MistakeList("")
    assert TomlTable({"d": text}, (), mistakes).duration("d") == dt.timedelta(seconds=seconds)
    assert not mistakes


@pytest.mark.parametrize("text", ["", "15", "s", "-15s", "1e3s", "15 s", "99999999d", "15sec"])
def test_what_is_no_duration(text: str) -> None:
    mistakes = MistakeList(f"d = '{text}'")
    assert TomlTable({"d": text}, (), mistakes).duration("d") == dt.timedelta()
    assert mistakes.by_line()[0].line == 1


def test_the_nearest_word_minds_no_case() -> None:
    assert nearest("degc", ["deg", "degC"]) == "; did you mean 'degC'?"
    assert nearest("suction_presure", ["suction_pressure", "flow"]) == "; did you mean 'suction_pressure'?"
    assert nearest("xyz", ["deg", "degC"]) == ""
