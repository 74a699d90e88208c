"""The station's kilograms from its published values alone: in - out - change of stock - vent = unaccounted.

Nothing but transmitters and meters is read: pressures and temperatures of docked trailers and of banks, the hoses'
totals and states. A trailer counts from the moment its bay opens to the moment it is let go: what it first holds came
in, what it last holds goes back. The error budget says how large the rest may be before it means something (DOMAIN 6).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from station.domain.hydrogen import KELVIN, density
from station.domain.plant import Hose, Plant

COVERAGE: Final = 2.0
"""The budget is two standard deviations: a sound station is beyond it on one day in twenty."""
_CONNECTED_BAY: Final = ("open", "empty")
_PACKED_LINE: Final = ("leak-check", "fill", "hold")
_ROOT_3, _ROOT_12 = math.sqrt(3.0), math.sqrt(12.0)


@dataclass(frozen=True, slots=True)
class BalanceParameters:
    """What no sensor tells of the gas that is let down; [E], may be set in the station file's `[parameters]`.

    Attributes:
        balance_line_m3: Piping from a source's valve to the nozzle, packed at each fill and let down after it [m3].
        balance_line_share: How well the let-down mass is known, one standard deviation: along the line the gas may be
            as cold as the brine or as warm as the air, which is 15 % of its density [share].
        balance_trailer_hose_m3: Hose and bay piping, let down when a trailer is uncoupled; known to half of it [m3].
    """

    balance_line_m3: float = 0.004
    balance_line_share: float = 0.15
    balance_trailer_hose_m3: float = 0.01

    @classmethod
    def of(cls, parameters: Mapping[str, float]) -> BalanceParameters:
        """Return the defaults, replaced by what a station file sets."""
        names = {f.name for f in dataclasses.fields(cls)}
        return cls(**{name: value for name, value in parameters.items() if name in names})


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How well the instruments read; standard deviations in the unit of each signal.

    Attributes:
        fixed: Tag -> of the error that stays the same over the balance; it cancels in part between two readings.
        random: Tag -> of the error that differs from reading to reading: noise, resolution, drift of hours.
        meter_share: Of each hose's meter, as a share of what it counts.
    """

    fixed: Mapping[str, float]
    random: Mapping[str, float]
    meter_share: float = 0.0


@dataclass(frozen=True, slots=True)
class BalanceTerms:
    """What the published values of a stretch of time say [kg].

    Attributes:
        start_ms, end_ms: First and last moment, epoch ms.
        received: In trailers when their bays opened.
        returned: In trailers when they were let go.
        trailers_change, banks_change, lines_change: At the end less at the start: trailers at open bays, banks, packed
            hose lines.
        dispensed: Rise of the hoses' totals.
        vented: Estimate: hose lines let down, trailers uncoupled.
        error: What instruments and estimates may be wrong by, `COVERAGE` standard deviations.
        missing: Signals without which something could not be counted; the balance is no good unless it is empty.
    """

    start_ms: int
    end_ms: int
    received: float
    returned: float
    trailers_change: float
    banks_change: float
    lines_change: float
    dispensed: float
    vented: float
    error: float
    missing: tuple[str, ...] = ()

    @property
    def unaccounted(self) -> float:
        """Neither sold, stored, vented nor sent back [kg]; above 0 gas is missing, below 0 a meter counts too much."""
        stored = self.trailers_change + self.banks_change + self.lines_change
        return self.received - self.returned - stored - self.dispensed - self.vented

    @property
    def share(self) -> float:
        """The same as a share of what was dispensed."""
        return self.unaccounted / max(1.0, self.dispensed)

    @property
    def closes(self) -> bool:
        """Whether the rest is within what the instruments may be wrong by."""
        return not self.missing and abs(self.unaccounted) <= self.error


@dataclass(frozen=True, slots=True)
class Content:
    """A vessel's gas as its transmitters tell it [kg], and how that depends on them [kg/MPa], [kg/K]."""

    kg: float
    kg_mpa: float
    kg_k: float


def content(volume_m3: float, pressure_mpa: float, celsius: float) -> Content:
    """Return what a vessel of `volume_m3` holds at an absolute pressure [MPa] and a gas temperature [degC]."""
    kelvin, pressure = celsius + KELVIN, max(pressure_mpa, 0.0)
    kg = volume_m3 * density(pressure, kelvin)
    above, warmer = density(pressure + 0.05, kelvin), density(pressure, kelvin + 1.0)
    return Content(kg, (volume_m3 * above - kg) / 0.05, volume_m3 * warmer - kg)


@dataclass(frozen=True, slots=True)
class _Vessel:
    """Where a vessel's gas is read: its pressure transmitters (their mean counts) and its temperature's."""

    name: str
    volume_m3: float
    pressures: tuple[str, ...]
    temperature: str


@dataclass(frozen=True, slots=True)
class _Stay:
    """A vessel's gas between two readings; `came`, `went` are False where the balance began or ended meanwhile."""

    vessel: _Vessel
    first: Content
    last: Content
    came: bool = False
    went: bool = False


@dataclass(slots=True)
class _Line:
    """One hose: its total and state, and the gas packed in its line."""

    total: str
    pressure: str
    temperature: str
    state: str
    packed_states: frozenset[int]
    first_total: float | None = None
    first_kg: float = 0.0
    vented_kg: float = 0.0
    fills: int = 0


class MassBalance:
    """Follows published values: `take` them all, `begin` where the balance starts, `terms` at any later moment.

    Args:
        plant: The station.
        accuracy: Of its instruments.
    """

    def __init__(self, plant: Plant, accuracy: Accuracy) -> None:
        self._accuracy = accuracy
        self._known = BalanceParameters.of(plant.parameters)
        self._trailer_m3 = plant.supply.volume_m3
        self._values: dict[str, float] = {}
        self._start_ms = self._t_ms = 0
        self._bays = {plant.tag("trailer", bay, "state"): _trailer_vessel(plant, bay) for bay in plant.supply.bays}
        self._open_states = {tag: _states(plant, tag, _CONNECTED_BAY) for tag in self._bays}
        self._banks = [_bank_vessel(plant, bank.unit, bank.volume_m3) for bank in plant.banks]
        self._lines = {plant.tag("dispensing", hose.unit, "state"): _line(plant, hose) for hose in plant.hoses}
        self._banks_first: dict[str, Content | None] = {}
        self._docked: dict[str, tuple[Content, bool]] = {}
        self._stays: list[_Stay] = []
        self._missing: set[str] = set()

    def take(self, t_ms: int, values: Mapping[str, float | None]) -> None:
        """Take what one unit said at one moment (epoch ms): tag -> value; each unit's words in the order of time.

        None makes a value unknown: what depends on it is then missing, and never taken from the word before.
        """
        self._t_ms = max(self._t_ms, t_ms)
        said = {tag: value for tag, value in values.items() if value is not None}
        # A change of state is judged by the values before it: those beside it may be another trailer's.
        for tag in said.keys() & self._bays.keys():
            self._bay(tag, int(said[tag]))
        for tag in said.keys() & self._lines.keys():
            self._hose(self._lines[tag], int(said[tag]))
        for tag in values.keys() - said.keys():
            self._values.pop(tag, None)
            if tag in self._bays:
                self._missing.add(tag)  # A trailer may come and go meanwhile.
        self._values |= said

    def begin(self) -> None:
        """Start the balance at the values taken last."""
        self._start_ms, self._stays, self._missing = self._t_ms, [], set()
        self._banks_first = {bank.name: self._content(bank) for bank in self._banks}
        self._docked = {}
        for tag, trailer in self._bays.items():
            if self._value(tag) in self._open_states[tag] and (held := self._content(trailer)) is not None:
                self._docked[tag] = (held, False)
        for line in self._lines.values():
            line.first_total, line.vented_kg, line.fills = self._value(line.total), 0.0, 0
            line.first_kg = self._packed_kg(line)

    def terms(self) -> BalanceTerms:
        """Return the balance from `begin` to the values taken last."""
        trailers = [*self._stays, *self._stays_now()]
        banks = [
            _Stay(bank, first, last)
            for bank in self._banks
            if (first := self._banks_first.get(bank.name)) and (last := self._content(bank))
        ]
        lines = self._lines.values()
        counted = [
            now - line.first_total
            for line in lines
            if line.first_total is not None and (now := self._value(line.total)) is not None
        ]
        let_down = sum(line.vented_kg for line in lines)
        hose_share = self._known.balance_trailer_hose_m3 / self._trailer_m3
        uncoupled = hose_share * sum(stay.last.kg for stay in trailers if stay.went)
        return BalanceTerms(
            start_ms=self._start_ms,
            end_ms=self._t_ms,
            received=sum(stay.first.kg for stay in trailers if stay.came),
            returned=sum(stay.last.kg for stay in trailers if stay.went),
            trailers_change=sum(stay.last.kg for stay in trailers if not stay.went)
            - sum(stay.first.kg for stay in trailers if not stay.came),
            banks_change=sum(stay.last.kg - stay.first.kg for stay in banks),
            lines_change=sum(self._packed_kg(line) - line.first_kg for line in lines),
            dispensed=sum(counted),
            vented=let_down + uncoupled,
            error=COVERAGE * self._deviation_kg([*trailers, *banks], counted, let_down, uncoupled),
            missing=tuple(sorted(self._missing)),
        )

    # ---- what happens

    def _bay(self, tag: str, state: int) -> None:
        before = self._values.get(tag)
        is_open, was_open = state in self._open_states[tag], before in self._open_states[tag]
        if before is None or is_open == was_open:
            return
        held = self._content(self._bays[tag])
        if is_open and held is not None:
            self._docked[tag] = (held, True)
        elif not is_open and held is not None and tag in self._docked:
            first, came = self._docked.pop(tag)
            self._stays.append(_Stay(self._bays[tag], first, held, came, went=True))

    def _hose(self, line: _Line, state: int) -> None:
        before = self._values.get(line.state)
        if before in line.packed_states and state not in line.packed_states:
            line.vented_kg += self._packed_kg(line)
            line.fills += 1

    def _stays_now(self) -> list[_Stay]:
        """Return the trailers that stand at open bays, as far as their stay has gone."""
        return [
            _Stay(self._bays[tag], first, now, came)
            for tag, (first, came) in self._docked.items()
            if (now := self._content(self._bays[tag])) is not None
        ]

    # ---- what is read

    def _value(self, tag: str) -> float | None:
        value = self._values.get(tag)
        if value is None:
            self._missing.add(tag)
        return value

    def _content(self, vessel: _Vessel) -> Content | None:
        celsius = self._value(vessel.temperature)
        pressures = [value for tag in vessel.pressures if (value := self._value(tag)) is not None]
        if celsius is None or not pressures:
            return None
        return content(vessel.volume_m3, sum(pressures) / len(pressures), celsius)

    def _packed_kg(self, line: _Line) -> float:
        if self._values.get(line.state) not in line.packed_states:
            return 0.0
        pressure, celsius = self._value(line.pressure), self._value(line.temperature)
        if pressure is None or celsius is None:
            return 0.0
        return content(self._known.balance_line_m3, pressure, celsius).kg

    # ---- how sure it is

    def _deviation_kg(self, stays: list[_Stay], counted: list[float], let_down_kg: float, uncoupled_kg: float) -> float:
        """Return one standard deviation of the unaccounted kilograms.

        A transmitter's fixed error acts on the difference of two readings, so only the difference of their slopes
        counts, summed over all stays at that transmitter; its random error acts on each reading anew.
        """
        fixed: dict[str, float] = {}
        variance = 0.0
        for stay in stays:
            first, last, vessel = stay.first, stay.last, stay.vessel
            twins = len(vessel.pressures)
            slopes = dict.fromkeys(vessel.pressures, (first.kg_mpa / twins, last.kg_mpa / twins))
            slopes[vessel.temperature] = first.kg_k, last.kg_k
            for tag, (begin, end) in slopes.items():
                fixed[tag] = fixed.get(tag, 0.0) + end - begin
                variance += (begin**2 + end**2) * self._accuracy.random.get(tag, 0.0) ** 2
        variance += sum((slope * self._accuracy.fixed.get(tag, 0.0)) ** 2 for tag, slope in fixed.items())
        variance += sum((kg * self._accuracy.meter_share) ** 2 for kg in counted)
        variance += (let_down_kg * self._known.balance_line_share) ** 2
        # The same piping at each uncoupling: its error adds up.
        return math.sqrt(variance + (0.5 * uncoupled_kg) ** 2)


def field_accuracy(plant: Plant) -> Accuracy:
    """Return what is usually assumed of a real station, where nobody has stated better.

    Source: DOMAIN 6: bank pressure within 0.15 MPa, trailer pressure within 0.1 MPa, gas temperature within 5 K of the
    mean of the vessel (one sensor in a long tube), meters within 1.5 %; each taken as the limit of an even spread.
    """
    fixed: dict[str, float] = {}
    for bay in plant.supply.bays:
        vessel = _trailer_vessel(plant, bay)
        fixed |= {vessel.pressures[0]: 0.1 / _ROOT_3, vessel.temperature: 5.0 / _ROOT_3}
    for bank in plant.banks:
        vessel = _bank_vessel(plant, bank.unit, bank.volume_m3)
        fixed |= dict.fromkeys(vessel.pressures, 0.15 / _ROOT_3) | {vessel.temperature: 5.0 / _ROOT_3}
    # How far one temperature sensor is off depends on what the gas has just been through: half stays, half does not.
    temperatures = {tag: value / 2.0 for tag, value in fixed.items() if plant.signals[tag].unit_of_measure == "degC"}
    return Accuracy(fixed | temperatures, temperatures, meter_share=0.015 / _ROOT_3)


def _states(plant: Plant, tag: str, names: tuple[str, ...]) -> frozenset[int]:
    signal = plant.signals[tag]
    return frozenset(signal.state_number(name) for name in names)


def _trailer_vessel(plant: Plant, bay: str) -> _Vessel:
    pressure, temperature = (plant.tag("trailer", bay, role) for role in ("pressure", "temperature"))
    return _Vessel(bay, plant.supply.volume_m3, (pressure,), temperature)


def _bank_vessel(plant: Plant, bank: str, volume_m3: float) -> _Vessel:
    pressures = tuple(plant.tag("storage", bank, role) for role in ("pressure_a", "pressure_b"))
    return _Vessel(bank, volume_m3, pressures, plant.tag("storage", bank, "temperature"))


def _line(plant: Plant, hose: Hose) -> _Line:
    total, pressure, temperature, state = (
        plant.tag("dispensing", hose.unit, role) for role in ("total", "pressure", "delivery_temperature", "state")
    )
    return _Line(total, pressure, temperature, state, _states(plant, state, _PACKED_LINE))
