"""Single fills against published ones: the tank model tried on cases that others have measured or computed.

A case is a TOML file: a vessel, what drives the gas into it, and what was seen. `load_case` reads one with every
mistake told by line, `run_fill` plays it with the same tank model as the station's, `judge` holds it against the
reference.
"""

from simulators.fills.case import FillCase
from simulators.fills.case_file import FillCaseError, is_fill_case, load_case, shipped_case, shipped_names
from simulators.fills.judgement import Verdict, judge
from simulators.fills.runner import FillTrace, run_fill

__all__ = [
    "FillCase",
    "FillCaseError",
    "FillTrace",
    "Verdict",
    "is_fill_case",
    "judge",
    "load_case",
    "run_fill",
    "shipped_case",
    "shipped_names",
]
