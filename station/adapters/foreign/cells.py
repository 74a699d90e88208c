"""Cells of other people's logs: a number, a state, a sensor that failed, or nothing at all."""

from __future__ import annotations

import re
from typing import Final

from station.adapters.foreign.log_map import ColumnRule, ValueRules, folded
from station.domain.signals import BAD_NULL, GOOD

_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_BLANKS: Final = dict.fromkeys(map(ord, "\u00a0\u202f\u2009"), " ")
_MINUS: Final = "\u2212"
_LONGEST_REASON: Final = 64
_HIGHEST: Final = 1.7e308

Reading = tuple[float | None, str]
"""Value, None where the sensor failed, and quality."""


def reading_of(text: str, said: str | None, rule: ColumnRule, rules: ValueRules) -> Reading | None:
    """Return what a cell says, None where it says nothing.

    Args:
        text: The cell.
        said: The cell of its quality, None where the log has none.
        rule: Of its column.
        rules: Of all cells.

    Raises:
        ValueError: It is nothing that the rules know; the text is named.
    """
    quality = GOOD if said is None else _quality(said, rules)
    if rule.states and (state := rule.states.get(folded(text))) is not None:
        return state, quality
    number = _number(text, rules)
    if number is not None:
        value = rule.convert(number)
        if not -_HIGHEST <= value <= _HIGHEST:
            raise ValueError(f"{text[:40]!r} is too large a number")
        return value, quality
    word = folded(text)
    if word in rules.skip or (word not in rules.bad and rules.text == "skip"):
        return None
    if word in rules.bad:
        return None, quality if quality.startswith("bad:") else BAD_NULL
    if rules.text == "bad":
        return None, f"bad:{_plain(text)}"
    raise ValueError(f"{text[:40]!r} is no number{_hint(text, rules, rule)}")


def _quality(said: str, rules: ValueRules) -> str:
    quality = rules.quality.get(folded(said))
    if quality is None:
        raise ValueError(f"quality {said[:40]!r} is unknown: write it under [values.quality]")
    return quality


def _number(text: str, rules: ValueRules) -> float | None:
    """Return the number of a cell, None where it is none. `float` alone would take nan, 1_5 and Chinese digits."""
    if rules.thousands or rules.decimal_comma or not text.isascii():
        text = text.translate(_BLANKS).replace(_MINUS, "-")
        if rules.thousands:
            text = text.replace(rules.thousands, "")
        if rules.decimal_comma:
            text = text.replace(".", "\0").replace(",", ".")
    return float(text) if _NUMBER.fullmatch(text) else None


def _plain(text: str) -> str:
    """Return a text as a reason may be."""
    return "".join(c for c in text.replace(":", " ") if c.isprintable())[:_LONGEST_REASON].strip() or "text"


def _hint(text: str, rules: ValueRules, rule: ColumnRule) -> str:
    if not rules.decimal_comma and _NUMBER.fullmatch(text.replace(",", ".")):
        return '; [values] decimal = "comma" or thousands = "comma" would read it'
    if rules.decimal_comma and _NUMBER.fullmatch(text):
        return '; it has a point where [values] decimal = "comma" was said'
    if rule.signal.kind.is_discrete:
        return "; write it under states of its column"
    return ""
