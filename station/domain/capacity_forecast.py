"""The result of one forecast and its form on the wire (contract section 6)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from station.domain.capacity_snapshot import InputNow
from station.domain.plant import Text
from station.domain.static_capacity import StaticCapacity

BOTTLENECKS = ("trailers", "compression", "storage", "cooling", "dispensing")
"""In the order in which limits are relaxed; of equal gains the first one is named."""


@dataclass(frozen=True, slots=True)
class Count:
    """Trucks and kilograms."""

    trucks: int
    kg: float


@dataclass(frozen=True, slots=True)
class Band:
    """Quantiles of an uncertain quantity."""

    p10: float
    p50: float
    p90: float


@dataclass(frozen=True, slots=True)
class TriedAction:
    """An action of the crew as it went in the model.

    Attributes:
        name: `call-trailer`, `restart-train-2`, `end-at-90`, ..; two done together are joined by `+`.
        left_kg: Shortfall that is left with it [kg].
        text: What to do, as the beginning of a sentence.
        effort: Of actions that help alike the one with the least is advised.
    """

    name: str
    left_kg: float
    text: Text
    effort: int


@dataclass(frozen=True, slots=True)
class ForecastDetail:
    """How a forecast came about: what the alerts, the console and a back-test need beyond the contract.

    Attributes:
        probability_now: Share of replicas that end short, before smoothing.
        base_shortfall_kg: Shortfall of the deterministic base case, what the day has lost so far included.
        base_lead_minutes: Its lead, None where it is not short.
        short_kg, short_trucks: Of the base case, or of the middle one of the short replicas where that is none.
        regained_kg: Kilograms regained by relaxing one limit at a time, in the order of `BOTTLENECKS`.
        n_minus_1_shortfall_kg: With the largest healthy train away.
        late_trailer_shortfall_kg: With the next trailer 2 h later.
        first_long_wait_at_ms: First arrival that waits over 30 min in the base case.
        next_trailer_eta_ms: When the next trailer is expected in the base case, None where none is.
        trailer_slack_minutes: `trailer_needed_by` less that, None where either is.
        overdue: Ids of the trailers that are overdue, with how late they are [min].
        outage_probability: Belief that the whole supply is interrupted.
        lost_kg: What the day has lost so far; no action brings it back.
        without_trailers_kg: Shortfall if no further trailer came.
        hottest_tank_c: Tank temperature that a fill would end with now [degC].
        down: Trains, chillers and hoses that are out of order.
        actions: What was tried against `short_kg`.
        static: The static indicators at the same moment.
        on_grid: True for a run of the regular grid, False for one that an event asked for.
        replicas: How many replicas the probability rests on.
        kg_by_close: Kilograms of the trucks that arrive before close, those already filled included.
    """

    probability_now: float
    base_shortfall_kg: float
    base_lead_minutes: float | None
    short_kg: float
    short_trucks: int
    regained_kg: tuple[float, ...]
    n_minus_1_shortfall_kg: float
    late_trailer_shortfall_kg: float
    first_long_wait_at_ms: int | None
    next_trailer_eta_ms: int | None
    trailer_slack_minutes: float | None
    overdue: tuple[tuple[str, float], ...]
    outage_probability: float
    lost_kg: float
    without_trailers_kg: float
    hottest_tank_c: float
    down: tuple[str, ...]
    actions: tuple[TriedAction, ...]
    static: StaticCapacity
    on_grid: bool
    replicas: int
    kg_by_close: Band


@dataclass(frozen=True, slots=True)
class Forecast:
    """Whether the station can fill its trucks: contract section 6, field by field; times epoch ms here."""

    station: str
    at_ms: int
    horizon_end_ms: int
    valid: bool
    plan: Count
    done: Count
    deliverable_kg: Band
    trucks_servable: Band
    shortfall_p50_kg: float
    shortfall_p90_kg: float
    shortfall_probability: float
    shortfall_at_ms: int | None
    lead_minutes: float | None
    bottleneck: str
    time_to_empty_minutes: float | None
    queue_wait_p50_minutes: float
    queue_wait_p90_minutes: float
    trailer_needed_by_ms: int | None
    n_minus_1_ok: bool
    inputs: tuple[InputNow, ...]
    advice: Text
    detail: ForecastDetail


def smoothed(previous: Forecast | None, forecast: Forecast, weight: float, run_ms: int = 300_000) -> Forecast:
    """Return the forecast with its probability smoothed over the runs before (EWMA).

    Args:
        previous: The smoothed forecast before, None for the first.
        forecast: A forecast as the model gave it.
        weight: Weight of a run one `run_ms` after the one before; sooner runs weigh less, later ones more.
        run_ms: The regular interval of runs [ms].

    Returns:
        The same forecast, `shortfall_probability` smoothed.
    """
    now = forecast.detail.probability_now
    if previous is None:
        return replace(forecast, shortfall_probability=now)
    runs = max(0, forecast.at_ms - previous.at_ms) / run_ms
    kept = (1.0 - weight) ** runs
    return replace(forecast, shortfall_probability=kept * previous.shortfall_probability + (1.0 - kept) * now)


def _time(t_ms: int | None) -> str | None:
    if t_ms is None:
        return None
    moment = dt.datetime.fromtimestamp(t_ms / 1000.0, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _minutes(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _band(band: Band, digits: int | None) -> dict[str, float]:
    return {"p10": round(band.p10, digits), "p50": round(band.p50, digits), "p90": round(band.p90, digits)}


def forecast_as_json(forecast: Forecast) -> dict[str, object]:
    """Return the forecast as contract section 6 names it: plain JSON types, times RFC 3339 UTC."""
    f = forecast
    return {
        "station": f.station,
        "at": _time(f.at_ms),
        "horizon_end": _time(f.horizon_end_ms),
        "valid": f.valid,
        "plan": {"trucks": f.plan.trucks, "kg": round(f.plan.kg, 1)},
        "done": {"trucks": f.done.trucks, "kg": round(f.done.kg, 1)},
        "deliverable_kg": _band(f.deliverable_kg, 1),
        "trucks_servable": _band(f.trucks_servable, None),
        "shortfall_kg": {"p50": round(f.shortfall_p50_kg, 1), "p90": round(f.shortfall_p90_kg, 1)},
        "shortfall_probability": round(f.shortfall_probability, 4),
        "shortfall_at": _time(f.shortfall_at_ms),
        "lead_minutes": _minutes(f.lead_minutes),
        "bottleneck": f.bottleneck,
        "time_to_empty_minutes": _minutes(f.time_to_empty_minutes),
        "queue_wait_minutes": {
            "p50": round(f.queue_wait_p50_minutes, 1),
            "p90": round(f.queue_wait_p90_minutes, 1),
        },
        "trailer_needed_by": _time(f.trailer_needed_by_ms),
        "n_minus_1_ok": f.n_minus_1_ok,
        "inputs": [_input(i) for i in f.inputs],
        "advice": {"en": f.advice.en, "zh": f.advice.zh},
    }


def _input(i: InputNow) -> dict[str, object]:
    # A gateway's clock may be ahead of the forecast's moment; nothing is younger than new.
    age = None if i.age_s is None else round(max(0.0, i.age_s), 1)
    out: dict[str, object] = {"signal": i.signal, "value": i.value, "quality": i.quality, "age_s": age}
    if i.source != "measured":
        out["source"] = i.source
    return out
