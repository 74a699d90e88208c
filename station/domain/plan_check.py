"""Whether a day's plan can be carried at all, said when it is made and not when the last trucks are turned away."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass

from station.domain.capacity import forecast
from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_snapshot import (
    BankNow,
    BayNow,
    ChillerNow,
    DemandAhead,
    Done,
    Expected,
    HoseNow,
    StationSnapshot,
    TrainNow,
)
from station.domain.capacity_text import BLOCKS
from station.domain.day_plan import DayPlan
from station.domain.learned import Learned
from station.domain.plant import Plant, Text
from station.domain.static_capacity import STANDARD_AMBIENT_C
from station.domain.what_if import Changes, changed


@dataclass(frozen=True, slots=True)
class Feasible:
    """What a plan comes to in the base case: medians everywhere, nothing fails.

    Attributes:
        ok: Whether nobody goes short.
        trucks: How many of the plan's are filled.
        kg: Kilograms that they and the others get.
        shortfall_kg: What is missing.
        bottleneck: What limits, `none` where nothing does.
        text: The same in words.
    """

    ok: bool
    trucks: int
    kg: float
    shortfall_kg: float
    bottleneck: str
    text: Text


def feasible(plant: Plant, plan: DayPlan, now: StationSnapshot | None) -> Feasible | None:
    """Return what a plan comes to; None for a day that is over, or begun and not heard of.

    Today's plan starts from the station as it stands. Another day's starts from its midnight with everything in order
    and every stock full: what fails then can never work.

    Args:
        plant: The station.
        plan: Of one day.
        now: The newest snapshot, None where there is none.
    """
    # A plan is judged by the trailers that it names, not by those that the supplier might send besides.
    plant = dataclasses.replace(plant, parameters={**plant.parameters, "on_call_share": 0.0})
    today = now is not None and plan.date == now.day
    if now is not None and plan.date < now.day:
        return None
    if today and now is not None:
        result = forecast(*changed(plant, now, Changes(plan=plan)), replicas=0)
    else:
        result = forecast(plant, best_start(plant, plan, now.learned if now else None), replicas=0)
    short_kg = result.detail.short_kg
    ok = short_kg < CapacityParameters.of(plant.parameters).shortfall_kg
    short_trucks = 0 if ok else result.detail.short_trucks
    trucks, kg = max(0, len(plan.trucks) - short_trucks), max(0.0, plan.kg - short_kg)
    block = "none" if ok else result.bottleneck
    return Feasible(ok, trucks, kg, short_kg, block, _text(plan, ok, trucks, kg, short_kg, block, today=today))


def best_start(plant: Plant, plan: DayPlan, learned: Learned | None) -> StationSnapshot:
    """Return the station at a day's midnight as it can be at best: full stocks, all in order, trailers announced."""
    start = plant.day_start(plan.date)
    at_ms = round(start.timestamp() * 1000)
    supply = plant.supply
    return StationSnapshot(
        station=plant.id,
        at_ms=at_ms,
        day=plan.date,
        close_ms=round(plant.day_start(plan.date + dt.timedelta(days=1)).timestamp() * 1000),
        bays=tuple(
            BayNow(bay, "open", at_ms, supply.fill_pressure_mpa, supply.fill_temperature_c) for bay in supply.bays
        ),
        banks=tuple(BankNow(b.unit, b.recharge_stop_mpa, STANDARD_AMBIENT_C) for b in plant.banks),
        trains=tuple(TrainNow(t.unit, "standby", available=True, health=1.0, suction_mpa=None) for t in plant.trains),
        chillers=tuple(ChillerNow(c.unit, "run", available=True) for c in plant.chillers),
        hoses=tuple(HoseNow(h.unit, "idle", None, 0.0, None, None, available=True) for h in plant.hoses),
        waiting=(),
        done=Done(0, 0.0, 0, 0.0, None, 0.0),
        demand=DemandAhead(plan.trucks, (), len(plan.trucks), plan.kg),
        expected=tuple(Expected(d.id, d.eta_ms, d.kg, overdue=False) for d in plan.trailers if d.eta_ms >= at_ms),
        yard=0,
        ambient_c=STANDARD_AMBIENT_C,
        inputs=(),
        learned=learned,
    )


def _text(plan: DayPlan, ok: bool, trucks: int, kg: float, short_kg: float, block: str, *, today: bool) -> Text:
    number, name = len(plan.trucks), BLOCKS[block]
    if ok:
        return Text(
            f"The station can carry this plan: {number} trucks, {kg:.0f} kg.",
            f"本站可以完成该计划：{number} 辆车，{kg:.0f} kg。",
        )
    if today:
        return Text(
            f"As the station stands now it fills {trucks} of these {number} trucks; {short_kg:.0f} kg stay short "
            f"({name.en}).",
            f"按本站目前状态，{number} 辆车中只能加满 {trucks} 辆，缺口 {short_kg:.0f} kg（受限环节：{name.zh}）。",
        )
    return Text(
        f"This plan cannot work: with everything in order and all stocks full the station fills {trucks} of these "
        f"{number} trucks; {short_kg:.0f} kg stay short ({name.en}).",
        f"该计划无法完成：即使设备全部正常、储量全满，{number} 辆车中也只能加满 {trucks} 辆，"
        f"缺口 {short_kg:.0f} kg（受限环节：{name.zh}）。",
    )
