"""Say how far the gas properties are from CoolProp: `python -m scripts.state_gas_errors`, as docs/physics.md shows it.

It reads CoolProp's numbers from tests/data/hydrogen_reference.json, which `python -m scripts.make_hydrogen_reference`
wrote at random states of -50..125 degC and 0.1..90 MPa, so that anyone can run it without CoolProp.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulators.physics.gas import gas_of
from station.adapters.property_tables import hydrogen_tables
from station.domain import hydrogen
from tests.support.hydrogen_reference import hydrogen_reference

Float = npt.NDArray[np.float64]


def errors() -> dict[str, Float]:
    """Return each property's errors: its name and unit -> one error for each state."""
    known = hydrogen_reference("loop")
    mpa, kelvin, rho = known["pressure_mpa"], known["temperature_k"], known["density_kg_m3"]
    cp, cv = known["cp_j_kg_k"], known["cv_j_kg_k"]
    tables, gas = hydrogen_tables(), gas_of(hydrogen_tables())
    found: dict[str, Float] = {"equation: density [%]": (hydrogen.density_kg_m3(mpa, kelvin) / rho - 1.0) * 100.0}
    for name in ("enthalpy_j_kg", "internal_energy_j_kg"):
        label = f"tables: {name.rsplit('_', 2)[0].replace('_', ' ')} [mK]"
        found[label] = (tables.lookup(name, rho, kelvin) - known[name]) / cp * 1000.0
    for name in ("cv_j_kg_k", "sound_speed_m_s", "viscosity_pa_s", "conductivity_w_m_k"):
        word = {"cv_j_kg_k": "cv", "sound_speed_m_s": "sound speed"}.get(name, name.split("_", maxsplit=1)[0])
        found[f"tables: {word} [%]"] = (tables.lookup(name, rho, kelvin) / known[name] - 1.0) * 100.0
    points = list(zip(rho.tolist(), kelvin.tolist(), mpa.tolist(), strict=True))
    state = np.array([gas.state(r, t) for r, t, _ in points])
    transport = np.array([gas.transport(r, t) for r, t, _ in points])
    enthalpy = np.array([gas.enthalpy(p, t) for _, t, p in points])
    found["loop: pressure [%]"] = (state[:, 0] / mpa - 1.0) * 100.0
    found["loop: pressure against the equation [%]"] = (state[:, 0] / hydrogen.pressure_mpa(rho, kelvin) - 1.0) * 100.0
    found["loop: internal energy [mK]"] = (state[:, 1] - known["internal_energy_j_kg"]) / cv * 1000.0
    found["loop: cv [%]"] = (state[:, 2] / cv - 1.0) * 100.0
    found["loop: enthalpy [mK]"] = (enthalpy - known["enthalpy_j_kg"]) / cp * 1000.0
    found["loop: conductivity [%]"] = (transport[:, 0] / known["conductivity_w_m_k"] - 1.0) * 100.0
    found["loop: viscosity [%]"] = (transport[:, 1] / known["viscosity_pa_s"] - 1.0) * 100.0
    return found


def main() -> None:
    """Print a row for each property."""
    print("| property | greatest error | root mean square |\n|---|---|---|")
    for name, error in errors().items():
        print(f"| {name} | {np.abs(error).max():.2g} | {np.sqrt(np.mean(error**2)):.2g} |")


if __name__ == "__main__":
    main()
