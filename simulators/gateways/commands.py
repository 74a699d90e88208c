"""Faults asked for over MQTT: `{"fault": .., "unit": .., ..}` on the simulator's command topic (contract section 3)."""

from __future__ import annotations

import msgspec
import structlog

from simulators.station import PhysicsSource
from station.errors import JinmaError

_log = structlog.get_logger(__name__)


class _Command(msgspec.Struct):
    fault: str
    unit: str = ""


def take_fault(physics: PhysicsSource, payload: bytes, station: str = "") -> bool:
    """Start the fault that a command asks for, or end it; one that cannot be is logged, and the plant goes on.

    Args:
        physics: The plant.
        payload: The command.
        station: Whose plant it is, for the log.

    Returns:
        Whether it was taken.
    """
    try:
        command = msgspec.json.decode(payload, type=_Command)
        said = msgspec.json.decode(payload, type=dict[str, object])
        options = {name: value for name, value in said.items() if name not in _Command.__struct_fields__}
        physics.inject(command.fault, command.unit, **options)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _log.warning("fault command is no JSON object with fault and unit", station=station, error=str(error))
        return False
    except JinmaError as error:
        _log.warning("fault not started", station=station, fault=command.fault, unit=command.unit, error=str(error))
        return False
    event = "fault ended" if options.get("for_s") == 0 else "fault started"
    _log.info(event, station=station, fault=command.fault, unit=command.unit, options=options)
    return True
