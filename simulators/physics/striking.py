"""How the plant's faults take hold: each sets what its unit knows of it; what follows is the unit's own physics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol, TypeVar

from simulators.faults import Fault, targets_of

if TYPE_CHECKING:
    from simulators.physics.station import StationPhysics

_ESD_BUTTON_LEVEL = 3
_ESD_POWER_LEVEL = 1
_LEAK_KG_S_PER_MM2 = 0.0168
"""A hole of 1 mm at 45 MPa, discharge coefficient 0.8, loses 16.8 g/s; the loss goes with the square of its size."""


class _Named(Protocol):
    """What a station file says of a unit."""

    @property
    def unit(self) -> str: ...


class _Unit(Protocol):
    """A unit of the plant."""

    @property
    def spec(self) -> _Named: ...


Unit = TypeVar("Unit", bound=_Unit)


def apply_faults(station: StationPhysics) -> None:
    """Set every unit to what the faults of this moment make of it."""
    _clear(station)
    t_ms = station.t_ms
    for fault in station.faults.active_plant(t_ms):
        _EFFECTS[fault.name](station, fault, fault.strength(t_ms))


def _clear(station: StationPhysics) -> None:
    station.esd_level = station.esd_button = 0
    station.power_lost = False
    station.supply.filter_factor = 1.0
    for train in station.compression.trains:
        train.tripped, train.leaking_mpa = False, 0.0
    for chiller in station.cooling.units:
        chiller.lost_share = 0.0
    for bank in station.cascade.banks:
        bank.leak_kg_s = bank.passby_kg_s = 0.0
    for hose in station.dispensing.hoses:
        hose.leak_mm, hose.ir_lost, hose.meter_error = 0.0, False, 0.0


def _struck(units: Iterable[Unit], fault: Fault) -> Iterator[Unit]:
    """Return the unit that a fault strikes, one by one where several bear its name."""
    return (unit for unit in units if unit.spec.unit == fault.unit)


def _train_trip(station: StationPhysics, fault: Fault, _strength: float) -> None:
    for train in _struck(station.compression.trains, fault):
        train.tripped = True


def _diaphragm_leak(station: StationPhysics, fault: Fault, strength: float) -> None:
    for train in _struck(station.compression.trains, fault):
        train.leaking_mpa = fault.size * strength


def _chiller_loss(station: StationPhysics, fault: Fault, strength: float) -> None:
    for chiller in _struck(station.cooling.units, fault):
        chiller.lost_share = fault.size * strength


def _bank_leak(station: StationPhysics, fault: Fault, strength: float) -> None:
    for bank in _struck(station.cascade.banks, fault):
        bank.leak_kg_s += _LEAK_KG_S_PER_MM2 * fault.size * fault.size * strength


def _valve_passby(station: StationPhysics, fault: Fault, strength: float) -> None:
    for bank in _struck(station.cascade.banks, fault):
        bank.passby_kg_s = fault.size / 3600.0 * strength


def _dispenser_leak(station: StationPhysics, fault: Fault, strength: float) -> None:
    for hose in _struck(station.dispensing.hoses, fault):
        # The hole grows in area, not in width.
        hose.leak_mm = fault.size * strength**0.5


def _ir_loss(station: StationPhysics, fault: Fault, _strength: float) -> None:
    for hose in _struck(station.dispensing.hoses, fault):
        hose.ir_lost = True


def _meter_bias(station: StationPhysics, fault: Fault, strength: float) -> None:
    for hose in _struck(station.dispensing.hoses, fault):
        hose.meter_error = fault.size / 100.0 * strength


def _filter_plug(station: StationPhysics, fault: Fault, strength: float) -> None:
    station.supply.filter_factor = 1.0 + (fault.size - 1.0) * strength


def _trailer_late(station: StationPhysics, fault: Fault, _strength: float) -> None:
    if station.faults.takes_hold(fault):
        station.supply.delay_next(station.t_ms, fault.end_ms - fault.start_ms)


def _trailer_underfilled(station: StationPhysics, fault: Fault, _strength: float) -> None:
    if station.faults.takes_hold(fault):
        station.supply.short_next(fault.size)


def _power_cut(station: StationPhysics, _fault: Fault, _strength: float) -> None:
    station.power_lost = True
    station.esd_level = max(station.esd_level, _ESD_POWER_LEVEL)
    for train in station.compression.trains:
        train.tripped = True


def _esd(station: StationPhysics, fault: Fault, _strength: float) -> None:
    station.esd_level = _ESD_BUTTON_LEVEL
    station.esd_button = targets_of(station.plant, "esd").index(fault.unit) + 1
    for train in station.compression.trains:
        train.tripped = True


_EFFECTS: dict[str, Callable[[StationPhysics, Fault, float], None]] = {
    "train-trip": _train_trip,
    "diaphragm-leak": _diaphragm_leak,
    "chiller-loss": _chiller_loss,
    "bank-leak": _bank_leak,
    "valve-passby": _valve_passby,
    "dispenser-leak": _dispenser_leak,
    "trailer-late": _trailer_late,
    "trailer-underfilled": _trailer_underfilled,
    "filter-plug": _filter_plug,
    "power-cut": _power_cut,
    "ir-loss": _ir_loss,
    "esd": _esd,
    "meter-bias": _meter_bias,
}
