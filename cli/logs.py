"""`jinma replay`: a log published again."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import typer

from cli import durations
from cli.progress import progress
from cli.results import tell_result
from cli.running import needed_broker
from cli.stations import read_plants
from cli.stopping import stop_on_signals
from cli.text_files import read_text
from station.adapters.foreign.log_map import LogMap, load_log_map
from station.adapters.log_files import LogRecord, read_log, read_log_header
from station.adapters.log_replay import replay_log, replay_target
from station.adapters.mqtt import MqttPublisher
from station.domain.plant import Plant
from station.errors import BadInputError, TransientError
from station.settings import load_settings

_LAST_ACKNOWLEDGEMENTS_S: Final = 1.0
"""Asked to end, a replay waits this long for what is under way."""
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
    map_file: Path | None,
    plant: list[Path] | None,
    as_json: bool,
) -> None:
    """Publish a log again, another's by a mapping file.

    Raises:
        BadInputError: The file or an option is wrong.
        TransientError: The broker cannot be reached.
        typer.Exit: Asked to end by a signal.
    """
    settings = load_settings(broker=broker, plant=plant)
    to = needed_broker(settings, "to publish to")
    pace = durations.speed(speed or "1")
    target = replay_target(station, time=time, yes=yes)
    start_ms = durations.moment_ms(start, "--from") if start else None
    end_ms = durations.moment_ms(end, "--to") if end else None
    plants = read_plants(settings.plant)
    rules = None if map_file is None else load_log_map(read_text(map_file), str(map_file), plants)
    bad = _BadLines(file, plants, rules)
    next(
        iter(read_log(file, plants=plants, rules=rules)), None
    )  # a file that cannot be read is said before a broker is asked
    bar = _Bar(file, start_ms, end_ms, loop)
    count = 0
    with stop_on_signals() as stop, progress(f"replaying {file.name}", bar.total_s) as tell:

        def told(done: int, t_ms: int) -> None:
            nonlocal count
            count = done
            tell(bar.reached_s(t_ms))

        publisher = MqttPublisher(to, f"jinma-replay-{target.replay_id or 'live'}")
        # Whoever waits for a broker that acknowledges no more is let go, so that a request to end is heard.
        stop.tell(lambda: _let_go(publisher))
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
                progress=told,
                on_bad=bad.of_record,
            )
        except TransientError:
            if not stop.is_set():
                raise
        finally:
            publisher.close()
        stopped, code = stop.is_set(), stop.exit_code
    shown = target.of("*") if target.station is None else target.of(target.station)
    tell_result({"station": shown, "messages": count, "bad_lines": bad.total}, as_json=as_json)
    if stopped:
        raise typer.Exit(code)


def _let_go(publisher: MqttPublisher) -> None:
    publisher.close(_LAST_ACKNOWLEDGEMENTS_S)


class _Bar:
    """How far a replay is, in seconds of the log; a log that does not say how long it is has no end to show."""

    def __init__(self, file: Path, start_ms: int | None, end_ms: int | None, loops: int) -> None:
        first_ms, last_ms = _range_said(read_log_header(file) or {})
        self._start_ms = first_ms if start_ms is None else start_ms
        end_ms = last_ms if end_ms is None else end_ms
        self._length_s = None if self._start_ms is None or end_ms is None else (end_ms - self._start_ms) / 1000
        self._reached_s = self._before_s = 0.0
        self.total_s = None if self._length_s is None or loops == 0 else self._length_s * loops

    def reached_s(self, t_ms: int) -> float:
        """Return the seconds replayed by now; a time far back begins the next loop."""
        if self._start_ms is None:
            self._start_ms = t_ms
        reached_s = (t_ms - self._start_ms) / 1000
        if self._length_s is not None and reached_s < self._reached_s - self._length_s / 2:
            self._before_s += self._length_s
        self._reached_s = reached_s
        return self._before_s + reached_s


def _range_said(header: Mapping[str, object]) -> tuple[int | None, int | None]:
    """Return the range that a log's first line names: an export's, or a simulated day's."""
    match header:
        case {"range": [str(first), str(last)]}:
            return _moment_said(first), _moment_said(last)
        case {"start": str(first), "duration_s": float(length_s)}:
            start_ms = _moment_said(first)
            return start_ms, None if start_ms is None else start_ms + round(length_s * 1000)
        case _:
            return None, None


def _moment_said(text: str) -> int | None:
    try:
        return durations.moment_ms(text, "log")
    except BadInputError:
        return None


def _time_mode(text: str) -> Literal["original", "now"]:
    if text == "now":
        return "now"
    if text == "original":
        return "original"
    raise BadInputError(f"--time {text!r}: must be original or now")


class _BadLines:
    """Names what is passed over of a log, each line once, and not without end."""

    def __init__(self, file: Path, plants: Sequence[Plant], rules: LogMap | None) -> None:
        self._file, self._plants, self._rules = file, plants, rules
        self._count: Counter[str] = Counter()
        self._passages = 0

    @property
    def total(self) -> int:
        """Lines and records passed over."""
        return self._count.total()

    def records(self) -> Iterator[LogRecord]:
        """Open the log; only the first passage says what is wrong."""
        self._passages += 1
        tell = self._of_line if self._passages == 1 else None
        return read_log(self._file, tell, plants=self._plants, rules=self._rules)

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
