"""The day's fills one by one, as each hose's state, its totaliser and the vehicle's own words tell them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Final

from station.domain.fill_ledger import AT_WORK, END
from station.domain.hydrogen import KELVIN, density
from station.domain.plant import Hose, Plant
from station.domain.report.day_readings import DayReadings, Steps

FULL_SOC: Final = 95.0
"""DOMAIN 6: the share of fills that end at this state of charge or above [%]."""
CHECK_SHARE: Final = 0.05
"""DOMAIN 6: kilograms by the meter and by the vehicle's tank should agree within this."""
_PASSED_BY_MS: Final = 1_000
_SOC_NEAR: Final = 1.0
_PRESSURE_NEAR_MPA: Final = 0.5
_STOP_MPA: Final = 43.75
_HALT, _ABORT = "Halt", "Abort"


@dataclass(frozen=True, slots=True)
class DayFill:
    """One fill; None is not known.

    Attributes:
        start_ms, end_ms: From `connect` to `end` (or to where it broke off), epoch ms; a fill counts to the day of its
            end.
        kg: Rise of the totaliser.
        completed: It passed through `end`.
        start_mpa, end_mpa, start_c, end_c, start_soc, end_soc: Of the vehicle's tank, by its own word [MPa, degC, %].
        tank_kg: What the tank gained by pressure, temperature and nominal volume: a check of the meter.
        link: `yes`, `no` (never heard), `lost` on the way.
        stop: `soc|temperature|pressure|vehicle|other` of a completed fill, else the state it broke off into.
    """

    hose: str
    start_ms: int
    end_ms: int
    kg: float | None
    completed: bool
    start_mpa: float | None
    end_mpa: float | None
    start_c: float | None
    end_c: float | None
    start_soc: float | None
    end_soc: float | None
    tank_kg: float | None
    link: str
    stop: str

    @property
    def minutes(self) -> float:
        """How long it took."""
        return (self.end_ms - self.start_ms) / 60_000.0


@dataclass(frozen=True, slots=True)
class FillFigures:
    """The fills in numbers; None where nothing is known of it.

    Attributes:
        full_share: Of the fills whose end is known, how many reached `FULL_SOC` (0..1).
        full_known: Fills whose state of charge at the end is known.
        kg_unknown: Fills whose kilograms are not.
        meter_off: Fills whose meter and tank differ by more than `CHECK_SHARE`.
        checked: Fills where both are known.
    """

    completed: int
    broken: int
    mean_kg: float | None
    median_minutes: float | None
    longest_minutes: float | None
    full_share: float | None
    full_known: int
    kg_unknown: int
    meter_off: int
    checked: int


def fills_of(plant: Plant, readings: DayReadings) -> list[DayFill]:
    """Return the fills that ended in the day, by their end."""
    found = [fill for hose in plant.hoses for fill in _of_hose(plant, hose, readings)]
    return sorted(found, key=lambda fill: (fill.end_ms, fill.hose))


def fill_figures(fills: Sequence[DayFill]) -> FillFigures:
    """Return a day's fills in numbers."""
    whole = [fill for fill in fills if fill.completed]
    kg = [fill.kg for fill in whole if fill.kg is not None]
    soc = [fill.end_soc for fill in whole if fill.end_soc is not None]
    minutes = [fill.minutes for fill in whole]
    both = [(fill.kg, fill.tank_kg) for fill in whole if fill.kg is not None and fill.tank_kg is not None]
    return FillFigures(
        completed=len(whole),
        broken=len(fills) - len(whole),
        mean_kg=fmean(kg) if kg else None,
        median_minutes=median(minutes) if minutes else None,
        longest_minutes=max(minutes, default=None),
        full_share=sum(one >= FULL_SOC for one in soc) / len(soc) if soc else None,
        full_known=len(soc),
        kg_unknown=sum(fill.kg is None for fill in fills),
        meter_off=sum(abs(meter - tank) > CHECK_SHARE * meter for meter, tank in both),
        checked=len(both),
    )


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A hose at work: when it connected, when the gas began to flow, when it ended and in which state."""

    start_ms: int
    flow_ms: int | None
    end_ms: int
    ended_as: str | None


def _of_hose(plant: Plant, hose: Hose, readings: DayReadings) -> Iterator[DayFill]:
    tag = plant.tag("dispensing", hose.unit, "state")
    names = [state.en for state in plant.signals[tag].states]
    total = plant.tag("dispensing", hose.unit, "total")
    for stretch in _stretches(readings.steps.get(tag, ()), names):
        if not readings.day.holds(stretch.end_ms):
            continue
        first, last = readings.before(total, stretch.start_ms), _at_end(readings, total, stretch.end_ms)
        kg = None if first is None or last is None else max(0.0, last - first)
        if stretch.ended_as != END and kg == 0.0:
            continue  # Taken up and put back.
        yield _fill(plant, hose, readings, stretch, kg)


def _stretches(steps: Steps, names: Sequence[str]) -> Iterator[_Stretch]:
    start_ms: int | None = None
    flow_ms: int | None = None
    for t_ms, value in steps:
        state = None if value is None or not 0 <= value < len(names) else names[int(value)]
        if state in AT_WORK:
            start_ms = t_ms if start_ms is None else start_ms
            flow_ms = t_ms if flow_ms is None and state == "fill" else flow_ms
        elif start_ms is not None and state is not None:
            yield _Stretch(start_ms, flow_ms, t_ms, state)
            start_ms = flow_ms = None
    # Where the state was unknown for a while a fill is taken to go on until the next word says otherwise.


def _at_end(readings: DayReadings, tag: str, end_ms: int) -> float | None:
    """Return a totaliser at the end of a fill: it stands still then, so a word shortly after is as good."""
    found = readings.before(tag, end_ms + _PASSED_BY_MS)
    return readings.after(tag, end_ms) if found is None else found


def _fill(plant: Plant, hose: Hose, readings: DayReadings, stretch: _Stretch, kg: float | None) -> DayFill:
    def tag(role: str) -> str:
        return plant.tag("vehicle", hose.unit, role)

    begun_ms = stretch.start_ms if stretch.flow_ms is None else stretch.flow_ms
    first = [readings.after(tag(role), begun_ms) for role in ("pressure", "temperature", "soc")]
    last = [readings.before(tag(role), stretch.end_ms) for role in ("pressure", "temperature", "soc")]
    litres = readings.after(tag("tank_volume"), begun_ms)
    heard, still = first[0] is not None, last[0] is not None
    return DayFill(
        hose=hose.unit,
        start_ms=stretch.start_ms,
        end_ms=stretch.end_ms,
        kg=kg,
        completed=stretch.ended_as == END,
        start_mpa=first[0],
        end_mpa=last[0],
        start_c=first[1],
        end_c=last[1],
        start_soc=first[2],
        end_soc=last[2],
        tank_kg=_tank_kg(first, last, litres),
        link="yes" if still else ("lost" if heard else "no"),
        stop=_stop(plant, stretch, last, _command(plant, readings, tag("command"), stretch.end_ms)),
    )


def _tank_kg(first: Sequence[float | None], last: Sequence[float | None], litres: float | None) -> float | None:
    if litres is None or None in (*first[:2], *last[:2]):
        return None
    (p0, t0), (p1, t1) = ((float(p or 0.0), float(t or 0.0)) for p, t in (first[:2], last[:2]))
    return (density(p1, t1 + KELVIN) - density(p0, t0 + KELVIN)) * litres / 1000.0


def _command(plant: Plant, readings: DayReadings, tag: str, end_ms: int) -> str:
    """Return the vehicle's last command before the end of its fill; empty where it was not heard."""
    value = readings.before(tag, end_ms - 1)
    names = [state.en for state in plant.signals[tag].states]
    return names[int(value)] if value is not None and 0 <= value < len(names) else ""


def _stop(plant: Plant, stretch: _Stretch, last: Sequence[float | None], command: str) -> str:
    if stretch.ended_as != END:
        return stretch.ended_as or "other"
    pressure, celsius, soc = last
    # A vehicle that is full says so by Halt: what it is full of comes first.
    if soc is not None and soc >= 100.0 * plant.fill.end_soc - _SOC_NEAR:
        return "soc"
    if celsius is not None and celsius >= plant.fill.stop_temperature_c - _SOC_NEAR:
        return "temperature"
    if pressure is not None and pressure >= _STOP_MPA - _PRESSURE_NEAR_MPA:
        return "pressure"
    return "vehicle" if command in (_HALT, _ABORT) else "other"
