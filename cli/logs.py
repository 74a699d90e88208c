"""`jinma replay`: a log published again."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import typer

from cli import durations
from cli.progress import progress
from cli.results import tell_result
from cli.stopping import stop_on_signals
from station.adapters.log_files import LogRecord, read_log
from station.adapters.log_replay import replay_log, replay_target
from station.adapters.mqtt import MqttPublisher
from station.errors import BadInputError
from station.settings import load_settings

_NAMED_MOST: Final = 20
"""Bad lines that are named; more of the same kind would hide what else is said."""


def replay_file(  # noqa: PLR0913 - one for each option
    file: Path,
    *,
    broker: str | None,
    speed: str | None,
    start: str | None,
    end: str | None,
    loop: int,
    signals: str | None,
    time: str,
    station: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Publish a log again.

    Raises:
        BadInputError: The file or an option is wrong.
        TransientError: The broker cannot be reached.
        typer.Exit: Asked to end by a signal.
    """
    settings = load_settings(broker=broker)
    if settings.broker is None:
        raise BadInputError("--broker: name the broker to publish to")
    pace = durations.speed(speed or "1")
    target = replay_target(station, time=time, yes=yes)
    start_ms = durations.moment_ms(start, "--from") if start else None
    end_ms = durations.moment_ms(end, "--to") if end else None
    bad = _BadLines(file)
    next(iter(read_log(file)), None)  # a file that cannot be read is said before a broker is asked
    with stop_on_signals() as stop, progress(f"replaying {file.name}", None) as tell:
        publisher = MqttPublisher(settings.broker, f"jinma-replay-{target.replay_id or 'live'}")
        try:
            count = replay_log(
                bad.records,
                publisher,
                target,
                speed=pace,
                loop=loop,
                start_ms=start_ms,
                end_ms=end_ms,
                signals=signals,
                time=_time_mode(time),
                stop=stop.event,
                progress=lambda done, _t_ms: tell(done),
                on_bad=bad.of_record,
            )
        finally:
            publisher.close()
        stopped, code = stop.is_set(), stop.exit_code
    shown = target.of("*") if target.station is None else target.of(target.station)
    tell_result({"station": shown, "messages": count, "bad_lines": bad.total}, as_json=as_json)
    if stopped:
        raise typer.Exit(code)


def _time_mode(text: str) -> Literal["original", "now"]:
    if text == "now":
        return "now"
    if text == "original":
        return "original"
    raise BadInputError(f"--time {text!r}: must be original or now")


class _BadLines:
    """Names what is passed over of a log, each line once, and not without end."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._count: Counter[str] = Counter()
        self._passages = 0

    @property
    def total(self) -> int:
        """Lines and records passed over."""
        return self._count.total()

    def records(self) -> Iterator[LogRecord]:
        """Open the log; only the first passage says what is wrong."""
        self._passages += 1
        return read_log(self._file, self._of_line if self._passages == 1 else None)

    def of_record(self, text: str) -> None:
        """Take a record that is no reading."""
        if self._passages == 1:
            self._say("record", text)

    def _of_line(self, number: int, text: str) -> None:
        self._say("line", f"line {number} {text}")

    def _say(self, kind: str, text: str) -> None:
        self._count[kind] += 1
        if self._count.total() <= _NAMED_MOST:
            print(f"jinma: {self._file}: {text}", file=sys.stderr)
        elif self._count.total() == _NAMED_MOST + 1:
            print(f"jinma: {self._file}: more bad lines are counted, not named", file=sys.stderr)
