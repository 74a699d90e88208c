"""What alarms must do by the definition of limit and dead-band alone, held against the rows of a journal."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.alarm_table import Table

Row = tuple[str, int, str]
"""(event, station time [epoch ms], who)."""


def edges(said: Sequence[tuple[int, float]], limit: float, deadband: float) -> list[tuple[str, int]]:
    """Return what an alarm without delays does to (time, value), by the definition of a high limit."""
    found, active = [], False
    for t_ms, value in said:
        if active and value < limit - deadband:
            found.append(("cleared", t_ms))
            active = False
        elif not active and value >= limit:
            found.append(("raised", t_ms))
            active = True
    return found


def check_told(told: Sequence[tuple[str, int]], due: Sequence[tuple[str, int]], delay_ms: int) -> None:
    """Hold (event, time) of a journal against `edges`.

    Args:
        told: `raised` and `cleared` of one alarm, in the order of the rows.
        due: What must be there, without delays.
        delay_ms: On- and off-delay. A kill lets it count anew from what the broker kept, so that a change may be later
            than that, but never later than the value moved on.
    """
    if not delay_ms:
        assert not {*told} ^ {*due}, f"lost {sorted({*due} - {*told})[:4]}, not due {sorted({*told} - {*due})[:4]}"
        assert list(told) == list(due), "doubled, or out of order"
        return
    assert [event for event, _ in told] == [event for event, _ in due]
    ends = [*(t_ms for _, t_ms in due[1:]), 1 << 60]
    for (_, t_ms), (_, onset_ms), end_ms in zip(told, due, ends, strict=True):
        assert onset_ms + delay_ms <= t_ms <= end_ms


def state_by_table(rows: Sequence[Row], *, latching: bool) -> str:
    """Return the state to which rows lead, one after the other; each must be allowed where it stands."""
    table = Table(latching, safety=False)
    events = {"raised": "raise", "cleared": "clear", "acked": "ack", "shelved": "shelve", "unshelved": "unshelve"}
    for event, t_ms, who in rows:
        if event != "first_out_lost":
            assert table.do(events.get(event, event), who, for_s=3.0), (event, t_ms, table)
    return table.name
