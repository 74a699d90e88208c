"""A log that another program could have written."""

from __future__ import annotations

from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "h2station"
HEADER = (
    "time_s,bank_low_mass_kg,bank_low_pressure_pa,bank_low_temperature_k,bank_mid_mass_kg,bank_mid_pressure_pa,"
    "bank_mid_temperature_k,bank_high_mass_kg,bank_high_pressure_pa,bank_high_temperature_k,header_pressure_pa,"
    "header_temperature_k,header_mass_kg,vehicle_pressure_pa,vehicle_temperature_k,vehicle_2_pressure_pa,"
    "vehicle_2_temperature_k,nozzle_1_mass_flow_kg_s,nozzle_2_mass_flow_kg_s,pcv_1_mass_flow_kg_s,"
    "pcv_2_mass_flow_kg_s,dispatch_bank,recharge_bank"
)


def foreign_log(path: Path, rows: int = 120) -> Path:
    """A log of the columns of docs/examples/h2station, with numbers of our own."""
    lines = [HEADER]
    for n in range(rows):
        numbers = [9.9 - n / 1e3, 2.6e7 - 1e3 * n, 298.15, 13.0, 3.4e7, 298.15, 16.2, 4.2e7, 298.1, 4.5e7, 298.0, 0.4]
        numbers += [5e6 + 1e5 * n, 298.15 + n / 10, 5e6, 298.15, 0.0123, 0.0, 0.001, 0.0]
        words = (("low", "high"), ("medium", ""), ("", "low"))[n % 3]
        lines.append(",".join([f"{n}.000", *(f"{number:.6g}" for number in numbers), *words]))
    path.write_bytes("\r\n".join(lines).encode() + b"\r\n")
    return path
