"""The plant's state as JSON text, and back: kept between two runs of a simulator, continued exactly.

Floats are written in full (JSON's shortest form reads back to the same bits), so that a restored plant goes on as if it
had never stopped.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from simulators.faults import Fault, FaultBoard
from simulators.fleet import TruckDraw
from simulators.physics.cabinet import Cabinet
from simulators.physics.compression import Compression
from simulators.physics.cooling import ChillerUnit, Cooling
from simulators.physics.dispensing import Dispensing, HoseUnit, TruckVisit
from simulators.physics.filling import Filling
from simulators.physics.gas import Gas
from simulators.physics.gate import vehicle_tank
from simulators.physics.site import Site
from simulators.physics.storage import Cascade, CascadeBank
from simulators.physics.supply import Bay, Delivery, SupplyYard, Trailer
from simulators.physics.tank import VehicleTank
from simulators.physics.train import CompressorTrain
from simulators.physics.vessel import Vessel
from simulators.scenario import scenario_of_state, scenario_state
from station.domain.hydrogen import HydrogenTables
from station.domain.plant import Plant
from station.errors import BadInputError

if TYPE_CHECKING:
    from simulators.physics.station import StationPhysics

VERSION = 2

_STATION = (
    "t_ms",
    "opening_kg",
    "opening_j",
    "opening_brine_j",
    "opening_kwh",
    "ambient_c",
    "esd_level",
    "esd_button",
    "power_lost",
    "plan_changes",
    "minute",
    "day_start_ms",
    "day_end_ms",
)
_VISIT = ("asked_kg", "start_ms", "end_ms", "delivered_kg", "hose", "outcome", "stop_reason", "since_ms")

State = dict[str, Any]


def dump(station: StationPhysics) -> bytes:
    """Return the state of a station as JSON text."""
    supply, filling = station.supply, station.dispensing
    state: State = {
        "version": VERSION,
        "plant": station.plant.id,
        "scenario": scenario_state(station.scenario),
        "start_ms": station.start_ms,
        "seed": station.seed,
        "station": _take(station, _STATION),
        "faults": [asdict(fault) for fault in station.faults.faults],
        "faults_taken": sorted(station.faults.taken),
        "supply": _take(supply, SupplyYard.STATE)
        | {
            "bays": [_take(bay, Bay.STATE) | {"trailer": _trailer_state(bay.trailer)} for bay in supply.bays],
            "yard": [_trailer_state(trailer) for trailer in supply.yard],
            "deliveries": [asdict(delivery) for delivery in supply.deliveries],
            "source": None if supply.source is None else supply.bays.index(supply.source),
        },
        "cascade": _take(station.cascade, Cascade.STATE)
        | {"banks": [_bank_state(bank) for bank in station.cascade.banks]},
        "compression": _take(station.compression, Compression.STATE)
        | {"trains": [_take(train, CompressorTrain.STATE) for train in station.compression.trains]},
        "site": _take(station.site, Site.STATE),
        "cooling": _take(station.cooling, Cooling.STATE)
        | {"units": [_take(unit, ChillerUnit.STATE) for unit in station.cooling.units]},
        "dispensing": _dispensing_state(filling),
    }
    return json.dumps(state, separators=(",", ":"), ensure_ascii=False).encode()


def load(cls: type[StationPhysics], plant: Plant, tables: HydrogenTables, data: bytes) -> StationPhysics:
    """Return the station of a JSON text.

    Raises:
        BadInputError: Damaged, of another version or of another station.
    """
    try:
        state = json.loads(data)
        if state["version"] != VERSION:
            raise BadInputError(f"simulator state: version {state['version']} is not {VERSION}; start afresh")
        if state["plant"] != plant.id:
            raise BadInputError(f"simulator state: of station {state['plant']!r}, not of {plant.id!r}")
        start = dt.datetime.fromtimestamp(state["start_ms"] / 1000.0, dt.UTC)
        station = cls(plant, tables, scenario_of_state(state["scenario"]), start, state["seed"])
        _restore(station, state)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise BadInputError(f"simulator state: damaged ({error!r}); remove it to start afresh") from error
    return station


def _restore(station: StationPhysics, state: State) -> None:
    supply, filling = station.supply, station.dispensing
    _give(station, _STATION, state["station"])
    station.faults = FaultBoard((Fault(**fault) for fault in state["faults"]), state["faults_taken"])
    saved = state["supply"]
    _give(supply, SupplyYard.STATE, saved)
    supply.deliveries = [Delivery(**delivery) for delivery in saved["deliveries"]]
    supply.yard = [trailer for item in saved["yard"] if (trailer := _trailer(station, item)) is not None]
    for bay, item in zip(supply.bays, saved["bays"], strict=True):
        _give(bay, Bay.STATE, item)
        bay.trailer = _trailer(station, item["trailer"])
    supply.source = None if saved["source"] is None else supply.bays[saved["source"]]
    saved = state["cascade"]
    _give(station.cascade, Cascade.STATE, saved)
    for bank, item in zip(station.cascade.banks, saved["banks"], strict=True):
        _give(bank, CascadeBank.STATE, item)
        bank.relief.lifted = item["relief_lifted"]
        _give_vessel(bank.vessel, item["gas"])
    _give(station.compression, Compression.STATE, state["compression"])
    _give_all(station.compression.trains, CompressorTrain.STATE, state["compression"]["trains"])
    _give(station.cooling, Cooling.STATE, state["cooling"])
    _give(station.site, Site.STATE, state["site"])
    _give_all(station.cooling.units, ChillerUnit.STATE, state["cooling"]["units"])
    _give_dispensing(filling, state["dispensing"])


def _dispensing_state(filling: Dispensing) -> State:
    return {
        "filling": _take(filling.filling, Filling.STATE),
        "drawn_j": filling.sources.drawn_j,
        "fills_ended": filling.sequence.fills_ended,
        "gate_open": filling.entrance.open,
        "visits": [_visit_state(visit) for visit in filling.visits],
        "coming": [_visit_state(visit) for visit in filling.entrance.coming],
        "gate": [visit.draw.id for visit in filling.gate],
        "hoses": [_hose_state(hose) for hose in filling.hoses],
        "cabinets": [_take(cabinet, Cabinet.STATE) for cabinet in filling.cabinets],
    }


def _give_dispensing(filling: Dispensing, saved: State) -> None:
    gate = filling.entrance
    _give(filling.filling, Filling.STATE, saved["filling"])
    filling.sources.drawn_j = saved["drawn_j"]
    filling.sequence.fills_ended = saved["fills_ended"]
    gate.open = saved["gate_open"]
    gate.visits = [_visit(gate.gas, item) for item in saved["visits"]]
    gate.coming.clear()
    gate.coming.extend(_visit(gate.gas, item) for item in saved["coming"])
    by_id = {visit.draw.id: visit for visit in gate.visits}
    gate.waiting.extend(by_id[name] for name in saved["gate"])
    for hose, item in zip(filling.hoses, saved["hoses"], strict=True):
        _give(hose, HoseUnit.STATE, item)
        hose.visit = None if item["visit"] is None else by_id[item["visit"]]
        if hose.visit is not None:
            hose.tank = hose.visit.tank = _tank(gate.gas, hose.visit.draw, item["tank"])
    _give_all(filling.cabinets, Cabinet.STATE, saved["cabinets"])


def _take(thing: object, names: Iterable[str]) -> State:
    return {name: getattr(thing, name) for name in names}


def _give(thing: object, names: Iterable[str], state: State) -> None:
    for name in names:
        setattr(thing, name, state[name])


def _give_all(things: Sequence[object], names: Sequence[str], states: Sequence[State]) -> None:
    for thing, state in zip(things, states, strict=True):
        _give(thing, names, state)


def _give_vessel(vessel: Vessel, state: State) -> None:
    _give(vessel, Vessel.STATE, state)
    vessel.density = vessel.mass / vessel.volume


def _bank_state(bank: CascadeBank) -> State:
    gas = _take(bank.vessel, Vessel.STATE)
    return _take(bank, CascadeBank.STATE) | {"relief_lifted": bank.relief.lifted, "gas": gas}


def _trailer_state(trailer: Trailer | None) -> State | None:
    return None if trailer is None else {"id": trailer.id, "gas": _take(trailer.vessel, Vessel.STATE)}


def _trailer(station: StationPhysics, state: State | None) -> Trailer | None:
    if state is None:
        return None
    trailer = station.supply.new_trailer(state["id"], 1.0, 293.15)
    _give_vessel(trailer.vessel, state["gas"])
    return trailer


def _visit_state(visit: TruckVisit) -> State:
    return {"draw": asdict(visit.draw), "tank": _tank_state(visit.tank)} | _take(visit, _VISIT)


def _visit(gas: Gas, state: State) -> TruckVisit:
    draw = TruckDraw(**state["draw"])
    return TruckVisit(draw, **{name: state[name] for name in _VISIT}, tank=_tank(gas, draw, state["tank"]))


def _hose_state(hose: HoseUnit) -> State:
    return _take(hose, HoseUnit.STATE) | {
        "visit": None if hose.visit is None else hose.visit.draw.id,
        "tank": _tank_state(hose.tank),
    }


def _tank_state(tank: VehicleTank | None) -> State | None:
    return None if tank is None else _take(tank, VehicleTank.STATE)


def _tank(gas: Gas, draw: TruckDraw, state: State | None) -> VehicleTank | None:
    if state is None:
        return None
    tank = vehicle_tank(gas, draw)
    _give(tank, VehicleTank.STATE, state)
    return tank
