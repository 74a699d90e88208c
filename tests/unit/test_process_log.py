"""The same line at most ten times a minute, and a word on how many were left out."""

from __future__ import annotations

import pytest
import structlog

from cli.process_log import Seldom


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_flood_is_ten_lines_a_minute_and_nothing_else_is_held_back() -> None:
    clock = Clock()
    seldom = Seldom(clock)

    def passed(event: str) -> structlog.types.EventDict | None:
        try:
            return seldom(None, "warning", {"event": event})
        except structlog.DropEvent:
            return None

    assert sum(passed("refused") is not None for _ in range(500)) == 10
    assert passed("another") is not None
    clock.now = 59.0
    assert passed("refused") is None
    clock.now = 60.0
    first = passed("refused")
    assert first is not None
    assert first["left_out"] == 491
    second = passed("refused")
    assert second is not None
    assert "left_out" not in second


def test_kinds_without_end_take_no_memory() -> None:
    seldom = Seldom(Clock())
    for number in range(5000):
        seldom(None, "warning", {"event": f"kind {number}"})
    for _ in range(10):
        seldom(None, "warning", {"event": "kind 1"})
    with pytest.raises(structlog.DropEvent):
        seldom(None, "warning", {"event": "kind 1"})


def test_what_is_only_told_is_never_left_out() -> None:
    seldom = Seldom(Clock())
    assert all(seldom(None, "info", {"event": "fault started"}) for _ in range(30))
