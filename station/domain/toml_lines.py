"""Which line of a TOML text each table, key and array element stands on.

`tomllib` gives values without lines, and a mistake without a line is hard to find in a file of a thousand. The index
walks a text that `tomllib` has accepted, so it need not check the grammar again; it is made only when there is
something to report.
"""

from __future__ import annotations

import re
from bisect import bisect_right

Path = tuple[str | int, ...]
"""Keys and array positions from the root to a value: `("units", 3, "signals", 0, "LL")`."""

_TOKEN = re.compile(
    r"""
    (?P<skip>[ \t\r]+|\#[^\n]*)
  | (?P<newline>\n)
  | (?P<text>\"{3}(?:\\.|[^\\])*?\"{3,5}|'{3}.*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')
  | (?P<mark>[\[\]{}=,.])
  | (?P<bare>[^\s\[\]{}=,."'\#]+)
    """,
    re.DOTALL | re.VERBOSE,
)


class LineIndex:
    """Lines (1 = first) of everything in one TOML text.

    Args:
        text: A text that `tomllib.loads` accepts.
    """

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._tokens = [(m.lastgroup, m.group(), m.start()) for m in _TOKEN.finditer(text) if m.lastgroup != "skip"]
        self._at = 0
        self._lines: dict[Path, int] = {}
        self._array_lengths: dict[Path, int] = {}
        self._walk()

    def line(self, path: Path) -> int:
        """Return the line of `path`, or of the nearest thing around it that is written down; 1 for the root."""
        for length in range(len(path), 0, -1):
            found = self._lines.get(path[:length])
            if found is not None:
                return found
        return 1

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _here(self) -> int:
        return bisect_right(self._starts, self._tokens[min(self._at, len(self._tokens) - 1)][2])

    def _walk(self) -> None:
        table: Path = ()
        while self._at < len(self._tokens):
            if self._peek() == "\n":
                self._at += 1
            elif self._peek() == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path:
        line = self._here()
        self._at += 1
        is_array = self._peek() == "["
        self._at += is_array
        keys = self._keys()
        self._at += 2 if is_array else 1
        path: Path = ()
        for position, key in enumerate(keys):
            path = (*path, key)
            if is_array and position == len(keys) - 1:
                self._array_lengths[path] = self._array_lengths.get(path, 0) + 1
                self._lines.setdefault(path, line)
            if path in self._array_lengths:
                path = (*path, self._array_lengths[path] - 1)
            self._lines.setdefault(path, line)
        return path

    def _keys(self) -> list[str]:
        keys = [_plain(self._take())]
        while self._peek() == ".":
            self._at += 1
            keys.append(_plain(self._take()))
        return keys

    def _pair(self, table: Path) -> None:
        line = self._here()
        path = table
        for key in self._keys():
            path = (*path, key)
            self._lines.setdefault(path, line)
        self._at += 1  # the equals sign
        self._value(path)

    def _value(self, path: Path) -> None:
        if self._peek() == "[":
            self._array(path)
        elif self._peek() == "{":
            self._inline_table(path)
        else:
            while self._at < len(self._tokens) and self._peek() not in {",", "]", "}", "\n"}:
                self._at += 1

    def _array(self, path: Path) -> None:
        self._at += 1
        position = 0
        while self._at < len(self._tokens) and self._peek() != "]":
            if self._peek() in {",", "\n"}:
                self._at += 1
                continue
            self._lines[(*path, position)] = self._here()
            self._value((*path, position))
            position += 1
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while self._at < len(self._tokens) and self._peek() != "}":
            if self._peek() in {",", "\n"}:
                self._at += 1
            else:
                self._pair(path)
        self._at += 1


def _plain(key: str) -> str:
    """Return a key without its quotes; escapes in keys are not resolved (a line index may miss, never fail)."""
    return key[1:-1] if key[:1] in {'"', "'"} else key
