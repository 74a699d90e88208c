"""Faults: what may go wrong at a simulated station, from the plant itself to the clocks of its gateways."""

from simulators.faults.board import FaultBoard
from simulators.faults.catalogue import FaultKind, FaultSize, fault_kinds
from simulators.faults.fault import ALL, Fault, make_fault, targets_of

__all__ = ["ALL", "Fault", "FaultBoard", "FaultKind", "FaultSize", "fault_kinds", "make_fault", "targets_of"]
