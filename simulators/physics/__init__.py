"""The simulated plant: what truly happens at the station, before any instrument."""

from simulators.physics.station import StationPhysics

__all__ = ["StationPhysics"]
