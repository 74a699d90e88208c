"""Reading a fill case: every mistake at once, each with its line."""

from __future__ import annotations

import math
import tomllib
from importlib import resources

from simulators.fills.case import (
    Course,
    Drive,
    Expected,
    FillCase,
    MassFlow,
    Orifice,
    PressureCourse,
    PressureRamp,
    Reference,
    Stop,
    Supply,
)
from simulators.physics.tank import E, truck_layers
from simulators.physics.wall import Cylinder, Layer
from station.domain.hydrogen import H35_REFERENCE_KG_M3, KELVIN
from station.domain.toml_reader import FileMistakesError, Mistake, MistakeList, TomlTable, nearest, parse_toml
from station.errors import BadInputError

FORMAT = "fill/1"
QUANTITIES = ("temperature_c", "pressure_mpa", "mass_kg", "added_kg", "soc", "wall_c", "minutes")
STOPS = ("pressure", "temperature", "soc", "time")
_CELLS = 6
"""Shells of each layer: twice as many change an end temperature by less than 0.1 K."""
_MOST_CELLS_THICK_M = 0.5


class FillCaseError(FileMistakesError):
    """A fill case with mistakes."""


def is_fill_case(text: str) -> bool:
    """Return True where a text says that it is a fill case, or is too broken to tell but has its first line."""
    try:
        return str(tomllib.loads(text).get("format", "")).startswith("fill/")
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return any(line.replace(" ", "").startswith('format="fill/') for line in text.splitlines())


def shipped_names() -> list[str]:
    """Return the names of the cases that ship with the program."""
    return sorted(item.name[:-5] for item in resources.files(__package__).iterdir() if item.name.endswith(".toml"))


def shipped_case(name: str) -> FillCase:
    """Return a shipped case.

    Raises:
        BadInputError: No case has that name.
    """
    if name not in shipped_names():
        raise BadInputError(f"no fill case {name!r}{nearest(name, shipped_names())}; see jinma fill --list")
    return load_case(resources.files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"), name)


def load_case(text: str, name: str) -> FillCase:
    """Read a fill case.

    Args:
        text: TOML.
        name: Name of the file, for people.

    Raises:
        FillCaseError: The text has mistakes; each is told with its line.
    """
    data = parse_toml(text)
    if isinstance(data, Mistake):
        raise FillCaseError(name, [data])
    mistakes = MistakeList(text)
    case = _case(TomlTable(data, (), mistakes), name)
    if mistakes:
        raise FillCaseError(name, mistakes.by_line())
    return case


def _case(root: TomlTable, name: str) -> FillCase:
    if root.text("format") != FORMAT:
        root.wrong(f"format must be {FORMAT!r}", "format")
    vessel, start = root.table("vessel", "vessel"), root.table("start", "start")
    heat = root.table("heat_transfer", "heat_transfer", required=False)
    supply = _supply(root.table("supply", "supply"))
    made = FillCase(
        name=root.text("name", name),
        title=root.text("title", ""),
        source=root.text("source", ""),
        shape=_shape(vessel),
        count=vessel.whole("count", at_least=1) if vessel.has("count") else 1,
        layers=_layers(vessel),
        bore_m=_or(vessel, "inlet_bore_mm", E.inlet_bore_m * 1000.0, above=0.0) / 1000.0,
        outside_w_m2_k=_or(vessel, "outside_w_m2_k", E.outside_w_m2_k, at_least=0.0),
        constant_w_m2_k=_heat_transfer(heat),
        start_mpa=start.number("pressure_mpa", above=0.0, at_most=100.0),
        start_k=(start_k := _kelvin(start, "temperature_c")),
        wall_k=_kelvin(start, "wall_c") if start.has("wall_c") else start_k,
        ambient_k=_kelvin(start, "ambient_c"),
        drive=_drive(root.table("drive", "drive"), supply),
        supply=supply,
        stop=_stop(root.table("stop", "stop")),
        full_kg_m3=_or(root, "full_kg_m3", H35_REFERENCE_KG_M3, above=0.0),
        references=tuple(_reference(item) for item in root.tables("reference", "reference", required=False)),
        expected=tuple(_expected(item) for item in root.tables("expected", "expected", required=False)),
        stop_reason=root.word("stop_reason", STOPS, ""),
    )
    for table in (vessel, start, heat, root):
        table.finish()
    return made


def _or(table: TomlTable, key: str, default: float, *, above: float = -math.inf, at_least: float = -math.inf) -> float:
    return table.number(key, above=above, at_least=at_least) if table.has(key) else default


def _kelvin(table: TomlTable, key: str) -> float:
    return table.number(key, at_least=-85.0, at_most=200.0) + KELVIN


def _shape(vessel: TomlTable) -> Cylinder:
    volume = vessel.number("volume_l", above=0.0) / 1000.0
    domed = vessel.word("ends", ("domed", "flat"), "domed") == "domed"
    if vessel.has("truck") and not vessel.has("diameter_mm"):
        width = E.diameter_m * (volume * 1000.0 / E.diameter_of_litres) ** (1.0 / 3.0) if volume > 0.0 else math.nan
        return Cylinder(volume, width, domed)
    width = vessel.number("diameter_mm", above=0.0) / 1000.0
    sphere = math.pi / 6.0 * width**3
    if domed and volume < sphere * 0.999:
        vessel.wrong(
            f"diameter_mm: a sphere that wide holds {sphere * 1000.0:.1f} L, more than volume_l", "diameter_mm"
        )
    return Cylinder(volume, width, domed)


def _layers(vessel: TomlTable) -> tuple[Layer, ...]:
    """The wall: a truck's of a kind, or layers written down."""
    if vessel.has("truck"):
        return truck_layers("IV" if vessel.word("truck", ("III", "IV")) == "IV" else "III")
    tables = vessel.tables("layers", "vessel layer")
    if not tables:
        vessel.wrong('at least one of [[vessel.layers]] is needed, or truck = "III" or "IV"')
    return tuple(_layer(table) for table in tables)


def _layer(table: TomlTable) -> Layer:
    table.text("material", "")
    mass = table.number("mass_kg", above=0.0) if table.has("mass_kg") else None
    made = Layer(
        thickness_m=table.number("thickness_mm", above=0.0, at_most=_MOST_CELLS_THICK_M * 1000.0) / 1000.0,
        conductivity_w_m_k=table.number("conductivity_w_m_k", above=0.0),
        density_kg_m3=table.number("density_kg_m3", above=0.0),
        heat_capacity_j_kg_k=table.number("heat_capacity_j_kg_k", above=0.0),
        cells=_CELLS,
        mass_kg=mass,
    )
    table.finish()
    return made


def _heat_transfer(heat: TomlTable) -> float | None:
    if heat.word("rule", ("jet", "constant"), "jet") == "constant":
        return heat.number("w_m2_k", above=0.0)
    return None


def _supply(table: TomlTable) -> Supply:
    fixed = table.number("pressure_mpa", above=0.0, at_most=100.0) if table.has("pressure_mpa") else None
    if isinstance(table.data.get("temperature_c"), list):
        course = _course(table, "temperature_c")
        kelvin = Course(course.time_s, tuple(value + KELVIN for value in course.values))
    else:
        kelvin = Course((0.0,), (_kelvin(table, "temperature_c"),))
    made = Supply(kelvin, fixed, _or(table, "loss_mpa", 0.0, at_least=0.0))
    if fixed is not None and table.has("loss_mpa"):
        table.wrong("loss_mpa belongs to a supply without a pressure_mpa of its own", "loss_mpa")
    table.finish()
    return made


def _drive(table: TomlTable, supply: Supply) -> Drive:
    kind = table.word("kind", ("mass-flow", "pressure", "ramp", "orifice"))
    made: Drive
    if kind == "mass-flow":
        made = MassFlow(_course(table, "kg_s"))
    elif kind == "pressure":
        made = PressureCourse(_course(table, "mpa"))
    elif kind == "orifice":
        made = Orifice(
            table.number("diameter_mm", above=0.0) / 1000.0, table.number("discharge", above=0.0, at_most=1.0)
        )
        if supply.pressure_mpa is None:
            table.wrong("an orifice needs the supply's pressure_mpa", "kind")
    else:
        made = PressureRamp(table.number("mpa_min", above=0.0) if kind else math.nan)
    if kind:
        table.finish()
    return made


def _course(table: TomlTable, key: str) -> Course:
    """Return a course of `time_s` and `key`, lists of one length; one number is a level course."""
    raw = table.data.get(key)
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return Course((0.0,), (table.number(key),))
    times = table.data.get("time_s")
    count = len(times) if isinstance(times, list) else 1
    course = Course(tuple(table.numbers("time_s", count)), tuple(table.numbers(key, count)))
    if not course.time_s:
        table.wrong("time_s must not be empty", "time_s")
    if any(b <= a for a, b in zip(course.time_s[:-1], course.time_s[1:], strict=True)):
        table.wrong("time_s must rise", "time_s")
    return course


def _stop(table: TomlTable) -> Stop:
    made = Stop(
        pressure_mpa=table.number("pressure_mpa", above=0.0) if table.has("pressure_mpa") else None,
        temperature_k=_kelvin(table, "temperature_c") if table.has("temperature_c") else None,
        soc=table.number("soc", above=0.0, at_most=1.5) if table.has("soc") else None,
        time_s=table.number("time_s", above=0.0) if table.has("time_s") else None,
        duration_s=table.number("duration_s", above=0.0, at_most=86_400.0),
    )
    table.finish()
    return made


def _reference(table: TomlTable) -> Reference:
    made = Reference(
        quantity=table.word("quantity", QUANTITIES[:-1]),
        course=_course(table, "values"),
        rmse=table.number("rmse", above=0.0) if table.has("rmse") else None,
        end_within=table.number("end_within", above=0.0) if table.has("end_within") else None,
    )
    table.finish()
    return made


def _expected(table: TomlTable) -> Expected:
    made = Expected(
        quantity=table.word("quantity", QUANTITIES),
        at=table.word("at", ("end", "peak"), "end"),
        value=table.number("value"),
        within=table.number("within", above=0.0),
    )
    table.finish()
    return made
