"""One single fill, as a case file describes it."""

from __future__ import annotations

from dataclasses import dataclass

from simulators.physics.wall import Cylinder, Layer


@dataclass(frozen=True, slots=True)
class Course:
    """A value over time, straight between its points and level outside them.

    Attributes:
        time_s: Since the start [s], rising.
        values: One for each time.
    """

    time_s: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class MassFlow:
    """The flow is given [kg/s]; less than 0 empties the vessel."""

    kg_s: Course


@dataclass(frozen=True, slots=True)
class PressureCourse:
    """The vessel's pressure is given [MPa]; the flow is what that takes, never outwards."""

    mpa: Course


@dataclass(frozen=True, slots=True)
class PressureRamp:
    """The vessel's pressure rises evenly [MPa/min] from its start."""

    mpa_min: float


@dataclass(frozen=True, slots=True)
class Orifice:
    """A bore between the supply at rest and the vessel.

    Attributes:
        diameter_m: [m].
        discharge: Discharge coefficient (0..1].
    """

    diameter_m: float
    discharge: float


Drive = MassFlow | PressureCourse | PressureRamp | Orifice


@dataclass(frozen=True, slots=True)
class Supply:
    """The state whose enthalpy enters the vessel: throttling on the way leaves it as it is.

    Attributes:
        temperature_k: Over time [K].
        pressure_mpa: Where that temperature stands [MPa]; None: at the vessel's own pressure plus `loss_mpa`.
        loss_mpa: Pressure lost behind the point of that temperature [MPa].
    """

    temperature_k: Course
    pressure_mpa: float | None
    loss_mpa: float


@dataclass(frozen=True, slots=True)
class Stop:
    """What shuts the flow off, whichever comes first; None: that does not. `duration_s` ends the run itself."""

    pressure_mpa: float | None
    temperature_k: float | None
    soc: float | None
    time_s: float | None
    duration_s: float


@dataclass(frozen=True, slots=True)
class Reference:
    """What was seen of a quantity over time; the bounds are None where nothing is asked."""

    quantity: str
    course: Course
    rmse: float | None
    end_within: float | None


@dataclass(frozen=True, slots=True)
class Expected:
    """One number that was seen: `at` the end of the flow, or the greatest of the run (`peak`)."""

    quantity: str
    at: str
    value: float
    within: float


@dataclass(frozen=True, slots=True)
class FillCase:
    """A vessel, its start, what drives the fill and what was seen.

    Attributes:
        name: Short name.
        title: One line.
        source: Where geometry, flow and reference come from.
        shape: Inner shape of one cylinder.
        count: Cylinders alike.
        layers: Wall, from the inside.
        bore_m: Inlet bore of a cylinder [m].
        outside_w_m2_k: Wall to surroundings [W/(m2 K)].
        constant_w_m2_k: Gas to wall [W/(m2 K)]; None: the jet correlation.
        start_mpa: [MPa].
        start_k: Gas [K].
        wall_k: Wall [K].
        ambient_k: [K].
        drive: What moves the gas.
        supply: What state it comes in.
        stop: When it ends.
        full_kg_m3: Density of a full tank [kg/m3].
        references: Courses to be held against.
        expected: Numbers to be held against.
        stop_reason: What must end the flow; empty where nothing is asked.
    """

    name: str
    title: str
    source: str
    shape: Cylinder
    count: int
    layers: tuple[Layer, ...]
    bore_m: float
    outside_w_m2_k: float
    constant_w_m2_k: float | None
    start_mpa: float
    start_k: float
    wall_k: float
    ambient_k: float
    drive: Drive
    supply: Supply
    stop: Stop
    full_kg_m3: float
    references: tuple[Reference, ...]
    expected: tuple[Expected, ...]
    stop_reason: str
