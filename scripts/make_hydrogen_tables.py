"""Make station/data/hydrogen.npz from CoolProp: `python -m scripts.make_hydrogen_tables`.

CoolProp is a tool of development only; the program reads the tables. The axes cover every state of a station: up to
64 kg/m3 (over 90 MPa at -50 degC) and 180..620 K (a compressor's discharge at 3 MPa suction, and vessels in any cold).
"""

from __future__ import annotations

import math
import pathlib

import CoolProp
import numpy as np

from station.domain.hydrogen import SPECIFIC_GAS_CONSTANT_J_KG_K

DENSITIES = np.linspace(0.0, 64.0, 65)
TEMPERATURES = np.linspace(180.0, 620.0, 89)
NEARLY_NOTHING = 1e-6
"""The density [kg/m3] that stands for 0: the equations of CoolProp divide by it."""

OUTPUT = pathlib.Path(__file__).parents[1] / "station" / "data" / "hydrogen.npz"


def main() -> None:
    """Compute every property on the grid and write the file."""
    gas = CoolProp.AbstractState("HEOS", "Hydrogen")
    names = {
        "internal_energy_j_kg": gas.umass,
        "enthalpy_j_kg": gas.hmass,
        "entropy_at_unit_density_j_kg_k": lambda: gas.smass() + SPECIFIC_GAS_CONSTANT_J_KG_K * math.log(gas.rhomass()),
        "cv_j_kg_k": gas.cvmass,
        "dp_dt_mpa_k": lambda: gas.first_partial_deriv(CoolProp.iP, CoolProp.iT, CoolProp.iDmass) / 1e6,
        "sound_speed_m_s": gas.speed_sound,
        "viscosity_pa_s": gas.viscosity,
        "conductivity_w_m_k": gas.conductivity,
    }
    arrays = {name: np.empty((len(DENSITIES), len(TEMPERATURES))) for name in names}
    for i, density in enumerate(DENSITIES):
        for j, temperature in enumerate(TEMPERATURES):
            gas.update(CoolProp.DmassT_INPUTS, max(density, NEARLY_NOTHING), temperature)
            for name, read in names.items():
                arrays[name][i, j] = read()
    np.savez_compressed(OUTPUT, density_kg_m3=DENSITIES, temperature_k=TEMPERATURES, **arrays)
    print(f"{OUTPUT}: {OUTPUT.stat().st_size} bytes, {len(DENSITIES)} x {len(TEMPERATURES)} points")


if __name__ == "__main__":
    main()
