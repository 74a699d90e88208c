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


def take_fault(physics: PhysicsSource, payload: bytes) -> bool:
    """Start the fault that a command asks for; one that cannot be is logged, and the plant goes on.

    Returns:
        Whether it was started.
    """
    try:
        command = msgspec.json.decode(payload, type=_Command)
        said = msgspec.json.decode(payload, type=dict[str, object])
        options = {name: value for name, value in said.items() if name not in _Command.__struct_fields__}
        physics.inject(command.fault, command.unit, **options)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _log.warning("fault command is no JSON object with fault and unit", error=str(error))
        return False
    except JinmaError as error:
        _log.warning("fault not started", fault=command.fault, unit=command.unit, error=str(error))
        return False
    _log.info("fault started", fault=command.fault, unit=command.unit, options=options)
    return True
