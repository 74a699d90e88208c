"""`jinma fault`: a fault in a running simulator, by the command topic that only a simulator listens to."""

from __future__ import annotations

import json
import re

from cli import durations
from cli.running import needed_broker
from simulators.faults import FaultKind, fault_kinds
from station.adapters.mqtt import MqttPublisher
from station.errors import BadInputError, TransientError
from station.settings import load_settings
from station.wire import topics

_SETTLE_S = 5.0
_STATION_WIDE = ("delivery", "filter", "power", "button")
"""Targets of which a station has one, or where any will do."""


def list_faults() -> None:
    """Print every fault, one a line: what happens, what it strikes, its size and how long it lasts if nobody says."""
    for name, kind in fault_kinds().items():
        print(f"{name:20} {kind.en} ({_terms(kind)})")


def _terms(kind: FaultKind) -> str:
    terms = [f"--unit: {kind.target}"]
    if kind.size is not None:
        usual = f"{kind.size.default:g}" if kind.size.default is not None else f"{kind.size.of_span:.0%} of the range"
        terms.append(f"--size: {kind.size.en}, usually {usual}")
    if kind.ramp_min:
        terms.append(f"--ramp {kind.ramp_min:g}m")
    return ", ".join([*terms, f"--for {kind.for_min:g}m"])


def send_fault(
    name: str | None,
    *,
    unit: str | None,
    signal: str | None,
    size: float | None,
    ramp: str | None,
    for_: str | None,
    broker: str | None,
    station: str,
) -> None:
    """Ask a simulator for a fault.

    Raises:
        BadInputError: No such fault, or no broker or unit named.
        TransientError: The broker did not take it.
    """
    command = _command(name, unit=unit, signal=signal, size=size, ramp=ramp, for_=for_)
    url = needed_broker(load_settings(broker=broker), "of the simulator")
    publisher = MqttPublisher(url, f"jinma-fault-{name}")
    try:
        publisher.publish(topics.simulator_command(station), json.dumps(command).encode())
        if not publisher.settle(_SETTLE_S):
            raise TransientError("the broker did not take the command within 5 s")
    finally:
        publisher.close()


def _command(
    name: str | None, *, unit: str | None, signal: str | None, size: float | None, ramp: str | None, for_: str | None
) -> dict[str, object]:
    """Return the command of the contract, section 3, with what was said and nothing else."""
    kind = fault_kinds().get(name or "")
    if kind is None:
        raise BadInputError(f"fault {name!r}: must be one of {', '.join(fault_kinds())}")
    if unit is None and signal is None and kind.target not in _STATION_WIDE:
        raise BadInputError(f"--unit: name the {kind.target} that it befalls; jinma fault --list says more")
    for option, said in (("--unit", unit), ("--signal", signal)):
        if said is not None and not re.fullmatch(r"[\w-]{1,40}", said):
            raise BadInputError(f"{option} {said!r}: letters, digits and - only, e.g. train-3")
    command: dict[str, object] = {"fault": name, "unit": unit or ""}
    if signal is not None:
        command["signal"] = signal
    if size is not None:
        command["size"] = size
    for field, text, option in (("ramp_s", ramp, "--ramp"), ("for_s", for_, "--for")):
        if text is not None:
            command[field] = durations.duration(text, option).total_seconds()
    return command
