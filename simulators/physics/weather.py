"""The site's surroundings: ambient temperature by season and hour, and what follows from it."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

import numpy as np

from simulators.estimates import estimates
from simulators.fleet import epoch_ms, generator
from simulators.physics.roles import Float
from simulators.scenario import Scenario
from station.domain.plant import Plant


@dataclass(frozen=True, slots=True)
class WeatherEstimates:
    """Meanings and reasons stand beside the numbers."""

    year_mean_c: float
    season_c: float
    daily_c: float
    coldest_day: float
    warmest_hour: float
    day_to_day_k: float
    water_c: float
    water_at_c: float
    water_share: float
    water_least_c: float
    water_most_c: float


_E = estimates("simulators.physics", "weather", WeatherEstimates)
_DAILY_C, _WARMEST_HOUR, _DAY_TO_DAY_K = _E.daily_c, _E.warmest_hour, _E.day_to_day_k
_WATER_C, _WATER_AT_C, _WATER_SHARE = _E.water_c, _E.water_at_c, _E.water_share
_WATER_LEAST_C, _WATER_MOST_C = _E.water_least_c, _E.water_most_c
_WEATHER = 4


class Weather:
    """Ambient temperature as a function of time alone, so that no step length changes it."""

    def __init__(self, plant: Plant, scenario: Scenario, seed: int) -> None:
        self._plant, self._scenario, self._seed = plant, scenario, seed
        self._means: dict[dt.date, float] = {}
        self._day: dt.date | None = None
        self._start_ms = self._end_ms = 0

    def ambient_c(self, t_ms: int) -> float:
        """Return the ambient temperature [degC] at a moment (epoch ms)."""
        if not self._start_ms <= t_ms < self._end_ms:
            day = self._plant.day_of(dt.datetime.fromtimestamp(t_ms / 1000.0, dt.UTC))
            self._day = day
            self._start_ms = epoch_ms(self._plant.day_start(day))
            self._end_ms = epoch_ms(self._plant.day_start(day + dt.timedelta(days=1)))
        assert self._day is not None
        hour = (t_ms - self._start_ms) / 3_600_000.0
        other = self._day + dt.timedelta(days=1 if hour >= 12.0 else -1)
        weight = abs(hour - 12.0) / 24.0
        mean = self._mean(self._day) * (1.0 - weight) + self._mean(other) * weight
        return mean + _DAILY_C * math.cos((hour - _WARMEST_HOUR) * math.pi / 12.0)

    def _mean(self, day: dt.date) -> float:
        """Return the mean of a day around its noon [degC]."""
        if day not in self._means:
            if self._scenario.ambient_max_c is not None:
                mean = self._scenario.ambient_max_c - _DAILY_C
            else:
                season = math.cos(2.0 * math.pi * (day.timetuple().tm_yday - _E.coldest_day) / 365.25)
                # Within two deviations: a tail would end a year's run on a day that Zhengzhou never had.
                change = float(generator(self._seed, _WEATHER, day).normal(0.0, _DAY_TO_DAY_K))
                mean = _E.year_mean_c - _E.season_c * season + max(-2 * _DAY_TO_DAY_K, min(2 * _DAY_TO_DAY_K, change))
            self._means[day] = mean
        return self._means[day]


def cooling_water_c(ambient_c: float) -> float:
    """Return the supply temperature of the cooling water [degC]: a tower in summer, kept from freezing in winter."""
    return max(_WATER_LEAST_C, min(_WATER_MOST_C, _WATER_C + _WATER_SHARE * (ambient_c - _WATER_AT_C)))


def cooling_water_c_of(ambient_c: Float) -> Float:
    """Return the same for an array of ambient temperatures [degC]."""
    return np.clip(_WATER_C + _WATER_SHARE * (ambient_c - _WATER_AT_C), _WATER_LEAST_C, _WATER_MOST_C)
