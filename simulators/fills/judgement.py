"""Holding a fill's trace against what was seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulators.fills.case import Expected, FillCase, Reference
from simulators.fills.runner import FillTrace

Float = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One comparison.

    Attributes:
        what: What is compared, e.g. `temperature_c rmse`.
        seen: The reference's number; None for an RMSE.
        ours: Our number, or the RMSE.
        error: Ours less the reference's; the RMSE itself.
        within: The bound; None where none is asked.
    """

    what: str
    seen: float | None
    ours: float
    error: float
    within: float | None

    @property
    def good(self) -> bool:
        """True where the bound holds, or none is asked."""
        return self.within is None or abs(self.error) <= self.within


def judge(case: FillCase, trace: FillTrace) -> list[Verdict]:
    """Return every comparison that a case asks for."""
    verdicts = [verdict for reference in case.references for verdict in _course(reference, trace)]
    verdicts += [_number(expected, trace) for expected in case.expected]
    if case.stop_reason:
        wrong = 0.0 if trace.stop_reason == case.stop_reason else 1.0
        verdicts.append(Verdict(f"ends by {case.stop_reason}", None, wrong, wrong, 0.5))
    return verdicts


def quantity(trace: FillTrace, name: str) -> Float:
    """Return a quantity of a trace by the name that cases use."""
    if name == "added_kg":
        return np.asarray(trace.mass_kg - trace.mass_kg[0])
    if name == "minutes":
        return np.asarray(trace.time_s / 60.0)
    return np.asarray(getattr(trace, name))


def _course(reference: Reference, trace: FillTrace) -> list[Verdict]:
    times = np.array(reference.course.time_s)
    seen = np.array(reference.course.values)
    ours = np.interp(times, trace.time_s, quantity(trace, reference.quantity))
    rmse = float(np.sqrt(np.mean((ours - seen) ** 2)))
    last = float(ours[-1] - seen[-1])
    return [
        Verdict(f"{reference.quantity} rmse of {len(seen)} points", None, rmse, rmse, reference.rmse),
        Verdict(
            f"{reference.quantity} at {times[-1]:g} s", float(seen[-1]), float(ours[-1]), last, reference.end_within
        ),
    ]


def _number(expected: Expected, trace: FillTrace) -> Verdict:
    values = quantity(trace, expected.quantity)
    ours = float(values.max() if expected.at == "peak" else np.interp(trace.end_s, trace.time_s, values))
    return Verdict(
        f"{expected.quantity} at {expected.at}", expected.value, ours, ours - expected.value, expected.within
    )
