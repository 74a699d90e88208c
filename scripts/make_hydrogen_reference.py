"""Make tests/data/hydrogen_reference.json from CoolProp: `python -m scripts.make_hydrogen_reference`.

The unit tests hold our hydrogen against these numbers; CoolProp itself takes longer to import than all of them to run.
"""

from __future__ import annotations

import json
import pathlib
from typing import Final

import CoolProp
import numpy as np
from CoolProp.CoolProp import PropsSI

OUTPUT = pathlib.Path(__file__).parents[1] / "tests" / "data" / "hydrogen_reference.json"
TABLES: Final = {
    "enthalpy_j_kg": "H",
    "internal_energy_j_kg": "U",
    "cv_j_kg_k": "CVMASS",
    "sound_speed_m_s": "A",
    "viscosity_pa_s": "V",
    "conductivity_w_m_k": "L",
}


def main() -> None:
    """Compute every reference value and write the file."""
    random = np.random.default_rng(1)
    mpa, kelvin = random.uniform(0.1, 90.0, 500).round(6), random.uniform(223.15, 398.15, 500).round(6)
    reference = {
        "made_by": f"CoolProp {CoolProp.__version__}",
        "density": {
            "pressure_mpa": mpa.tolist(),
            "temperature_k": kelvin.tolist(),
            "density_kg_m3": PropsSI("D", "P", mpa * 1e6, "T", kelvin, "Hydrogen").tolist(),
        },
        "tables": _tables(),
        "entropy": {
            "pressure_mpa": [5.0, 45.0],
            "temperature_k": [298.15, 450.0],
            "entropy_j_kg_k": [PropsSI("S", "P", p, "T", t, "Hydrogen") for p, t in ((5e6, 298.15), (45e6, 450.0))],
        },
        "expansion": _expansion(),
        "loop": _loop(),
    }
    OUTPUT.write_text(json.dumps(reference) + "\n", encoding="utf-8")
    print(f"{OUTPUT}: {OUTPUT.stat().st_size} bytes")


def _tables() -> dict[str, list[float]]:
    """Properties between the points of our tables."""
    random = np.random.default_rng(2)
    rho, kelvin = random.uniform(0.5, 45.0, 200).round(6), random.uniform(223.0, 560.0, 200).round(6)
    values = {name: PropsSI(key, "D", rho, "T", kelvin, "Hydrogen").tolist() for name, key in TABLES.items()}
    return {"density_kg_m3": rho.tolist(), "temperature_k": kelvin.tolist(), **values}


def _loop() -> dict[str, list[float]]:
    """States between the points of the stepping loop's grids: -50..125 degC and 0.1..90 MPa."""
    random = np.random.default_rng(4)
    mpa, kelvin = random.uniform(0.1, 90.0, 600).round(6), random.uniform(223.15, 398.15, 600).round(6)
    names = {"density_kg_m3": "D", "cp_j_kg_k": "CPMASS"} | TABLES
    values = {name: PropsSI(key, "P", mpa * 1e6, "T", kelvin, "Hydrogen").tolist() for name, key in names.items()}
    return {"pressure_mpa": mpa.tolist(), "temperature_k": kelvin.tolist(), **values}


def _expansion() -> dict[str, list[float]]:
    """The isentrope from 45 MPa and 20 degC, as an insulated bank is drawn to about 25 MPa."""
    entropy = PropsSI("S", "P", 45e6, "T", 293.15, "Hydrogen")
    mpa = np.linspace(24.0, 26.0, 21)
    return {
        "pressure_mpa": mpa.tolist(),
        "temperature_k": PropsSI("T", "P", mpa * 1e6, "S", entropy, "Hydrogen").tolist(),
    }


if __name__ == "__main__":
    main()
