"""`jinma fill`: one single fill, played with the tank model and held against what was published of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from cli.text_files import read_text
from simulators.fills import FillCase, FillTrace, Verdict, judge, load_case, run_fill, shipped_case, shipped_names
from station.adapters.property_tables import hydrogen_tables
from station.errors import BadInputError

_ROWS = 12
"""Lines of a trace that the table shows."""
_COLUMNS = (
    ("time_s", "t s", 1),
    ("pressure_mpa", "p MPa", 2),
    ("temperature_c", "gas C", 1),
    ("wall_c", "wall C", 1),
    ("mass_kg", "kg", 3),
    ("soc", "SOC", 3),
    ("flow_kg_s", "kg/s", 4),
    ("film_w_m2_k", "h W/m2K", 0),
)


def list_cases(*, as_json: bool) -> None:
    """Print the shipped cases: name and title."""
    cases = [shipped_case(name) for name in shipped_names()]
    if as_json:
        print(json.dumps([{"name": case.name, "title": case.title, "source": case.source} for case in cases]))
        return
    for case in cases:
        print(f"{case.name:28} {case.title}")


def play_fill(case: str, *, as_json: bool, output: Path | None) -> None:
    """Play a shipped case or a case file and print its end and every comparison.

    Raises:
        BadInputError: No such case, or a file with mistakes.
    """
    found = _find(case)
    trace = run_fill(found, hydrogen_tables())
    verdicts = judge(found, trace)
    if output is not None:
        _write(output, trace)
    if as_json:
        print(json.dumps(_as_json(found, trace, verdicts), ensure_ascii=False))
    else:
        _print(found, trace, verdicts)


def _find(case: str) -> FillCase:
    path = Path(case)
    if path.suffix == ".toml" or path.exists():
        return load_case(read_text(path), path.name)
    return shipped_case(case)


def _write(output: Path, trace: FillTrace) -> None:
    names = [name for name, _, _ in _COLUMNS]
    table = np.column_stack([getattr(trace, name) for name in names])
    try:
        np.savetxt(output, table, fmt="%.6g", delimiter=",", header=",".join(names), comments="")
    except OSError as error:
        raise BadInputError(f"{output}: {error.strerror or error}") from error


def _as_json(case: FillCase, trace: FillTrace, verdicts: list[Verdict]) -> dict[str, object]:
    last = int(np.searchsorted(trace.time_s, trace.end_s - 1e-9))
    return {
        "case": case.name,
        "stop_reason": trace.stop_reason,
        "end": {name: float(getattr(trace, name)[last]) for name, _, _ in _COLUMNS},
        "added_kg": float(trace.mass_kg[-1] - trace.mass_kg[0]),
        "peak_temperature_c": float(trace.temperature_c.max()),
        "energy_error": trace.energy_error,
        "checks": [
            {"what": v.what, "seen": v.seen, "ours": v.ours, "error": v.error, "within": v.within, "ok": v.good}
            for v in verdicts
        ],
        "ok": all(verdict.good for verdict in verdicts),
    }


def _print(case: FillCase, trace: FillTrace, verdicts: list[Verdict]) -> None:
    print(f"{case.title or case.name}\n")
    print("  ".join(f"{label:>8}" for _, label, _ in _COLUMNS))
    for row in np.unique(np.linspace(0, len(trace.time_s) - 1, _ROWS).astype(int)):
        print("  ".join(f"{getattr(trace, name)[row]:8.{digits}f}" for name, _, digits in _COLUMNS))
    print(f"\nflow ended by {trace.stop_reason} at {trace.end_s:.1f} s; energy error {trace.energy_error:.1e}\n")
    if verdicts:
        print(f"{'against the reference':36}{'seen':>10}{'ours':>10}{'error':>10}{'within':>10}")
    for v in verdicts:
        seen = "" if v.seen is None else f"{v.seen:.2f}"
        within = "" if v.within is None else f"{v.within:g}"
        print(f"{v.what:36}{seen:>10}{v.ours:10.2f}{v.error:10.2f}{within:>10}{'' if v.good else '  MISSED'}")
