"""kill -9 of `jinma serve` under load: no alarm lost, none doubled, the journal whole; `JINMA_FAULT_ROUNDS` times.

A seeded publisher lets alarms come and go at mosquitto while operators act over HTTP and a client listens. What the
journal must have in the end follows from what was published alone.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import os
import random
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from station.adapters.mqtt import MqttPublisher
from station.domain.signals import UnitMessage
from station.wire.json_v1 import encode, topic_of
from tests.support.alarm_plant import DEADBAND, DELAY_S, LIMIT, alarm_plant_text, tag_of
from tests.support.alarm_story import check_told, edges, state_by_table
from tests.support.alarm_stream import AlarmStream
from tests.support.mosquitto import Mosquitto
from tests.support.postgres import Postgres
from tests.support.processes import wait_until
from tests.support.service import Service, jinma

ROUNDS = int(os.environ.get("JINMA_FAULT_ROUNDS", "6"))
UNITS, EACH, EVERY_S = 8, 3, 0.1
"""72 signals ten times a second: 80 messages and 720 values a second."""
PHASES_S = {"prompt": (0.2, 5.0), "latched": (0.2, 8.0), "delayed": (3 * DELAY_S, 6 * DELAY_S)}
"""How long a signal stays high, or low. A delay that a kill interrupts counts anew from what the broker kept."""
DAY_MS = 86_400_000


class Story(threading.Thread):
    """Publishes signals that go up and down by chance until told to end, then lets all of them come down."""

    def __init__(self, url: str, seed: int) -> None:
        super().__init__(name="story", daemon=True)
        self.publisher = MqttPublisher(url, "test-story")
        self.said: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self.messages = 0
        self.ending = threading.Event()
        self._chance = random.Random(seed)
        self._boot = f"b{seed}"
        self._high = {tag_of(k, u, n): False for k in PHASES_S for u in range(UNITS) for n in range(EACH)}
        self._kinds = {tag_of(k, u, n): k for k in PHASES_S for u in range(UNITS) for n in range(EACH)}
        self._next = {tag: self._chance.uniform(*PHASES_S[self._kinds[tag]]) for tag in self._high}

    def run(self) -> None:
        began, quiet_s = time.monotonic(), 0.0
        for tick in itertools.count():
            now_s = time.monotonic() - began
            self._tick(tick, now_s)
            if any(self._high.values()) or not self.ending.is_set():
                quiet_s = now_s
            if now_s - quiet_s > 2 * DELAY_S:
                break
            time.sleep(max(0.0, began + (tick + 1) * EVERY_S - time.monotonic()))
        self.publisher.settle(30)
        self.publisher.close()

    def _tick(self, tick: int, now_s: float) -> None:
        t_ms = time.time_ns() // 1_000_000
        for unit in range(UNITS):
            tags = [tag_of(k, unit, n) for k in PHASES_S for n in range(EACH)]
            values: dict[str, float | None] = {tag: self._value(tag, now_s) for tag in tags}
            for tag, value in values.items():
                self.said[tag].append((t_ms, value or 0.0))
            message = UnitMessage("jinma", "storage", f"many-{unit:02}", t_ms, values, {}, self._boot, tick)
            self.publisher.publish(topic_of(message), encode(message))
            self.messages += 1

    def _value(self, tag: str, now_s: float) -> float:
        if now_s >= self._next[tag] and (self._high[tag] or not self.ending.is_set()):
            self._high[tag] = not self._high[tag]
            self._next[tag] = now_s + self._chance.uniform(*PHASES_S[self._kinds[tag]])
        # Within the dead-band when high now and then, and just under the limit when low: neither changes anything.
        return self._chance.choice((LIMIT, 55.0, LIMIT - DEADBAND)) if self._was_high(tag) else self._low(tag)

    def _was_high(self, tag: str) -> bool:
        return self._high[tag] and bool(self.said[tag]) and self.said[tag][-1][1] >= LIMIT - DEADBAND

    def _low(self, tag: str) -> float:
        return LIMIT if self._high[tag] else self._chance.choice((1.0, LIMIT - DEADBAND - 0.01))


class Operators(threading.Thread):
    """Acknowledge, reset and shelve what is listed, as fast as the service answers."""

    def __init__(self, service: Service, seed: int) -> None:
        super().__init__(name="operators", daemon=True)
        self.done: list[str] = []
        self.in_doubt: list[str] = []
        self.ending = threading.Event()
        self._service = service
        self._chance = random.Random(seed)

    def run(self) -> None:
        with httpx.Client(verify=False, timeout=10) as client:
            for number in itertools.count(1):
                if self.ending.wait(0.05):
                    return
                self._act(client, f"act {number}")

    def _act(self, client: httpx.Client, note: str) -> None:
        try:
            url = f"{self._service.url}/api/v1/stations/jinma/alarms"
            headers = {"Authorization": f"Bearer {self._service.token}"}
            items = client.get(url, headers=headers).json()["items"]
            row = self._chance.choice([row for row in items if row["signal"] in TAGS])
        except (httpx.HTTPError, OSError, ValueError, KeyError, IndexError):
            return  # it is away, or nothing is listed
        act = "ack" if not row["acked"] else "reset" if row["state"] == "LATCHED" else "shelve"
        body = {"for": "3s", "reason": note} if act == "shelve" else {"comment": note}
        try:
            if client.post(f"{url}/{row['id']}/{act}", headers=headers, json=body).is_success:
                self.done.append(note)
        except (httpx.HTTPError, OSError):
            self.in_doubt.append(note)


TAGS = {tag_of(k, u, n): k for k in PHASES_S for u in range(UNITS) for n in range(EACH)}


def at_ms(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).timestamp() * 1000)


def journal_of(service: Service) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    now_ms = time.time_ns() // 1_000_000
    cursor: dict[str, str] = {}
    while True:
        page = service.get("/stations/jinma/alarms/journal", start=now_ms - DAY_MS, end=now_ms + DAY_MS, **cursor)
        rows += [row for row in page["items"] if row["id"].partition(".")[0] in TAGS]
        if page["next_cursor"] is None:
            return rows
        cursor = {"cursor": page["next_cursor"]}


def check_rows(tag: str, rows: list[dict[str, Any]], said: list[tuple[int, float]]) -> int:
    """Hold an alarm's rows against what was published; return how many transitions there were."""
    told = [(row["event"], at_ms(row["at"])) for row in rows if row["event"] in {"raised", "cleared"}]
    due = edges(said, LIMIT, DEADBAND)
    check_told(told, due, round(DELAY_S * 1000) if TAGS[tag] == "delayed" else 0)
    return len(due)


def check_seen(stream: AlarmStream, rows: list[dict[str, Any]]) -> int:
    """Everything that the stream told is in the journal; return how much it was."""
    of: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        of[row["occurrence"]].add(row["event"])
    seen = [view for _, view in stream.seen if view["signal"] in TAGS and view["raised_at"] is not None]
    for view in seen:
        events = of[view["occurrence"]]
        assert "raised" in events, view
        assert view["active"] or "cleared" in events, view
        assert view["acked_at"] is None or "acked" in events, view
    return len(seen)


@contextlib.contextmanager
def journal_url(kind: str, tmp_path: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'journal.sqlite'}"
        return
    with Postgres() as postgres:
        yield postgres.create_database("killed")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"] if "JINMA_FAULT_ROUNDS" in os.environ else ["sqlite"])
def test_kill_9_of_serve_loses_and_doubles_no_alarm(kind: str, tmp_path: Path) -> None:
    chance = random.Random(6)
    plant = tmp_path / "many.toml"
    plant.write_text(alarm_plant_text(UNITS, EACH), encoding="utf-8")
    # The broker lives on here; without saving its state it is ten times as fast.
    with Mosquitto(persistence=False) as broker, journal_url(kind, tmp_path) as journal:
        store = f"sqlite:///{tmp_path / 'readings.sqlite'}"
        command = ["--broker", broker.url, "--store", store, "--journal", journal, "--plant", str(plant)]
        with Service(*command, command="serve", data_dir=tmp_path / "data") as service:
            story, operators, back_s = Story(broker.url, 11), Operators(service, 12), []
            with AlarmStream(lambda: (service.url, service.token), "jinma") as stream:
                story.start()
                operators.start()
                for _ in range(ROUNDS):
                    threading.Event().wait(chance.uniform(0.0, 2.0))  # the moment of death is what is varied
                    service.process.kill()
                    began_s = time.monotonic()
                    service.start()
                    back_s.append(time.monotonic() - began_s)
                operators.ending.set()
                operators.join(30)
                story.ending.set()
                story.join(60)
                with contextlib.suppress(TimeoutError):
                    wait_until(lambda: not _active(service), 60, "every alarm gone", every_s=0.2)
                assert _active(service) == [], "still there, though every value is low"
                rows, states = journal_of(service), _states(service)
                assert service.tracebacks() == []
            service.process.stop()
        verified = jinma("journal", "verify", "--journal", journal)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    # What is older than a minute is late by contract, and raises nothing: a machine so slow proves nothing either.
    assert max(back_s) < 50.0, f"the service was away for {max(back_s):.0f} s"
    _check(story, operators, rows, states)
    told = check_seen(stream, rows)
    sys.stdout.write(
        f"{kind}: {ROUNDS} kills, {story.messages} messages, {len(rows)} journal rows, {len(operators.done)} acts, "
        f"{len(operators.in_doubt)} in doubt, {told} alarm events seen, back after {max(back_s):.1f} s at most\n"
    )


def _active(service: Service) -> list[str]:
    return [
        row["id"] for row in service.get("/stations/jinma/alarms")["items"] if row["signal"] in TAGS and row["active"]
    ]


def _states(service: Service) -> dict[str, str]:
    return {tag: row["state"] for tag, row in _listed(service).items()}


def _listed(service: Service) -> dict[str, Any]:
    items = service.get("/stations/jinma/alarms")["items"]
    return {row["signal"]: row for row in items if row["signal"] in TAGS and row["condition"] == "H"}


def _check(story: Story, operators: Operators, rows: list[dict[str, Any]], states: dict[str, str]) -> None:
    of: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        of[row["id"].partition(".")[0]].append(row)
    transitions = sum(check_rows(tag, of[tag], story.said[tag]) for tag in TAGS)
    assert transitions > 5 * len(TAGS), "too little happened to prove anything"
    for tag, kind in TAGS.items():
        told = [(row["event"], at_ms(row["at"]), row["who"]) for row in of[tag]]
        assert state_by_table(told, latching=kind == "latched") == states.get(tag, "NORM"), tag
    raised = Counter(row["occurrence"] for row in rows if row["event"] == "raised")
    assert max(raised.values()) == 1
    notes = Counter(row["note"] for row in rows if row["note"].startswith("act "))
    assert [note for note in operators.done if notes[note] != 1] == []
    assert set(notes) <= {*operators.done, *operators.in_doubt}
    assert max(notes.values()) == 1
    assert all(before["row"] < after["row"] for before, after in pairwise(rows))
