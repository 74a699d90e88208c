"""The simulated plant as one: steps through time, records truth, keeps the account."""

from __future__ import annotations

import datetime as dt

import numpy as np

from simulators.block import DayTruth, TrailerTruth, TruckTruth, TruthBlock
from simulators.fault_plan import faults_of_day
from simulators.faults import FaultBoard, make_fault
from simulators.fleet import day_trailers, day_trucks, epoch_ms, generator, opening_stock
from simulators.physics import snapshot, striking
from simulators.physics.account import account, gas_stored_j
from simulators.physics.columns import Columns, state_row
from simulators.physics.compression import Compression
from simulators.physics.cooling import Cooling
from simulators.physics.dispensing import CONNECT, END, Dispensing, TruckVisit
from simulators.physics.gas import gas_of
from simulators.physics.site import CONSUMERS, Site
from simulators.physics.storage import Cascade
from simulators.physics.supply import OPEN, Delivery, SupplyYard, Trailer
from simulators.physics.weather import Weather
from simulators.scenario import Scenario
from station.domain import hydrogen
from station.domain.day_plan import Booking, DayPlan, WaitingTruck
from station.domain.day_plan import Delivery as PlannedDelivery
from station.domain.hydrogen import KELVIN, HydrogenTables
from station.domain.plant import Plant

_COMMISSIONED, _KWH_A_DAY = dt.date(2024, 3, 1), 6300.0
_HEALTH = 5
_KEEP_MS = 3 * 86_400_000
"""Trucks and trailers that left stay in the account's lists for three days."""
_OPENING = "opening"


class StationPhysics:
    """The plant in time.

    The same plant, scenario, start and seed give the same truth, however the time is cut into blocks.

    Args:
        plant: The station.
        tables: Gas tables.
        scenario: The days' conditions.
        start: Aware moment of the first row.
        seed: Of every random draw.
    """

    def __init__(self, plant: Plant, tables: HydrogenTables, scenario: Scenario, start: dt.datetime, seed: int) -> None:
        self.plant, self.scenario, self.seed = plant, scenario, seed
        self.gas = gas = gas_of(tables)
        self.start_ms = self.t_ms = epoch_ms(start)
        first = plant.day_of(start)
        # As new, and how far each train is from its next service.
        draws = generator(seed, _HEALTH, _COMMISSIONED).uniform((0.985, 0.0), (1.03, 1.0), (len(plant.trains), 2))
        self.supply = SupplyYard(plant.supply, gas, scenario.on_call)
        self.cascade = Cascade(plant.banks, gas)
        self.compression = Compression(plant.trains, gas, draws[:, 0].tolist(), draws[:, 1].tolist())
        self.cooling = Cooling(plant.chillers)
        # A hose that has been in use since commissioning has passed about 450 kg a day.
        days = (first - _COMMISSIONED).days
        totals = [450.0 * max(0, days) + 137.0 * number for number in range(len(plant.hoses))]
        self.dispensing = Dispensing(plant, gas, totals, self.supply, self.cascade, self.cooling)
        self.weather = Weather(plant, scenario, seed)
        self.ambient_c = self.weather.ambient_c(self.t_ms)
        self.site = Site(_KWH_A_DAY * max(0, days), self.ambient_c)
        self.esd_level = self.esd_button = 0
        self.power_lost = False
        self.faults = FaultBoard()
        self.columns = Columns(self, seed)
        self.plan_changes = 0
        self.minute = -1
        self.day_start_ms = self.day_end_ms = 0
        self._open_stock(first)
        self._begin_day(first)
        self.opening_kg, self.opening_j = self.stock_kg(), gas_stored_j(self)
        self.opening_brine_j, self.opening_kwh = self.cooling.brine_j, self.energy_kwh

    # ---- what others ask

    @property
    def plan_version(self) -> int:
        """Rises by one or more each time a plan has changed."""
        return 1 + self.plan_changes + self.supply.changes

    def stock_kg(self) -> float:
        """Return the gas on the site: trailers, banks, hose lines [kg]."""
        return self.supply.stock_kg() + self.cascade.stock_kg() + self.dispensing.line_stock_kg()

    @property
    def energy_kwh(self) -> float:
        """Electricity counted since commissioning [kWh]."""
        return self.site.kwh

    @property
    def energy_kwh_by(self) -> dict[str, float]:
        """Electricity since the start of the run by consumer [kWh]; the rise of `energy_kwh` is their sum."""
        return dict(zip(CONSUMERS, self.site.kwh_by, strict=True))

    def vented_kg(self) -> float:
        """Return what has gone through the vent stack since the start: let-downs and relief valves, no leaks [kg]."""
        filling = self.dispensing
        return self.supply.vented_kg + self.cascade.relief_kg + filling.vented_kg - filling.leaked_kg

    def waiting(self) -> tuple[WaitingTruck, ...]:
        """Return the trucks at the gate, in the order they came."""
        return tuple(
            WaitingTruck(visit.draw.id, visit.draw.arrival_ms, round(visit.asked_kg - visit.delivered_kg, 1))
            for visit in self.dispensing.gate
        )

    def plan(self, day: dt.date) -> DayPlan:
        """Return what the operator's plan says of a station day, as far as it is told now."""
        draws = day_trucks(self.plant, self.scenario, self.seed, day)
        trucks = [
            Booking(draw.id, draw.booked_ms, draw.booked_kg)
            for draw in draws
            if draw.booked and max(draw.booked_ms, draw.arrival_ms) >= self.start_ms
        ]
        kg = self.plant.supply.delivery_kg
        announced = [d for d in self.supply.deliveries if not d.called_off and not d.id.startswith(_OPENING)]
        trailers = [
            PlannedDelivery(d.id, d.eta_ms, kg, d.bay)
            for d in announced
            if self.plant.day_of(dt.datetime.fromtimestamp(d.eta_ms / 1000.0, dt.UTC)) == day
        ]
        if epoch_ms(self.plant.day_start(day)) >= self.day_end_ms:
            draws_ahead = day_trailers(self.plant, self.scenario, self.seed, day)
            trailers += [PlannedDelivery(draw.id, draw.eta_ms, kg) for draw in draws_ahead]
        return DayPlan(
            date=day,
            trucks=tuple(sorted(trucks, key=lambda truck: (truck.t_ms, truck.id))),
            trailers=tuple(sorted(trailers, key=lambda trailer: (trailer.eta_ms, trailer.id))),
            source="mqtt",
        )

    def truth(self) -> DayTruth:
        """Return the plant's own account since the start."""
        supply, filling = self.supply, self.dispensing
        found = account(self)
        mass = found.mass
        return DayTruth(
            trucks=filling.fills_ended,
            dispensed_kg=mass.dispensed,
            received_kg=mass.received,
            stock_change_kg=mass.stock_change,
            vented_kg=mass.vented,
            returned_kg=mass.returned,
            closure=mass.closure,
            truck_list=tuple(_truck_truth(visit) for visit in filling.visits),
            trailer_list=tuple(_trailer_truth(d) for d in supply.deliveries if not d.id.startswith(_OPENING)),
            kwh=found.kwh,
            kwh_by=found.kwh_by,
            kwh_per_kg=found.kwh / mass.dispensed if mass.dispensed else None,
            compression_kwh=found.gas.worked / 3.6e6,
            precooling_kwh=found.brine.came / 3.6e6,
            energy_closure=found.energy_closure,
        )

    def inject(self, fault_name: str, unit: str, /, **options: object) -> None:
        """Bring on a fault now.

        Args:
            fault_name: One of the catalogue (`simulators/faults/catalogue.toml`).
            unit: What it strikes; any for a fault of the whole station.
            options: `for_s` how long [s], 0 ends one that runs; `ramp_s`, `size`, `signal` as the catalogue says.

        Raises:
            BadInputError: Unknown fault, unit, signal or option.
        """
        self.faults.bring_on(make_fault(self.plant, fault_name, unit, self.t_ms, options))

    def play(self, scenario: Scenario) -> None:
        """Go on under another scenario: weather, trailers still to come and faults; today's bookings stay."""
        self.scenario = scenario
        self.weather = Weather(self.plant, scenario, self.seed)
        self.supply.on_call_allowed = scenario.on_call
        day = self.plant.day_of(dt.datetime.fromtimestamp(self.day_start_ms / 1000.0, dt.UTC))
        self.supply.redraw(day_trailers(self.plant, scenario, self.seed, day), self.t_ms)
        self._plan_faults()
        self.plan_changes += 1

    def snapshot(self) -> bytes:
        """Return the whole state as JSON text; `restore` goes on from it exactly."""
        return snapshot.dump(self)

    @classmethod
    def restore(cls, plant: Plant, tables: HydrogenTables, data: bytes) -> StationPhysics:
        """Return the station of a snapshot.

        Args:
            plant: The same station as it was taken from.
            tables: Gas tables.
            data: What `snapshot` returned.

        Raises:
            BadInputError: Damaged, of another version or of another station.
        """
        return snapshot.load(cls, plant, tables, data)

    # ---- time

    def advance(self, n_steps: int, dt_s: float = 1.0) -> TruthBlock:
        """Record the present state and go one step on, `n_steps` times.

        Args:
            n_steps: Rows of the block.
            dt_s: Step [s], 1..10.

        Returns:
            Rows at the present moment and after each step but the last, so that blocks join without a seam.
        """
        step_ms = round(dt_s * 1000.0)
        first = self.t_ms
        rows = []
        for _ in range(n_steps):
            minute = self.t_ms // 60_000
            if minute != self.minute:
                self.minute = minute
                self._each_minute()
            if self.faults.due(self.t_ms):
                striking.apply_faults(self)
            rows.append(state_row(self))
            self._step(dt_s)
            self.t_ms += step_ms
        t_ms = first + step_ms * np.arange(n_steps, dtype=np.int64)
        return TruthBlock(t_ms, self.columns.block(t_ms, rows), dt_s)

    def _step(self, dt_s: float) -> None:
        ambient_c, esd = self.ambient_c, self.esd_level > 0
        ambient_k = ambient_c + KELVIN
        self.dispensing.advance(self.t_ms, dt_s, ambient_c, esd, self.power_lost)
        powered = not self.power_lost
        self.compression.advance(self.supply, self.cascade, dt_s, ambient_c, esd, powered)
        self.cascade.advance(dt_s, ambient_k)
        self.supply.advance(self.t_ms, dt_s, ambient_k)
        self.cooling.advance((self.t_ms - self.day_start_ms) / 3_600_000.0, dt_s, ambient_c, powered)
        busy = sum(1 for hose in self.dispensing.hoses if CONNECT <= hose.state <= END)
        self.site.advance(self.compression, self.cooling, busy, ambient_c, powered, dt_s)
        self.site.vent(self.vented_kg(), dt_s)

    def _each_minute(self) -> None:
        if self.t_ms >= self.day_end_ms:
            self._begin_day(self.plant.day_of(dt.datetime.fromtimestamp(self.t_ms / 1000.0, dt.UTC)))
        self.ambient_c = self.weather.ambient_c(self.t_ms)
        self.supply.due(self.t_ms, self.ambient_c + KELVIN)

    def _begin_day(self, day: dt.date) -> None:
        """Take the bookings, deliveries and faults of a station day, from now on."""
        plant, scenario, seed = self.plant, self.scenario, self.seed
        self.day_start_ms = epoch_ms(plant.day_start(day))
        self.day_end_ms = epoch_ms(plant.day_start(day + dt.timedelta(days=1)))
        self.dispensing.expect(day_trucks(plant, scenario, seed, day), self.t_ms)
        self.faults.forget_before(self.t_ms - _KEEP_MS)
        self.dispensing.forget_before(self.t_ms - _KEEP_MS)
        self.supply.forget_before(self.t_ms - _KEEP_MS)
        trailers = day_trailers(plant, scenario, seed, day)
        self.supply.announce([draw for draw in trailers if draw.arrival_ms >= self.t_ms])
        self._plan_faults()
        self.plan_changes += 1

    def _plan_faults(self) -> None:
        """Take the scenario's faults of this day that are not over yet."""
        day = self.plant.day_of(dt.datetime.fromtimestamp(self.day_start_ms / 1000.0, dt.UTC))
        for fault in faults_of_day(self.plant, self.scenario, self.seed, day, self.day_start_ms):
            if fault.end_ms > self.t_ms:
                self.faults.plan(fault)

    def _open_stock(self, day: dt.date) -> None:
        docked, share, banks = opening_stock(self.plant, self.seed, day)
        kelvin, volume = self.ambient_c + KELVIN, self.plant.supply.volume_m3
        for number, bay in enumerate(self.supply.bays):
            kg = volume * hydrogen.density(float(docked[number]), kelvin)
            bay.trailer, bay.state = self._opening_trailer(number, kg), OPEN
        self.supply.yard.append(self._opening_trailer(len(docked), self.supply.full_kg(share)))
        for bank, pressure in zip(self.cascade.banks, banks.tolist(), strict=True):
            bank.vessel.set_state(bank.spec.volume_m3 * hydrogen.density(pressure, kelvin), kelvin, kelvin)
        self.cascade.header_mpa = self.cascade.by_recharge[0].vessel.pressure
        self.cascade.header_k = self.supply.header_k = kelvin
        self.supply.choose(banks_low=False, shut=False)
        if self.supply.source is not None and self.supply.source.trailer is not None:
            self.supply.header_mpa = self.supply.source.trailer.vessel.pressure
        for hose in self.dispensing.hoses:
            hose.delivery_c = self.ambient_c
        for train in self.compression.trains:
            train.suction_mpa, train.discharge_mpa = self.supply.header_mpa, self.cascade.header_mpa
            train.interstage = (train.suction_mpa * train.discharge_mpa) ** 0.5

    def _opening_trailer(self, number: int, kg: float) -> Trailer:
        name = f"{_OPENING}-{number + 1}"
        self.supply.deliveries.append(Delivery(name, self.t_ms, self.t_ms, None, 1.0, arrived=True))
        return self.supply.new_trailer(name, kg, self.ambient_c + KELVIN)


def _truck_truth(visit: TruckVisit) -> TruckTruth:
    draw = visit.draw
    return TruckTruth(
        id=draw.id,
        booked_ms=draw.booked_ms,
        arrival_ms=draw.arrival_ms,
        start_ms=visit.start_ms,
        end_ms=visit.end_ms,
        asked_kg=visit.asked_kg,
        delivered_kg=visit.delivered_kg,
        hose=visit.hose,
        outcome=visit.outcome,
        stop_reason=visit.stop_reason,
    )


def _trailer_truth(delivery: Delivery) -> TrailerTruth:
    return TrailerTruth(
        id=delivery.id,
        eta_ms=delivery.eta_ms,
        arrival_ms=delivery.arrival_ms if delivery.arrived else None,
        open_ms=delivery.open_ms,
        left_ms=delivery.left_ms,
        bay=delivery.bay,
        received_kg=delivery.received_kg,
        returned_kg=delivery.returned_kg,
    )
