"""`jinma fault`: a fault in a running simulator, by the command topic that only a simulator listens to."""

from __future__ import annotations

import json
import re

from cli import durations
from simulators.faults import SUPPORTED
from station.adapters.mqtt import MqttPublisher
from station.errors import BadInputError, TransientError
from station.settings import load_settings
from station.wire import topics

FAULTS = {
    "train-trip": "a compressor train trips",
    "diaphragm-leak": "a diaphragm leaks, then the train trips",
    "chiller-loss": "a chiller stops",
    "bank-leak": "a bank loses gas with both valves closed",
    "valve-passby": "a closed valve lets gas pass",
    "dispenser-leak": "gas escapes in a dispenser's cabinet",
    "trailer-late": "the next trailer comes late",
    "trailer-underfilled": "the next trailer brings less",
    "filter-plug": "a filter or regulator plugs",
    "sensor-drift": "a sensor drifts",
    "sensor-bias": "a sensor is off by a constant",
    "sensor-stuck": "a sensor stands still",
    "sensor-spike": "single samples jump",
    "sensor-dropout": "a sensor gives no value",
    "sensor-noise": "a sensor's noise grows",
    "power-cut": "the supply fails",
    "network-outage": "gateways cannot be reached; what they kept comes later",
    "clock-skew": "a gateway's clock is off",
    "clock-step": "a gateway's clock jumps",
    "ir-loss": "a vehicle's infrared link is lost",
    "esd": "an emergency shut-down",
    "meter-bias": "a hose's meter counts wrong",
}
"""The names of the contract, section 3; of them the simulator plays `SUPPORTED` in this version."""

_SETTLE_S = 5.0


def list_faults() -> None:
    """Print the names."""
    for name, meaning in FAULTS.items():
        print(f"{name:20} {meaning}{'' if name in SUPPORTED else ' (not in this version)'}")


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
    if name not in FAULTS:
        raise BadInputError(f"fault {name!r}: must be one of {', '.join(FAULTS)}")
    if name not in SUPPORTED:
        raise BadInputError(f"fault {name}: not in this version; there are {', '.join(SUPPORTED)}")
    if unit is None or not re.fullmatch(r"[\w-]{1,40}", unit):
        raise BadInputError(f"--unit {unit!r}: name the unit that it befalls, e.g. train-3")
    settings = load_settings(broker=broker)
    if settings.broker is None:
        raise BadInputError("--broker: name the broker of the simulator")
    command: dict[str, object] = {"fault": name, "unit": unit}
    if signal is not None:
        command["signal"] = signal
    if size is not None:
        command["size"] = size
    for field, text, option in (("ramp_s", ramp, "--ramp"), ("for_s", for_, "--for")):
        if text is not None:
            command[field] = durations.duration(text, option).total_seconds()
    publisher = MqttPublisher(settings.broker, f"jinma-fault-{name}")
    try:
        publisher.publish(topics.simulator_command(station), json.dumps(command).encode())
        if not publisher.settle(_SETTLE_S):
            raise TransientError("the broker did not take the command within 5 s")
    finally:
        publisher.close()
