"""How well the simulated instruments say they read, for whoever audits what they show."""

from __future__ import annotations

import math

from simulators.measuring.instruments import instrument_type
from station.domain.mass_balance import Accuracy
from station.domain.plant import Plant


def stated_accuracy(plant: Plant) -> Accuracy:
    """Return the standard deviations of every instrument of a simulated station.

    A fixed error is spread evenly over its limits, a slow wander is a wave, a resolution cuts evenly; the wander counts
    as random, since it turns within a day.
    """
    fixed, random = {}, {}
    for signal in plant.signals.values():
        kind = instrument_type(signal)
        fixed[signal.tag] = kind.bias / math.sqrt(3.0)
        random[signal.tag] = math.sqrt(kind.noise**2 + kind.wander**2 / 2.0 + kind.resolution**2 / 12.0)
    return Accuracy(fixed, random)
