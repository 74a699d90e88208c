"""How points reach InfluxDB 2: as lines, in pieces that it likes, down to the one that it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from influxdb_client.rest import ApiException

from station.adapters.influx_answers import Line, said_reason, young_enough
from station.adapters.influx_lines import InfluxLines
from station.adapters.influx_minutes import LATE
from station.adapters.line_protocol import joined_lines, message_line, point_line
from station.adapters.point_rules import refusal
from station.domain.signals import UnitMessage
from station.errors import PointsRefusedError
from station.ports import ServicePoint

NOT_LATE_MS = 120_000
"""What is written within two minutes is met by the task that works out the last three; what is older is marked."""

HOUR_MS = 3_600_000
_MARK_AGAIN_MS = 30_000

LINES_PER_WRITE = 5000
"""InfluxDB's own advice; larger bodies gain nothing and cost more when one line of them is refused."""

_DROPPED = re.compile(r"dropped[ =](\d+)")


class InfluxWriting(InfluxLines):
    """Writes messages and points of our services; `now_ms` is wall time, epoch ms."""

    def __init__(self, url: str, token: str, org: str, bucket: str, now_ms: Callable[[], int]) -> None:
        super().__init__(url, token, org, bucket)
        self._now_ms = now_ms
        self._marked: dict[tuple[str, int], int] = {}

    def write(self, messages: Sequence[UnitMessage]) -> None:
        """Store messages; see `ReadingStore.write`."""
        self._ready()
        refused: dict[int, str] = {}
        for first in range(0, len(messages), LINES_PER_WRITE):
            self._write_piece(messages[first : first + LINES_PER_WRITE], first, refused)
        self._mark_late([message for index, message in enumerate(messages) if index not in refused])
        if refused:
            raise PointsRefusedError(refused)

    def _write_piece(self, messages: Sequence[UnitMessage], first: int, refused: dict[int, str]) -> None:
        unfit: dict[int, str] = {}
        body = joined_lines(messages, unfit)
        if body is not None:
            with self._faults():
                reason = self._refusal(body) if body else None
            if reason is None:
                refused.update({first + index: why for index, why in unfit.items()})
                return
        lines: list[Line] = []  # line by line, so that each has its index
        for index, message in enumerate(messages, first):
            if why := refusal(message):
                refused[index] = why
            else:
                lines.append((index, message_line(message)))
        self._post(lines, refused)

    def _mark_late(self, messages: Sequence[UnitMessage]) -> None:
        """Name the hours whose minutes are to be put right; a crash before it writes the batch, and this, again."""
        now_ms = self._now_ms()
        hours = {
            (message.station, message.t_ms - message.t_ms % HOUR_MS)
            for message in messages
            if 0 <= message.t_ms < now_ms - NOT_LATE_MS
        }
        hours = {hour for hour in hours if self._marked.get(hour, 0) < now_ms - _MARK_AGAIN_MS}
        if hours:
            marks = [ServicePoint(LATE, {"station": station}, {"written": now_ms}, t_ms) for station, t_ms in hours]
            refused: dict[int, str] = {}  # an hour that begins before what the bucket keeps has no mark, and no minutes
            self._post_all([(i, line) for i, mark in enumerate(marks) if (line := point_line(mark))], refused)
            if len(self._marked) > 10_000:
                self._marked.clear()
            self._marked.update(dict.fromkeys(hours, now_ms))

    def write_points(self, points: Sequence[ServicePoint]) -> None:
        """Store points of our own services; fields of the same point come together."""
        self._ready()
        refused: dict[int, str] = {}
        self._post_all([(i, line) for i, point in enumerate(points) if (line := point_line(point))], refused)
        if refused:
            raise PointsRefusedError(refused)

    def _post_all(self, lines: Sequence[Line], refused: dict[int, str]) -> None:
        for first in range(0, len(lines), LINES_PER_WRITE):
            self._post(lines[first : first + LINES_PER_WRITE], refused)

    def _post(self, lines: Sequence[Line], refused: dict[int, str]) -> None:
        """Write lines; where some are refused, halve until the bad ones stand alone (a point written twice is one)."""
        with self._faults():
            reason = self._refusal("\n".join([line for _, line in lines])) if lines else None
        if reason is None:
            return
        dropped = _DROPPED.search(reason)
        if len(lines) == 1 or (dropped and int(dropped[1]) == len(lines)):
            refused.update(dict.fromkeys((index for index, _ in lines), reason))
            return
        kept = young_enough(lines, reason)
        if len(kept) < len(lines):
            refused.update(dict.fromkeys({index for index, _ in lines} - {index for index, _ in kept}, reason))
            self._post(kept, refused)  # written already, unless there is another fault among them
            return
        middle = len(lines) // 2
        self._post(lines[:middle], refused)
        self._post(lines[middle:], refused)

    def _refusal(self, body: str) -> str | None:
        try:
            self._writer.write(self._bucket, self._org, body.encode(), write_precision="ms")
        except ApiException as error:
            if error.status in (400, 413, 422):  # unreadable, too large, partly written
                return said_reason(error)
            raise
        return None
