"""Bays, banks, machines and hoses of a snapshot: each input measured or by its stand-in, with what that costs.

See docs/forecast-inputs.md for the table of stand-ins.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from api.forecast.hose_watch import HoseWatch
from api.forecast.measured import InputReader
from api.forecast.stock_book import Held, StockBook, pressure_of
from api.forecast.tags import BankTags, BayTags, CapacityTags, ChillerTags, HoseTags, TrainTags
from api.forecast.train_health import TrainHealth
from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_snapshot import (
    TRAILER_ON_ITS_WAY_IN,
    BankNow,
    BayNow,
    ChillerNow,
    HoseNow,
    InputNow,
    TrainNow,
)
from station.domain.fill_ledger import BROKEN, FillLedger
from station.domain.hydrogen import H35_REFERENCE_KG_M3, KELVIN
from station.domain.isotherms import density
from station.domain.plant import Bank, Plant
from station.domain.trailer_ledger import TrailerLedger

MODEL = "model"
_TRIP, _FAULT = "trip", "fault"
_FLOWS_KG_H = 20.0
"""Above this a meter does not read its zero."""
_HOSE_LOSS_MPA = 0.15
"""Between a trailer and its unloading hose."""
_WARM_HOSE_KG = 3.0
_FILLING = ("fill", "hold")
_ROOT_12 = math.sqrt(12.0)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the equipment is read from, at one moment."""

    plant: Plant
    tags: CapacityTags
    read: InputReader
    rules: CapacityParameters
    ambient_c: float
    trailers: TrailerLedger
    fills: FillLedger
    health: TrainHealth
    stock: StockBook
    hoses: HoseWatch
    down_since_ms: Mapping[str, int]

    def down_min(self, tag: str) -> float:
        """Return how long a machine that is down has been so [min]; 0 where nobody saw it happen."""
        since_ms = self.down_since_ms.get(tag)
        return 0.0 if since_ms is None else max(0.0, (self.at_ms - since_ms) / 60_000.0)

    @property
    def at_ms(self) -> int:
        """Station time, epoch ms."""
        return self.read.at_ms


def _by_book(held: Held | None, volume_m3: float, temperature_c: float, most_mpa: float) -> tuple[str, float | None]:
    return MODEL, None if held is None else pressure_of(held.kg, volume_m3, temperature_c, most_mpa)


def _share_sd(rules: CapacityParameters, lost: InputNow) -> float:
    """Return the standard deviation of a machine's flow for a lost input; it grows over some hours."""
    if lost.source == "measured":
        return 0.0
    if lost.replaced:
        return 0.2 * rules.unknown_flow_sd_share
    return rules.unknown_flow_sd_share * (0.5 + min(2.5, lost.degraded_s / 3600.0))


# --- stocks ---


def bay_now(r: Reading, bay: BayTags) -> BayNow:
    """Return a bay as it stands."""
    state = _bay_state(r, bay)
    since = r.trailers.bay_since(bay.unit)
    since_ms = r.at_ms if since is None else since
    if state in ("absent", "empty"):
        return BayNow(bay.unit, state, since_ms, None, None)
    warm = r.read.note(
        bay.temperature,
        r.tags.header_temperature,
        r.tags.ambient,
        wanted_since_ms=since_ms,
    )
    warm_c = r.ambient_c if warm.value is None else warm.value
    held, supply = r.stock.bay(bay.unit), r.plant.supply
    # While its valve is open, the unloading hose stands at the trailer's pressure.
    twins = (bay.hose_pressure,) if state == "open" else ()
    book = _by_book(held, supply.volume_m3, warm_c, supply.fill_pressure_mpa * 1.1)
    pressure = r.read.note(bay.pressure, *twins, model=book, wanted_since_ms=since_ms)
    noted = len(r.read.notes) - 1
    if state == "open":
        r.read.note(bay.hose_pressure, bay.pressure, model=book, wanted_since_ms=since_ms)
        r.read.note(bay.flow, model=("trains", _trains_share(r)), wanted_since_ms=since_ms)
    heard = r.read.measured.time_ms(bay.pressure)
    if state in TRAILER_ON_ITS_WAY_IN and (heard is None or heard < since_ms):
        # The last trailer's: this one is not measured yet and counts as announced.
        r.read.notes[noted] = replace(pressure, value=None, source="delivery")
        return BayNow(bay.unit, state, since_ms, None, warm.value)
    kg_sd = _bay_sd(r, held, pressure, warm, warm_c)
    return BayNow(bay.unit, state, since_ms, pressure.value, warm_c if pressure.value is not None else None, kg_sd)


def _bay_state(r: Reading, bay: BayTags) -> str:
    flow = r.read.measured.look(bay.flow, r.at_ms)
    flows = flow.source == "measured" and flow.value is not None and flow.value > _FLOWS_KG_H
    return r.read.read_state(bay.state, (bay.flow, "open" if flows else None)) or "absent"


def _trains_share(r: Reading) -> float:
    """Return what one of the open bays would give if they shared what the trains take [kg/h]."""
    measured, tags = r.read.measured, r.tags
    total = sum(measured.value(t.flow) or 0.0 for t in tags.trains)
    number = r.plant.signals[tags.bays[0].state].state_number("open")
    return total / max(1, sum(measured.value(b.state) == number for b in tags.bays))


def _bay_sd(r: Reading, held: Held | None, pressure: InputNow, warm: InputNow, warm_c: float) -> float:
    kg = 0.0 if pressure.value is None else r.plant.supply.volume_m3 * density(pressure.value, warm_c)
    own = 0.0
    if pressure.source == MODEL and held is not None:
        own = held.sd_kg(r.rules, r.at_ms)
    elif pressure.replaced and pressure.value:
        own = math.hypot(r.rules.sensor_kg_sd_share * kg, kg * _HOSE_LOSS_MPA / pressure.value)
    elif pressure.source != "measured":
        own = r.plant.supply.delivery_kg / _ROOT_12  # Anything between full and empty.
    return math.hypot(own, _warm_sd(r, kg, warm, warm_c))


def _warm_sd(r: Reading, kg: float, warm: InputNow, warm_c: float) -> float:
    """Return what a thermometer that is not the vessel's own may be wrong by, in mass [kg]."""
    return 0.0 if warm.source == "measured" else kg * r.rules.stand_in_k_sd / (warm_c + KELVIN)


def bank_now(r: Reading, index: int, spec: Bank, bank: BankTags) -> BankNow:
    """Return a bank as it stands."""
    warm = r.read.note(bank.temperature, r.tags.bank_header_temperature, r.tags.ambient)
    warm_c = r.ambient_c if warm.value is None else warm.value
    held = r.stock.bank(index)
    pair = r.read.pair(bank.pressure_a, bank.pressure_b, _by_book(held, spec.volume_m3, warm_c, spec.working_mpa))
    known = [note.value for note in pair if note.value is not None]
    # Never heard of at all: what it holds at least while in service.
    pressure = sum(known) / len(known) if known else spec.floor_mpa or spec.recharge_start_mpa
    kg = spec.volume_m3 * density(pressure, warm_c)
    own = _pair_sd(r, spec, held, pair, kg)
    sd = math.hypot(own, _warm_sd(r, kg, warm, warm_c))
    return BankNow(spec.unit, pressure, warm_c, sd, r.stock.losses.share(index))


def _pair_sd(r: Reading, spec: Bank, held: Held | None, pair: tuple[InputNow, InputNow], kg: float) -> float:
    """Return what the loss of one or both transmitters costs [kg]."""
    if all(note.source == "measured" for note in pair):
        return 0.0
    if all(note.source == MODEL for note in pair) and held is not None:
        return held.sd_kg(r.rules, r.at_ms)
    if all(note.replaced for note in pair):
        # Apart, and nobody knows which is wrong: the truth may be at either.
        values = [r.read.measured.value(note.signal) or 0.0 for note in pair]
        low, high = (spec.volume_m3 * density(v, r.ambient_c) for v in sorted(values))
        return max(r.rules.sensor_kg_sd_share * kg, 0.5 * (high - low))
    if any(note.source == "measured" for note in pair):
        return r.rules.sensor_kg_sd_share * kg
    return spec.volume_m3 * density(spec.working_mpa, r.ambient_c) / _ROOT_12


# --- machines ---


def train_now(r: Reading, train: TrainTags) -> TrainNow:
    """Return a train as it stands; its health is held while its flow is not heard."""
    flow = r.read.measured.look(train.flow, r.at_ms)
    flows = flow.source == "measured" and flow.value is not None and flow.value > _FLOWS_KG_H
    state = r.read.read_state(train.state, (train.flow, "loaded" if flows else None)) or "stop"
    state_note = r.read.notes[-1]
    modelled = r.health.modelled_kg_h(r.read.measured, train.unit, r.at_ms) if state == "loaded" else 0.0
    flow_note = r.read.note(train.flow, model=(MODEL, modelled))
    suction = r.read.note(train.suction, r.tags.header_pressure)
    flow_sd = math.hypot(*(_share_sd(r.rules, note) for note in (state_note, flow_note, suction)))
    down = r.down_min(train.state) if state == _TRIP else 0.0
    return TrainNow(train.unit, state, state != _TRIP, r.health.of(train.unit), suction.value, flow_sd, down)


def chiller_now(r: Reading, chiller: ChillerTags) -> ChillerNow:
    """Return a chiller as it stands."""
    state = r.read.read_state(chiller.state) or "run"
    sd = _share_sd(r.rules, r.read.notes[-1])
    down = r.down_min(chiller.state) if state == _TRIP else 0.0
    return ChillerNow(chiller.unit, state, state != _TRIP, sd, down)


def headers(r: Reading) -> None:
    """Note what only ever stands in for others: they are missed when they are needed."""
    tags, measured = r.tags, r.read.measured
    r.read.note(tags.header_pressure, *(bay.hose_pressure for bay in tags.bays))
    r.read.note(tags.header_temperature, tags.ambient)
    r.read.note(tags.bank_header_temperature, *(bank.temperature for bank in tags.banks))
    # Without the weighbridge a docking stands for an arrival.
    r.read.note(tags.weighbridge, model=("bay states", measured.value(tags.weighbridge) or 0.0))


# --- hoses ---


def hose_now(r: Reading, hose: HoseTags) -> HoseNow:
    """Return a hose and its truck as they stand."""
    measured = r.read.measured
    state = _hose_state(r, hose)
    current = r.fills.current(hose.unit)
    if r.read.notes[-1].source == hose.total:
        current = None if state == "idle" else current or r.hoses.rising(measured, hose)
    current = _with_total(r, hose, current)
    down = r.down_min(hose.state) if state == _FAULT else 0.0
    if current is None:
        return HoseNow(hose.unit, state, None, 0.0, None, None, state != _FAULT, down)
    asked = r.hoses.asked(measured, hose, current, r.at_ms)
    if state in _FILLING:
        _note_tank(r, hose, current, asked)
    delivery = _delivery(r, hose, state, current[1])
    kg = None if asked is None else asked[0]
    return HoseNow(hose.unit, state, current[0], current[1], kg, delivery, state != _FAULT, down)


def _hose_state(r: Reading, hose: HoseTags) -> str:
    """Return a hose's state; where it is silent its totaliser tells whether it gives."""
    measured, spec = r.read.measured, r.plant.signals[hose.state]
    last = measured.value(hose.state)
    broken = last is not None and last in [spec.state_number(name) for name in BROKEN]
    told = None
    if measured.is_fresh(hose.total, r.at_ms) and not broken:
        told = "idle" if r.hoses.rising(measured, hose) is None else "fill"
    return r.read.read_state(hose.state, (hose.total, told)) or "idle"


def _with_total(r: Reading, hose: HoseTags, current: tuple[int, float] | None) -> tuple[int, float] | None:
    """Note the totaliser; while it is silent a fill goes on at the mean flow, and an idle hose gives nothing."""
    if current is None:
        r.read.note(hose.total, model=("idle hose", r.read.measured.value(hose.total)))
        return None
    since_ms, given = current
    minutes = (r.at_ms - since_ms) / 60_000.0 - r.rules.connect_min
    likely = max(given, min(r.plant.fleet.mean_fill_kg, minutes * r.plant.fill.mean_flow_g_s * 0.06))
    last = r.read.measured.value(hose.total)
    note = r.read.note(hose.total, model=("mean flow", (last or 0.0) - given + likely))
    return since_ms, given if note.source == "measured" else likely


def _note_tank(r: Reading, hose: HoseTags, current: tuple[int, float], asked: tuple[float, str] | None) -> None:
    """Note a truck's own data; one that never said anything has no link, which is no fault of the station."""
    measured = r.read.measured
    since_ms, given = current
    litres = measured.value(hose.tank_volume)
    soc = None
    if asked is not None and litres:
        soc = 100.0 * (r.plant.fill.end_soc - (asked[0] - given) / (H35_REFERENCE_KG_M3 * litres / 1000.0))
    by = "mean fill" if asked is None else asked[1]
    for tag, value in ((hose.soc, soc), (hose.tank_volume, litres)):
        heard = measured.time_ms(tag)
        note = r.read.note(tag, model=(by, value), wanted_since_ms=since_ms)
        if heard is None or heard < since_ms:
            r.read.notes[-1] = replace(note, value=None, quality="uncertain:no-link", source=by, degraded_s=0.0)


def _delivery(r: Reading, hose: HoseTags, state: str, given_kg: float) -> float | None:
    """Return the gas temperature at the nozzle; what stands in for it is named but raises no alarm of its own."""
    # The first kilograms come through a hose that has warmed up since the last fill.
    if state != "fill":
        return None
    others = (h.delivery_temperature for h in r.tags.hoses if h.unit != hose.unit and _fills(r, h))
    nominal = ("nominal", r.plant.fill.cooled_gas_c)
    note = r.read.note(hose.delivery_temperature, *others, model=nominal)
    return note.value if note.source == "measured" and given_kg > _WARM_HOSE_KG else None


def _fills(r: Reading, hose: HoseTags) -> bool:
    return r.read.measured.value(hose.state) == r.plant.signals[hose.state].state_number("fill")
