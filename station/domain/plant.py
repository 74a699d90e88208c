"""A station as data: signals with their limits and texts, equipment, fleet, deliveries, gateways.

Built from a station file by `station.domain.plant_file`; everything here is immutable and asks no clock.
Pressures are absolute MPa, temperatures degC where the name ends in `_c`, masses kg.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from zoneinfo import ZoneInfo

from station.domain.signals import Kind

UnitKey = tuple[str, str]
"""(area, unit)."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text in both languages."""

    en: str
    zh: str

    def in_language(self, language: str) -> str:
        """Return the Chinese text for `zh`, else the English one."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class AlarmSpec:
    """One alarm that a signal (or the station) can raise.

    Attributes:
        condition: `LL|L|H|HH|ROC|DEV|STUCK|SPIKE|DROPOUT|STATE|STALE|BAD`; of capacity alerts the whole id (`CAP-N1`).
        limit: Threshold in the signal's unit (ROC: per minute); for STATE the state numbers are in `states`; None where
            it has none.
        states: For STATE: the numbers that are abnormal.
        deadband: Absolute, in the signal's unit.
        on_delay: How long the condition must hold before the alarm is active.
        off_delay: How long it must be gone before the alarm clears.
        priority: `critical|high|medium|low`.
        latched: Stays until an operator resets it.
        safety: Never shelved; out of service by two people only.
        text: What is wrong, one line.
        cause, consequence, action: The alarm's help.
        state_priorities: For STATE: (state number, priority) where states weigh differently (fault high, abort
            medium); `priority` is then the highest of them.
        over: For ROC, STUCK, SPIKE, DROPOUT: the time looked back over.
        times: For DROPOUT: how often within it.
    """

    condition: str
    limit: float | None
    deadband: float
    on_delay: dt.timedelta
    off_delay: dt.timedelta
    priority: str
    latched: bool
    safety: bool
    text: Text
    cause: Text
    consequence: Text
    action: Text
    states: tuple[int, ...] = ()
    state_priorities: tuple[tuple[int, str], ...] = ()
    over: dt.timedelta = dt.timedelta()
    times: int = 0

    def with_limit(self, limit: float) -> AlarmSpec:
        """Return the alarm with another threshold, in its words too: they name it last."""
        if self.limit is None:
            return self
        old, new = f"{self.limit:g}", f"{limit:g}"
        en, zh = (new.join(text.rsplit(old, 1)) for text in (self.text.en, self.text.zh))
        return replace(self, limit=limit, text=Text(en, zh))

    def priority_at(self, value: float | None) -> str:
        """Return the priority at a value: a STATE alarm's own for that state, else `priority`."""
        return dict(self.state_priorities).get(int(value), self.priority) if value is not None else self.priority


@dataclass(frozen=True, slots=True)
class Signal:
    """One measured, commanded or derived value of a unit.

    Attributes:
        tag: The signal id, an ISA-5.1 tag.
        role: What it is to its unit (`suction_pressure`); code finds tags by role, never by spelling.
        unit_of_measure: `MPa`, `degC`, `kg/h`, ..; `-` for digital, `enum` for states.
        limits: The configured of LL, L, H, HH.
        rate_s: Sampling period; discrete signals: on change and each `rate_s`.
        fill_rate_s: Period while the hose's state is leak-check..hold, where it differs.
        states: Names of the states, number 0 first; empty for other kinds.
        watches: Names of the units that a detector watches over, where they are not its own.
        gateway: Id of the gateway that carries it.
        twin: Tag of the redundant transmitter that it is compared with.
    """

    tag: str
    area: str
    unit: str
    kind: Kind
    role: str
    name: Text
    unit_of_measure: str
    normal_lo: float
    normal_hi: float
    limits: Mapping[str, float]
    rate_s: float
    fill_rate_s: float | None
    states: tuple[Text, ...]
    alarms: tuple[AlarmSpec, ...]
    watches: tuple[str, ...]
    gateway: str
    twin: str | None = None

    @property
    def key(self) -> UnitKey:
        """The unit that carries it."""
        return (self.area, self.unit)

    @property
    def stale_after(self) -> dt.timedelta:
        """No value for this long is stale: max(15 s, 3 x rate), contract section 7."""
        return dt.timedelta(seconds=max(15.0, 3.0 * self.rate_s))

    @property
    def instrument_range(self) -> tuple[float, float]:
        """Everything of {normal, limits}, widened by 10 % of its spread (contract section 7)."""
        ends = [self.normal_lo, self.normal_hi, *self.limits.values()]
        spread = max(ends) - min(ends)
        return min(ends) - 0.1 * spread, max(ends) + 0.1 * spread

    def state_number(self, english_name: str) -> int:
        """Return the number of a state by its English name.

        Raises:
            KeyError: The signal has no such state.
        """
        for number, state in enumerate(self.states):
            if state.en == english_name:
                return number
        raise KeyError(f"{self.tag} has no state {english_name!r}")


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of equipment within an area, and its signals' tags in the order of the station file."""

    area: str
    name: str
    label: Text
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gateway:
    """A device that publishes some units; `heartbeat` is the tag of its heartbeat age, if it has one."""

    id: str
    label: Text
    units: tuple[UnitKey, ...]
    heartbeat: str | None


@dataclass(frozen=True, slots=True)
class Supply:
    """Tube trailers and how they come.

    Attributes:
        bays: Unit names of the unloading bays (area trailer).
        volume_m3: Water volume of one trailer.
        fill_pressure_mpa, fill_temperature_c: State of a full trailer at the supplier.
        floor_mpa: A trailer at this pressure is empty and goes back.
        swap: Time from one trailer leaving to the next one open.
        delivery_times: Planned arrivals of a normal day, local time.
        delivery_kg: Usual net mass of a delivery, to `floor_mpa`.
        on_call_below_kg: The supplier sends one more when docked plus yard falls below.
        lateness_median, lateness_p95: Of a delivery against its ETA.
    """

    bays: tuple[str, ...]
    volume_m3: float
    fill_pressure_mpa: float
    fill_temperature_c: float
    floor_mpa: float
    swap: dt.timedelta
    delivery_times: tuple[dt.time, ...]
    delivery_kg: float
    on_call_below_kg: float
    lateness_median: dt.timedelta
    lateness_p95: dt.timedelta


@dataclass(frozen=True, slots=True)
class Train:
    """A compressor train (area compression)."""

    unit: str
    rated_kg_h: float
    rated_suction_mpa: float
    floor_suction_mpa: float
    max_discharge_mpa: float
    intercool_c: float
    efficiency_gas_path: float
    efficiency_shaft: float
    efficiency_motor: float
    min_off: dt.timedelta
    mtbf_h: float
    mttr_median_h: float


@dataclass(frozen=True, slots=True)
class Bank:
    """A cascade storage bank (area storage).

    `floor_mpa` is None for the bank whose floor is the end pressure of a fill plus 2 MPa (the high bank).
    `recharge_rank` 1 is recharged first; `draw_rank` 1 is drawn first.
    """

    unit: str
    volume_m3: float
    working_mpa: float
    design_mpa: float
    relief_mpa: float
    recharge_start_mpa: float
    recharge_stop_mpa: float
    floor_mpa: float | None
    recharge_rank: int
    draw_rank: int


@dataclass(frozen=True, slots=True)
class Chiller:
    """A pre-cooling chiller (area cooling)."""

    unit: str
    duty_kw: float
    brine_supply_c: float
    mtbf_h: float
    mttr_median_h: float


@dataclass(frozen=True, slots=True)
class Hose:
    """One fuelling position; stands in areas dispensing and vehicle under the same unit name."""

    unit: str
    dispenser: str
    max_flow_g_s: float
    mtbf_h: float
    mttr_median_h: float


@dataclass(frozen=True, slots=True)
class TruckType:
    """A kind of truck in the fleet.

    Attributes:
        name: Unique.
        tanks, tank_litres: Cylinders and the water volume of each.
        share: Of the arrivals (0..1).
        kind: `III` (metal liner) or `IV` (plastic liner).
        receptacle_g_s: Most flow that its receptacle takes: 60 or, high-flow, 120.
    """

    name: str
    tanks: int
    tank_litres: float
    share: float
    kind: str = "III"
    receptacle_g_s: float = 60.0


@dataclass(frozen=True, slots=True)
class FillRules:
    """How a fill runs: ramp, targets and pauses. Every number is of the station file."""

    cooled_gas_c: float
    mean_flow_g_s: float
    ramp_cooled_mpa_min: float
    ramp_uncooled_mpa_min: float
    end_soc: float
    stop_temperature_c: float
    source_margin_mpa: float
    end_margin_mpa: float
    heating_cooled_k: float
    heating_uncooled_k: float


@dataclass(frozen=True, slots=True)
class Fleet:
    """Who comes to fuel on a usual day.

    Attributes:
        trucks_per_day: Bookings of the plan.
        mean_fill_kg: Kilograms of an average fill.
        arrival_soc_mean, arrival_soc_sd: State of charge on arrival (0..1).
        handling: Time at the hose besides the fill, mean.
        handling_sigma: Log-standard deviation of the handling time.
        patience: A driver leaves after waiting this long.
        hourly_share: 24 shares of the day's arrivals, sum 1, hour 0 first, local time.
        day_factor_cv: Coefficient of variation of a day's total demand.
        weekday_factor: Of a day's demand, Monday first.
        season_amplitude: How far the demand swings about its mean through the year (0..1).
        season_peak: Day of the year of its maximum.
    """

    trucks_per_day: int
    mean_fill_kg: float
    types: tuple[TruckType, ...]
    arrival_soc_mean: float
    arrival_soc_sd: float
    handling: dt.timedelta
    handling_sigma: float
    patience: dt.timedelta
    hourly_share: tuple[float, ...]
    day_factor_cv: float
    weekday_factor: tuple[float, ...] = (1.0,) * 7
    season_amplitude: float = 0.0
    season_peak: int = 1


@dataclass(frozen=True, slots=True)
class Suppression:
    """Suppress-by-design: while `signal` is in one of `states` (or, with `on_none`, has no value), alarms are hidden.

    Attributes:
        name: Short name, unique: row of the station file and the deciding unit (`hose-idle hose-1A`).
        signal: The signal that decides.
        states: The states in which it suppresses.
        tags: Signals whose alarms are hidden.
        conditions: Conditions hidden; empty means all.
        hold: Keeps suppressing this long after the state has gone.
        on_none: Also suppresses while `signal` has not been seen yet or is null.
        label: Why, shown to operators.
    """

    name: str
    signal: str
    states: tuple[int, ...]
    tags: tuple[str, ...]
    conditions: tuple[str, ...]
    hold: dt.timedelta
    on_none: bool = False
    label: Text = Text("", "")


@dataclass(frozen=True)
class Plant:
    """One station, entire.

    Attributes:
        id: Station id as it stands in topics.
        signals: Tag -> signal, in the order of the file.
        units: (area, unit) -> unit, in the order of the file.
        capacity_alarms: `CAP-SHORT`.. -> its spec; `on_delay`, `off_delay` as DOMAIN 4.4 where they apply.
        system_alarms: `SYS-..` -> its spec.
        parameters: Estimates [E] that tune the capacity engine, name -> number, each commented in the file.
    """

    id: str
    label: Text
    timezone: ZoneInfo
    signals: Mapping[str, Signal]
    units: Mapping[UnitKey, Unit]
    gateways: tuple[Gateway, ...]
    supply: Supply
    trains: tuple[Train, ...]
    banks: tuple[Bank, ...]
    chillers: tuple[Chiller, ...]
    hoses: tuple[Hose, ...]
    fleet: Fleet
    fill: FillRules
    suppressions: tuple[Suppression, ...]
    capacity_alarms: Mapping[str, AlarmSpec]
    system_alarms: Mapping[str, AlarmSpec]
    parameters: Mapping[str, float]

    @cached_property
    def _by_role(self) -> dict[tuple[str, str, str], str]:
        return {(s.area, s.unit, s.role): s.tag for s in self.signals.values()}

    def tag(self, area: str, unit: str, role: str) -> str:
        """Return the tag that plays `role` in a unit.

        Raises:
            KeyError: The unit has no signal of that role.
        """
        return self._by_role[(area, unit, role)]

    def tags_with_role(self, role: str) -> tuple[str, ...]:
        """Return every tag of a role, in the order of the file (all gas detectors: `gas`)."""
        return tuple(s.tag for s in self.signals.values() if s.role == role)

    def day_of(self, moment: dt.datetime) -> dt.date:
        """Return the station day (00:00-24:00 local) that holds an aware moment."""
        return moment.astimezone(self.timezone).date()

    def day_start(self, day: dt.date) -> dt.datetime:
        """Return local midnight at the start of a station day, as aware UTC."""
        return dt.datetime.combine(day, dt.time(), self.timezone).astimezone(dt.UTC)
