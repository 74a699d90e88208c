"""What banks lose that no hose gets, and until when.

Gas leaves a hole at the speed of sound, so a leak takes about the same share of what a bank holds every minute. How
long it lasts until somebody has found and closed it is an estimate (`leak_median_h`, lognormal).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from station.domain.capacity_parameters import CapacityParameters
from station.domain.capacity_snapshot import StationSnapshot
from station.domain.lanes import Float
from station.domain.waiting_times import Lasting


def is_leaking(now: StationSnapshot, rules: CapacityParameters) -> bool:
    """Return whether banks lose more than meters are wrong by."""
    return now.lost_kg_h > rules.leak_kg_h


def leak_share_min(now: StationSnapshot, rules: CapacityParameters, bank_kg: Sequence[float]) -> Float:
    """Return what each bank leaks in a minute, as a share of what it holds, [banks, 1]; 0 where none leaks.

    Args:
        now: The station as it stands.
        rules: Its estimates.
        bank_kg: What each bank holds [kg].
    """
    if not is_leaking(now, rules):
        return np.zeros((len(bank_kg), 1))
    shares = [bank.loss_share for bank in now.banks]
    if not any(shares):
        shares = [kg / max(sum(bank_kg), 1e-9) for kg in bank_kg]
    lost = [now.lost_kg_h / 60.0 * share for share in shares]
    return np.array([[min(1.0, kg_min / max(kg, 1.0))] for kg_min, kg in zip(lost, bank_kg, strict=True)])


def leak_until_min(now: StationSnapshot, rules: CapacityParameters, quantile: Float) -> Float:
    """Return quantiles of the time at which the leak is closed [min], of the shape of `quantile`."""
    return Lasting(60.0 * rules.leak_median_h, rules.leak_sigma).remaining(now.leaking_min, quantile)
