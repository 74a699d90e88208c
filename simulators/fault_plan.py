"""Which faults of a scenario come on a day, drawn anew from (seed, day) however the run is cut."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np

from simulators.faults import Fault, make_fault
from simulators.scenario import Scenario, ScheduledFault, choices_of
from station.domain.plant import Plant

_FAULTS = 6
"""Sets these draws apart from those of trucks, trailers, stock, weather and health."""
_DAYS_A_YEAR = 365.25
_DAY_S = 86_400.0


def faults_of_day(plant: Plant, scenario: Scenario, seed: int, day: dt.date, day_start_ms: int) -> Iterator[Fault]:
    """Yield the faults that a scenario brings on a station day.

    Args:
        plant: The station.
        scenario: Its faults.
        seed: Of what is left to chance.
        day: The station's day.
        day_start_ms: When it begins, epoch ms.

    Raises:
        BadInputError: The station cannot play one.
    """
    for place, planned in enumerate(scenario.faults):
        random = np.random.default_rng([seed, _FAULTS, day.toordinal(), place])
        chance, hour, choice = random.random(3).tolist()
        if not _comes(planned, day, chance):
            continue
        start_s = hour * _DAY_S // 60.0 * 60.0 if planned.start is None else planned.start.total_seconds()
        choices = choices_of(plant, planned.name, planned.unit, planned.options)
        unit, options = choices[int(choice * len(choices))]
        yield make_fault(plant, planned.name, unit, day_start_ms + round(start_s * 1000.0), options)


def _comes(planned: ScheduledFault, day: dt.date, chance: float) -> bool:
    if planned.per_year is not None:
        return chance < planned.per_year / _DAYS_A_YEAR
    if planned.date is not None:
        return day == planned.date
    return planned.weekdays is None or day.weekday() in planned.weekdays
