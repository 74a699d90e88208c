"""Units of measure of other people's instruments, and how a number of one becomes a number of another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

Convert = Callable[[float], float]

_DIGITS: Final = 12
"""A converted number keeps this many: no instrument has more, and 0.1 K too much of binary arithmetic goes."""
_STANDARD_ATMOSPHERE_PA: Final = 101_325.0
"""Between gauge and absolute pressure; a plant's own barometer differs by some 3 %."""


class _Unit(NamedTuple):
    """number * multiply / divide + offset is the number in the base unit of the dimension."""

    dimension: str
    multiply: float = 1.0
    divide: float = 1.0
    offset: float = 0.0


def _gauge(multiply: float, divide: float = 1.0) -> _Unit:
    return _Unit("pressure", multiply, divide, _STANDARD_ATMOSPHERE_PA)


_UNITS: Final = {
    "Pa": _Unit("pressure"),
    "hPa": _Unit("pressure", 100),
    "mbar": _Unit("pressure", 100),
    "kPa": _Unit("pressure", 1000),
    "bar": _Unit("pressure", 100_000),
    "MPa": _Unit("pressure", 1_000_000),
    "atm": _Unit("pressure", _STANDARD_ATMOSPHERE_PA),
    "psi": _Unit("pressure", 6_894_757_293, 1_000_000),
    "kgf/cm2": _Unit("pressure", 980_665, 10),
    "Pag": _gauge(1),
    "kPag": _gauge(1000),
    "barg": _gauge(100_000),
    "MPag": _gauge(1_000_000),
    "psig": _gauge(6_894_757_293, 1_000_000),
    "K": _Unit("temperature"),
    "degC": _Unit("temperature", offset=273.15),
    "degF": _Unit("temperature", 5, 9, 459.67 * 5 / 9),
    "mg": _Unit("mass", 1, 1_000_000),
    "g": _Unit("mass", 1, 1000),
    "kg": _Unit("mass"),
    "t": _Unit("mass", 1000),
    # 1 kg of hydrogen is 11.13 Nm3 (0 degC, 101.325 kPa), as in the field's own papers.
    "Nm3": _Unit("mass", 100, 1113),
    "Nm3/h": _Unit("mass flow", 100, 1113 * 3600),
    "Nm3/min": _Unit("mass flow", 100, 1113 * 60),
    "kg/s": _Unit("mass flow"),
    "kg/min": _Unit("mass flow", 1, 60),
    "kg/h": _Unit("mass flow", 1, 3600),
    "g/s": _Unit("mass flow", 1, 1000),
    "g/min": _Unit("mass flow", 1, 60_000),
    "g/h": _Unit("mass flow", 1, 3_600_000),
    "t/h": _Unit("mass flow", 1000, 3600),
    "m3": _Unit("volume"),
    "L": _Unit("volume", 1, 1000),
    "mL": _Unit("volume", 1, 1_000_000),
    "m3/s": _Unit("volume flow"),
    "m3/min": _Unit("volume flow", 1, 60),
    "m3/h": _Unit("volume flow", 1, 3600),
    "L/s": _Unit("volume flow", 1, 1000),
    "L/min": _Unit("volume flow", 1, 60_000),
    "L/h": _Unit("volume flow", 1, 3_600_000),
    "W": _Unit("power"),
    "kW": _Unit("power", 1000),
    "MW": _Unit("power", 1_000_000),
    "J": _Unit("energy"),
    "kJ": _Unit("energy", 1000),
    "MJ": _Unit("energy", 1_000_000),
    "Wh": _Unit("energy", 3600),
    "kWh": _Unit("energy", 3_600_000),
    "MWh": _Unit("energy", 3_600_000_000),
    "mV": _Unit("voltage", 1, 1000),
    "V": _Unit("voltage"),
    "kV": _Unit("voltage", 1000),
    "mA": _Unit("current", 1, 1000),
    "A": _Unit("current"),
    "Hz": _Unit("frequency"),
    "kHz": _Unit("frequency", 1000),
    "ms": _Unit("time", 1, 1000),
    "s": _Unit("time"),
    "min": _Unit("time", 60),
    "h": _Unit("time", 3600),
    "mm/s": _Unit("speed", 1, 1000),
    "m/s": _Unit("speed"),
    "km/h": _Unit("speed", 10, 36),
    "mm/h": _Unit("speed", 1, 3_600_000),
    "1": _Unit("share"),
    "%": _Unit("share", 1, 100),
    # The lower explosive limit of hydrogen in air is 4 vol%.
    "%LEL": _Unit("gas in air", 4, 10_000),
    "vol%": _Unit("gas in air", 1, 100),
    "umol/mol": _Unit("purity", 1, 1_000_000),
    "ppm": _Unit("purity", 1, 1_000_000),
    "ppb": _Unit("purity", 1, 1_000_000_000),
}

_SPELLINGS: Final = {
    "C": "degC", "F": "degF", "bara": "bar", "kPaa": "kPa", "MPaa": "MPa", "psia": "psi", "kg/hr": "kg/h", "l": "L",
    "l/min": "L/min", "l/h": "L/h", "l/s": "L/s", "m3/hr": "m3/h", "mbara": "mbar", "degK": "K", "ppmv": "ppm",
    "LEL%": "%LEL", "%vol": "vol%", "kgf/cm2a": "kgf/cm2", "pa": "Pa", "Mpa": "MPa", "MPA": "MPa", "Kpa": "kPa",
    "kpa": "kPa", "mpa": "MPa", "MPaG": "MPag", "barG": "barg", "kPaG": "kPag", "MPaA": "MPa", "barA": "bar",
    "kPaA": "kPa", "kw": "kW", "KW": "kW", "kwh": "kWh", "KWh": "kWh", "KG": "kg",
}  # fmt: skip
"""Other ways to write a unit; the field has no mPa, so a small letter is a slip."""

_SIGNS: Final = str.maketrans(
    {"³": "3", "²": "2", "°": "deg", "℃": "degC", "℉": "degF", "µ": "u", "μ": "u", "(": "", ")": "", " ": "", "％": "%"}
)


def unit_named(text: str) -> str | None:
    """Return the name that this module knows a unit by (`℃` -> `degC`), None where it knows none."""
    plain = text.translate(_SIGNS)
    name = _SPELLINGS.get(plain, plain)
    return name if name in _UNITS else None


def units_like(text: str) -> list[str]:
    """Return all units that measure the same as this one."""
    name = unit_named(text)
    return [] if name is None else [other for other, unit in _UNITS.items() if unit.dimension == _UNITS[name].dimension]


def conversion(source: str, target: str) -> Convert | None:
    """Return what makes a number in one unit a number in another.

    Args:
        source: The unit that the number has; any usual spelling. Pressures are absolute unless named gauge (`barg`).
        target: The unit wanted.

    Returns:
        The conversion, None where the two do not measure the same or one of them is unknown.
    """
    if source == target:
        return _unchanged
    names = unit_named(source), unit_named(target)
    if names[0] is None or names[1] is None:
        return None
    own, other = _UNITS[names[0]], _UNITS[names[1]]
    if own.dimension != other.dimension:
        return None
    if own == other:
        return _unchanged
    # Whole numbers on both sides of the division: 2.60419e7 Pa is 26.0419 MPa to the last digit.
    multiply, divide = own.multiply * other.divide, own.divide * other.multiply
    shift = (own.offset - other.offset) * other.divide / other.multiply
    return lambda number: rounded(number * multiply / divide + shift)


def rounded(number: float) -> float:
    """Return a number without the dust of binary arithmetic."""
    return float(f"{number:.{_DIGITS}g}")


def _unchanged(number: float) -> float:
    return number
