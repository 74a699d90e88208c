"""The faults of one station: which are to come, which are at work, which are over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from simulators.faults.catalogue import fault_kinds
from simulators.faults.fault import Fault

_FAR_MS = 2**62


class FaultBoard:
    """Faults by time. Plant faults are asked for at each step; those of instruments and gateways for a block."""

    def __init__(self, faults: Iterable[Fault] = (), taken: Iterable[Sequence[Any]] = ()) -> None:
        self.faults: list[Fault] = list(faults)
        self.taken: set[tuple[str, int]] = {(name, t_ms) for name, t_ms in taken}
        self._look_ms = -_FAR_MS

    def bring_on(self, fault: Fault) -> None:
        """Take a fault; one of the same thing that is not over makes room, and one of no length only ends that."""
        self.faults = [f for f in self.faults if not (f.same_place(fault) and f.start_ms <= fault.start_ms < f.end_ms)]
        if fault.end_ms > fault.start_ms:
            self.faults.append(fault)
        self._look_ms = -_FAR_MS

    def plan(self, fault: Fault) -> None:
        """Take a fault that a scenario has planned, unless it stands already."""
        if fault not in self.faults:
            self.bring_on(fault)

    def due(self, t_ms: int) -> bool:
        """Return whether the plant's faults are others, or stronger, than at the last `active_plant`."""
        return t_ms >= self._look_ms

    def active_plant(self, t_ms: int) -> list[Fault]:
        """Return the plant's faults at work, and note when to look again."""
        plant = [fault for fault in self.faults if fault_kinds()[fault.name].layer == "plant"]
        active = [fault for fault in plant if fault.start_ms <= t_ms < fault.end_ms]
        rising = any(t_ms < fault.start_ms + fault.ramp_ms for fault in active)
        ahead = [f.start_ms for f in plant if f.start_ms > t_ms] + [f.end_ms for f in active]
        self._look_ms = t_ms + 1 if rising else min(ahead, default=_FAR_MS)
        return active

    def takes_hold(self, fault: Fault) -> bool:
        """Return True once for a fault that acts in a moment: the first time it is asked for."""
        known = (fault.name, fault.start_ms) in self.taken
        self.taken.add((fault.name, fault.start_ms))
        return not known

    def of_layer(self, layer: str, from_ms: int, to_ms: int) -> list[Fault]:
        """Return the faults of a layer that touch a stretch of time."""
        kinds = fault_kinds()
        return [f for f in self.faults if kinds[f.name].layer == layer and f.start_ms <= to_ms and f.end_ms > from_ms]

    def forget_before(self, t_ms: int) -> None:
        """Drop what was over before a moment."""
        self.faults = [fault for fault in self.faults if fault.end_ms > t_ms]
        self.taken = {(name, start_ms) for name, start_ms in self.taken if start_ms > t_ms}
