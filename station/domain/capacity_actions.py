"""What the crew could do about a shortage, each action a lane of the same run: whether it helps is tried, not guessed.

Trailers called to arrive at several clock times, one or more of them; each tripped train alone and all together; the
chillers; bookings moved out of busy hours; smaller fills; and pairs of the strongest of each kind.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from station.domain import capacity_lanes as variants
from station.domain.capacity_forecast import TriedAction
from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_snapshot import StationSnapshot
from station.domain.lanes import Float, Frame, Lanes
from station.domain.plant import Plant, Text
from station.domain.supply_outlook import gross_kg

CALL_STEPS_H = (0, 1, 2, 3, 4, 6, 8, 10, 12, 15)
"""Called trailers are tried for the first full quarter after the on-call lead, and this many hours on [h].

Several together are tried for each second of these.
"""

MOVE_NOTICE_MIN = 60.0
"""Bookings nearer than this are not moved: the driver is on the road [min]."""

BUSY_MIN, QUIET_MIN = 120.0, 180.0
"""Bookings are moved out of a busy window of this length into a quiet one of that [min]."""

LEAST_MOVED = 3
"""Fewer trucks than this are not worth a call to the fleets."""

_ROUNDING_KG = 1.0
"""Less than this is no difference [kg]."""

Change = Callable[[Lanes], Lanes]


@dataclass(frozen=True, slots=True)
class Action:
    """Something the crew could do.

    Attributes:
        name: Stable key: `call-trailer`, `call-2-trailers`, `restart-train-3`, `restart-chiller-1`, `move-bookings`,
            `end-at-90`; joined by `+` where two are done together.
        text: What to do, as the beginning of a sentence.
        change: What it changes in a lane.
        effort: Of actions that help alike the one with the least effort is advised.
    """

    name: str
    text: Text
    change: Change
    effort: int


_EFFORT = {"call": 0, "restart": 1, "more": 2, "move": 3, "less": 4}
_PAIR_EFFORT = 10


def actions_of(
    plant: Plant, now: StationSnapshot, rules: CapacityParameters, frame: Frame, base: Lanes
) -> tuple[Action, ...]:
    """Return the actions worth trying at a snapshot, single ones first, then pairs.

    Args:
        plant: The station.
        now: What is known.
        rules: The station's estimates.
        frame: What all lanes share.
        base: The lane that the actions are tried in; decides which hours are busy.
    """
    calls = _calls(plant, now, rules, frame)
    trains, chillers = _restarts(plant, now, rules)
    moves = _moves(plant, now, frame, base)
    saver = _smaller_fills(plant, rules)
    # The strongest of each kind: the earliest arrival, everything back, the widest move.
    one = [a for a in calls if a.name == "call-trailer"][:1]
    many = [a for a in calls if a.name != "call-trailer"][:1]
    kinds = [[*one, *many], trains[-1:], chillers[-1:], moves[:1], [saver]]
    pairs = [_both(a, b) for first, second in itertools.combinations(kinds, 2) for a in first for b in second]
    return (*calls, *trains, *chillers, *moves, saver, *pairs)


def tried(actions: tuple[Action, ...], left_kg: Float) -> tuple[TriedAction, ...]:
    """Return each action once with the shortfall it leaves: of arrival times the latest that is as good as the best.

    Args:
        actions: As tried, earlier arrivals of the same name first.
        left_kg: Shortfall with each [kg].
    """
    least: dict[str, float] = {}
    for action, left in zip(actions, left_kg.tolist(), strict=True):
        least[action.name] = min(left, least.get(action.name, left))
    found: dict[str, TriedAction] = {}
    for action, left in zip(actions, left_kg.tolist(), strict=True):
        if left <= least[action.name] + _ROUNDING_KG:
            found[action.name] = TriedAction(action.name, left, action.text, action.effort)
    return tuple(found.values())


# --- trailers ---


def clock(plant: Plant, now: StationSnapshot, minutes: float) -> str:
    """Return hh:mm of a moment, with the date in front where it is not the snapshot's day."""
    moment = dt.datetime.fromtimestamp(now.at_ms / 1e3 + minutes * 60.0, dt.UTC).astimezone(plant.timezone)
    return f"{moment:%H:%M}" if moment.date() == now.day else f"{moment:%m-%d %H:%M}"


def _arrivals(plant: Plant, now: StationSnapshot, rules: CapacityParameters, frame: Frame) -> list[float]:
    """Return the arrivals tried: a full quarter of an hour, then full hours, so that the words stay as time passes."""
    local = dt.datetime.fromtimestamp(now.at_ms / 1e3, dt.UTC).astimezone(plant.timezone)
    into_hour = local.minute + local.second / 60.0
    soonest = -(-(into_hour + rules.on_call_lead_min) // 15.0) * 15.0
    times = [soonest, *(soonest // 60.0 * 60.0 + 60.0 * h for h in CALL_STEPS_H[1:])]
    close_min = min(float(frame.steps), (now.close_ms - now.at_ms) / 6e4)
    # After close a trailer serves nobody of today; the first is tried all the same, so that something is said of it.
    return [t - into_hour for i, t in enumerate(times) if i == 0 or t - into_hour < close_min]


def _calls(plant: Plant, now: StationSnapshot, rules: CapacityParameters, frame: Frame) -> list[Action]:
    return [
        _call(plant, now, number, at_min)
        for number in range(1, int(rules.on_call_trailers) + 1)
        for at_min in _arrivals(plant, now, rules, frame)[:: min(number, 2)]
    ]


def _call(plant: Plant, now: StationSnapshot, number: int, at_min: float) -> Action:
    by, full_kg = clock(plant, now, at_min), gross_kg(plant.supply)

    def change(lane: Lanes) -> Lanes:
        for _ in range(number):
            lane = variants.with_extra_trailer(lane, at_min, full_kg)
        return lane

    if number == 1:
        text = Text(f"Call a trailer to be here by {by}", f"增调一辆长管拖车，最迟 {by} 到站")
        return Action("call-trailer", text, change, _EFFORT["call"])
    text = Text(f"Call {number} trailers to be here by {by}", f"增调 {number} 辆长管拖车，最迟 {by} 到站")
    return Action(f"call-{number}-trailers", text, change, _EFFORT["more"])


# --- equipment ---


def _restarts(plant: Plant, now: StationSnapshot, rules: CapacityParameters) -> tuple[list[Action], list[Action]]:
    """Return the restarts of trains and of chillers: each that is down alone, then all of them."""
    trains = [
        (u.machine.unit, u.repair.median_min, u.kg_min)
        for u in variants.train_units(plant, now, rules)
        if u.repair is not None
    ]
    chillers = [
        (u.machine.unit, u.repair.median_min, u.kg_min)
        for u in variants.chiller_units(plant, now, rules)
        if u.repair is not None
    ]
    return _sets(trains, variants.with_compression_back), _sets(chillers, variants.with_cooling_back)


Unit = tuple[str, float, float]
"""Unit, minutes until it is back by itself, its flow [kg/min]."""


def _sets(units: list[Unit], back: Callable[[Lanes, float, float], Lanes]) -> list[Action]:
    sets = [[u] for u in units] + ([units] if len(units) > 1 else [])
    return [_restart(group, back) for group in sets]


def _restart(units: list[Unit], back: Callable[[Lanes, float, float], Lanes]) -> Action:
    def change(lane: Lanes) -> Lanes:
        for _, until_min, flow in units:
            lane = back(lane, until_min, flow)
        return lane

    names = [unit for unit, _, _ in units]
    named = spoken(names)
    key = names[0] if len(names) == 1 else f"all-{names[0].partition('-')[0]}s"
    return Action(f"restart-{key}", Text(f"Restart {named.en}", f"尽快恢复{named.zh} 运行"), change, _EFFORT["restart"])


_KINDS = {"train": "压缩机组", "chiller": "冷水机组", "hose": "加氢枪"}


def spoken(units: Sequence[str]) -> Text:
    """Return units as they are called on site: `train-1` and `train-3` are train 1 and train 3."""
    en = [unit.replace("-", " ") for unit in units]
    zh = [f"{_KINDS.get(kind, kind)} {number}" for kind, _, number in (unit.partition("-") for unit in units)]
    return Text(" and ".join(filter(None, (", ".join(en[:-1]), en[-1]))), "、".join(zh))


# --- demand ---


def _smaller_fills(plant: Plant, rules: CapacityParameters) -> Action:
    soc, percent = plant.fleet.arrival_soc_mean, round(100.0 * rules.saver_soc)
    share = (rules.saver_soc - soc) / (plant.fill.end_soc - soc)
    text = Text(f"End fills at {percent} % state of charge", f"加注终点降至 SOC {percent} %")
    return Action(f"end-at-{percent}", text, lambda lane: variants.with_smaller_fills(lane, share), _EFFORT["less"])


def _moves(plant: Plant, now: StationSnapshot, frame: Frame, base: Lanes) -> list[Action]:
    """Return moves of bookings: out of the busiest window all and half of them, out of the next one, the widest first.

    Only days with bookings: nobody can be called about trucks that a profile stands in for.
    """
    if not now.demand.bookings or now.day in now.demand.profile_days:
        return []
    arrive = base.trucks.arrive_min[len(base.trucks.at_hose) :, 0]
    close = min((now.close_ms - now.at_ms) / 6e4, float(frame.steps))
    full_hour = 60.0 - (now.at_ms / 6e4) % 60.0
    starts = np.arange(full_hour, close - BUSY_MIN, 60.0)
    starts = starts[starts >= MOVE_NOTICE_MIN]
    counts = [_within(arrive, s, BUSY_MIN) for s in starts]
    moves: list[Action] = []
    taken: list[float] = []
    for index in sorted(range(len(starts)), key=lambda i: (-counts[i], starts[i])):
        start = float(starts[index])
        if len(taken) == 2 or any(abs(start - t) < BUSY_MIN for t in taken):
            continue
        quiet = _quiet_start(arrive, start + BUSY_MIN, close)
        if quiet is None:
            continue
        taken.append(start)
        shares = (counts[index], counts[index] // 2)
        moves += [_move(plant, now, n, start, quiet) for n in shares if n >= LEAST_MOVED]
    return moves


def _within(arrive: Float, start: float, length: float) -> int:
    return int(((arrive >= start) & (arrive < start + length)).sum())


def _quiet_start(arrive: Float, after: float, close: float) -> float | None:
    """Return the start of the quietest window later the same day; the earliest of equals."""
    starts = np.arange(after, close - QUIET_MIN + 1.0, 60.0)
    if not len(starts):
        return None
    return float(min(starts, key=lambda s: _within(arrive, float(s), QUIET_MIN)))


def _move(plant: Plant, now: StationSnapshot, trucks: int, start: float, quiet: float) -> Action:
    out = f"{clock(plant, now, start)}-{clock(plant, now, start + BUSY_MIN)}"
    # The end of the day is 24:00, not 00:00 of another date.
    ends = quiet + QUIET_MIN >= (now.close_ms - now.at_ms) / 6e4 - 0.5
    into = f"{clock(plant, now, quiet)}-{'24:00' if ends else clock(plant, now, quiet + QUIET_MIN)}"
    text = Text(f"Move {trucks} trucks from {out} to {into}", f"将 {out} 的 {trucks} 辆车改约至 {into}")

    def change(lane: Lanes) -> Lanes:
        return variants.with_moved_trucks(lane, (start, start + BUSY_MIN), (quiet, quiet + QUIET_MIN), trucks)

    return Action("move-bookings", text, change, _EFFORT["move"])


def _both(one: Action, other: Action) -> Action:
    text = Text(f"{one.text.en} and {_lower(other.text.en)}", f"{one.text.zh}，并{other.text.zh}")
    effort = _PAIR_EFFORT + one.effort + other.effort
    return Action(f"{one.name}+{other.name}", text, lambda lane: other.change(one.change(lane)), effort)


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def best(actions: tuple[TriedAction, ...], short_kg: float, keep: str | None = None) -> TriedAction | None:
    """Return the action to advise, None where none regains a tenth of the shortfall.

    The least effort among those that help alike; one that was advised before is kept while it is not clearly worse,
    so that a text does not go to and fro.

    Args:
        actions: As tried.
        short_kg: Shortfall without any [kg].
        keep: Name of the action advised before.
    """
    helping = [a for a in actions if a.left_kg <= _WORTH * short_kg]
    if not helping:
        return None
    least = min(a.left_kg for a in helping)
    alike = [a for a in helping if a.left_kg <= least + min(_ALIKE * short_kg, _ALIKE_KG)]
    first = min(alike, key=lambda a: a.effort)
    for action in helping:
        if action.name == keep and action.left_kg <= first.left_kg + min(2 * _ALIKE * short_kg, 2 * _ALIKE_KG):
            return action
    return first


_WORTH = 0.9
"""An action is advised when it leaves at most this share of the shortfall."""

_ALIKE, _ALIKE_KG = 0.05, 20.0
"""Two actions help alike when what they leave differs by at most this share of the shortfall, and this much [kg]."""
