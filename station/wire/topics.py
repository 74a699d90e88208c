"""MQTT topics of the contract (section 3): building them and taking them apart."""

from __future__ import annotations

import re
from typing import NamedTuple

from station.domain.signals import AREAS

ROOT = "h2/v1"
READING_FILTERS = tuple(f"{ROOT}/+/{area}/+" for area in AREAS)
"""What ingest and the alarm engine subscribe: the ten areas of every station."""

RESERVED = frozenset({"gateway", "stored", "ingest", "clock", "command", "plan", "queue"})
"""What stands in the place of an area in topics that are no readings."""

REPLAY_MARK = "~"
_REPLAY_ID = re.compile(r"[a-z0-9]{8}")


class ReadingTopic(NamedTuple):
    """The station, area and unit that a reading topic names."""

    station: str
    area: str
    unit: str


def reading(station: str, area: str, unit: str) -> str:
    """Return `h2/v1/{station}/{area}/{unit}`."""
    return f"{ROOT}/{station}/{area}/{unit}"


def parse_reading(topic: str) -> ReadingTopic | None:
    """Return the parts of a reading topic, or None where it is none (reserved, other root, unknown area)."""
    parts = topic.split("/")
    if len(parts) != 5 or parts[0] != "h2" or parts[1] != "v1" or parts[3] not in AREAS:
        return None
    return ReadingTopic(parts[2], parts[3], parts[4])


def is_reserved(topic: str) -> bool:
    """Return whether a topic is one of ours that carries no reading."""
    parts = topic.split("/", 4)
    return len(parts) > 3 and parts[:2] == ["h2", "v1"] and parts[3] in RESERVED


def gateway(station: str, gateway_id: str) -> str:
    """Return the retained topic of a gateway's `{"online", "t", "sim"}`."""
    return f"{ROOT}/{station}/gateway/{gateway_id}"


def stored(station: str, area: str, unit: str) -> str:
    """Return the retained topic of the watermark `{"boot", "seq", "by"}` of a unit."""
    return f"{ROOT}/{station}/stored/{area}/{unit}"


def ingest(station: str, worker: str) -> str:
    """Return the retained topic on which an ingest says how full its spool is."""
    return f"{ROOT}/{station}/ingest/{worker}"


def clock(station: str) -> str:
    """Return the retained topic of the station clock `{"t", "wall", "speed"}`."""
    return f"{ROOT}/{station}/clock"


def simulator_command(station: str) -> str:
    """Return the topic on which a simulator takes faults."""
    return f"{ROOT}/{station}/command/simulator"


def plan(station: str, date: str) -> str:
    """Return the retained topic of a day's plan; `date` is `YYYY-MM-DD`, a station day."""
    return f"{ROOT}/{station}/plan/{date}"


def gate_queue(station: str) -> str:
    """Return the retained topic of the trucks that wait at the gate."""
    return f"{ROOT}/{station}/queue/gate"


def is_replay(station: str) -> bool:
    """Return True for a station id that a replay made (`jinma~ab12cd34`)."""
    return REPLAY_MARK in station


def replay_station(station: str, replay_id: str) -> str:
    """Return `{station}~{id}`.

    Raises:
        ValueError: The id is not 8 characters of [a-z0-9].
    """
    if not _REPLAY_ID.fullmatch(replay_id):
        msg = f"replay id {replay_id!r}: must be 8 characters of [a-z0-9]"
        raise ValueError(msg)
    return f"{station}{REPLAY_MARK}{replay_id}"
