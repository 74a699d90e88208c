"""A station file's mistakes: each class of them is told, on its line, all at once, and nothing else is ever raised."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.domain.plant import Plant
from station.domain.plant_file import Mistake, PlantFileError, load_plant
from tests.support.plants import small_station, small_station_text

TEXT = small_station_text()
LINES = TEXT.splitlines()


def mistakes_of(text: str) -> list[Mistake]:
    with pytest.raises(PlantFileError) as caught:
        load_plant(text, "small.toml")
    return caught.value.mistakes


def line_with(text: str, part: str) -> int:
    """The number of the only line that holds `part`."""
    found = [number for number, line in enumerate(text.splitlines(), 1) if part in line]
    assert len(found) == 1, f"{part!r} stands on lines {found}"
    return found[0]


class Slip(NamedTuple):
    """One edit of the small station: `old` -> `new`, and what is said about the line that then holds `at`."""

    old: str
    new: str
    at: str
    said: str


SLIPS = {
    "LL above L": Slip("LL=4.5, L=4.8", "LL=6.0, L=4.8", "LL=6.0", "signal PT-111: limit LL 6.0 is above L 4.8"),
    "L equals LL": Slip("LL=4.5, L=4.8", "LL=4.8, L=4.8", "LL=4.8", "signal PT-111: limit LL 4.8 equals L 4.8"),
    "L above H": Slip("L=4.8, H=22.5", "L=30, H=22.5", "L=30", "limit L 30.0 is above H 22.5"),
    "limit cannot be": Slip("HH=23.5", "HH=2350", "HH=2350", "limit HH 2350 is outside what MPa can be (0 to 200)"),
    "limit below absolute zero": Slip("H=55", "LL=-300", "LL=-300", "limit LL -300 is outside what degC can be"),
    "limit outside the transmitter": Slip(
        "H=55", "H=155, range=[-50, 100]", "H=155", "limit H 155 is outside the instrument range (-50 to 100)"
    ),
    "low limit above normal": Slip("H=55", "L=70", "L=70", "limit L 70.0 is above everything normal (to 50)"),
    "high limit below normal": Slip("H=55", "H=-40", "H=-40", "limit H -40.0 is below everything normal (from -25)"),
    "normal upside down": Slip("normal=[-25, 50]", "normal=[50, -25]", "[50, -25]", "normal: 50 is above -25"),
    "normal of three": Slip("normal=[-25, 50]", "normal=[1, 2, 3]", "[1, 2, 3]", "normal has 3 numbers, must have 2"),
    "unknown unit of measure": Slip(
        'unit="degC", normal=[-25', 'unit="degc", normal=[-25', '"degc"', "did you mean 'degC'?"
    ),
    "unknown kind": Slip('kind="AC"', 'kind="AX"', '"AX"', "kind 'AX' is unknown"),
    "unknown area": Slip(
        'at = "fire_gas/bays"', 'at = "firegas/bays"', "firegas", "area 'firegas' is unknown; did you mean"
    ),
    "unit without a name": Slip('at = "fire_gas/bays"', 'at = "fire_gas/"', '"fire_gas/"', "at must be area/name"),
    "unit twice": Slip(
        'at = "system/gateways"', 'at = "storage/bank-HB"  # again', "# again", "unit storage/bank-HB: stands twice"
    ),
    "tag twice": Slip(
        'tag="TT-112"', 'tag="PT-111"', 'role="temperature", kind="AI", unit="degC", normal=[-25', "tag stands twice"
    ),
    "tag of another form": Slip('tag="TT-112"', 'tag="TT 112"', "TT 112", "must look like PT-330A"),
    "role twice": Slip(
        'role="temperature", kind="AI", unit="degC", normal=[-25',
        'role="pressure", kind="AI", unit="degC", normal=[-25',
        '"TT-112"',
        "role 'pressure' is already played by PT-111",
    ),
    "unknown alarm type": Slip(
        'type="train_state"',
        'type="train_stat"',
        'train_stat"',
        "type 'train_stat' is unknown; did you mean 'train_state'?",
    ),
    "role that is no type": Slip(
        'role="suction_pressure", type="pressure"',
        'role="suction_pressure"',
        '"PT-2101"',
        "no alarm type is called like role 'suction_pressure'",
    ),
    "unknown states": Slip(
        'states="train"', 'states="trains"', '"trains"', "states 'trains' is unknown; did you mean 'train'?"
    ),
    "state that is not there": Slip(
        'states = {trip="high"}', 'states = {trap="high"}', '"XS-210D"', "names state 'trap', which it does not have"
    ),
    "rate of nothing": Slip("HH=23.5, rate=1", "HH=23.5, rate=0", "rate=0,", "rate 0 must be above 0"),
    "rate missing": Slip("HH=23.5, rate=1", "HH=23.5", '"PT-111"', "key 'rate' is missing"),
    "unknown key of a signal": Slip(
        "HH=23.5, rate=1", "HH=23.5, raet=1, rate=1", "raet", "key 'raet' is unknown; did you mean 'rate'?"
    ),
    "unknown key of the file": Slip('id = "small"', 'id = "small"\nlable = "x"', "lable", "key 'lable' is unknown"),
    "unknown parameter": Slip(
        "shortfall_kg = 40.0", "shortfal_kg = 40.0", "shortfal_kg", "did you mean 'shortfall_kg'?"
    ),
    "Chinese name missing": Slip(
        'en="bay 1 state", zh="1号卸气位状态"', 'en="bay 1 state"', '"XS-116"', "key 'zh' is missing"
    ),
    "name empty": Slip('en="bay 1 state"', 'en=" "', '"XS-116"', "en must not be empty"),
    "watches nothing": Slip(
        'HH=25, rate=1, watches=["bay-1"]',
        'HH=25, rate=1, watches=["bay-7"]',
        "bay-7",
        "watches 'bay-7', which is no unit",
    ),
    "bay of no supply": Slip(
        'bays = ["bay-1"]', "bays = []", "bays = []", "unit trailer/bay-1 is missing in supply.bays"
    ),
    "supply bay of no unit": Slip(
        'bays = ["bay-1"]',
        'bays = ["bay-1", "bay-2"]',
        '"bay-2"',
        "'bay-2' is no unit of area trailer; did you mean 'bay-1'?",
    ),
    "train of no row": Slip(
        '{units=["train-1"], rated',
        '{units=["train-9"], rated',
        "trains = [",
        "unit compression/train-1 is missing in equipment.trains",
    ),
    "bank twice": Slip(
        'units=["bank-HB"]', 'units=["bank-HB", "bank-HB"]', '"bank-HB", "bank-HB"', "banks: 'bank-HB' stands twice"
    ),
    "train without a flow": Slip(
        'role="flow", type="any", kind="AI", unit="kg/h"',
        'role="flows", type="any", kind="AI", unit="kg/h"',
        '{units=["train-1"]',
        "has no signal with role 'flow'",
    ),
    "no such dispenser": Slip(
        'dispenser="dispenser-1"', 'dispenser="dispenser-2"', "dispenser-2", "dispenser 'dispenser-2' is no unit"
    ),
    "gateway carries nothing": Slip(
        '"fire_gas/*"]', '"fire_gas/*", "cooling/*"]', "cooling/*", "'cooling/*' is no unit"
    ),
    "unit without gateway": Slip(
        '"storage/*", ', "", 'at = "storage/bank-HB"', "unit storage/bank-HB: no gateway carries it"
    ),
    "unit with two gateways": Slip(
        '"vehicle/*"]',
        '"vehicle/*", "storage/*"]',
        '"vehicle/*", "storage/*"',
        "unit storage/bank-HB is already carried by gateway plc",
    ),
    "heartbeat of nothing": Slip(
        'heartbeat = "XH-9501"',
        'heartbeat = "XH-9502"',
        "XH-9502",
        "heartbeat 'XH-9502' is no signal; did you mean 'XH-9501'?",
    ),
    "truck shares": Slip("share=0.4", "share=0.5", "types = [", "types: shares sum to 1.1, must sum to 1"),
    "hourly shares": Slip(
        "0, 0.25, 0.25, 0, 0, 0, 0, 0, 0, 0, 0, 0.25",
        "0, 0.20, 0.25, 0, 0, 0, 0, 0, 0, 0, 0, 0.25",
        "hourly_share",
        "shares sum to 0.95",
    ),
    "negative share": Slip("share=0.4", "share=-0.4", "types = [", "a share is negative"),
    "negative volume": Slip(
        "volume_m3 = 26.0", "volume_m3 = -26.0", "-26.0", "supply: volume_m3 -26.0 must be above 0"
    ),
    "not finite": Slip("volume_m3 = 26.0", "volume_m3 = nan", "nan", "volume_m3 nan must be finite"),
    "text for a number": Slip("volume_m3 = 26.0", 'volume_m3 = "26"', '"26"', "volume_m3 must be a number, not '26'"),
    "number for a text": Slip(
        'timezone = "Asia/Shanghai"', "timezone = 8", "timezone", "timezone must be a text, not 8"
    ),
    "truth for a number": Slip(
        "trucks_per_day = 12",
        "trucks_per_day = true",
        "trucks_per_day",
        "trucks_per_day must be a whole number, not true",
    ),
    "table for a list": Slip(
        "signals = []", "signals = {}", "signals = {}", "signals must be a list of tables, not a table"
    ),
    "no such time zone": Slip("Asia/Shanghai", "Asia/Shanghia", "Shanghia", "timezone 'Asia/Shanghia' is unknown"),
    "duration without unit": Slip('swap = "60m"', 'swap = "60"', '"60"', "swap '60' must be a duration"),
    "lateness upside down": Slip(
        'lateness_p95 = "90m"', 'lateness_p95 = "9m"', '"9m"', "lateness_p95 is less than lateness_median"
    ),
    "no time of day": Slip('"06:00"', '"25:00"', "25:00", "'25:00' must be a time of day"),
    "times fall": Slip(
        '["06:00", "18:00"]', '["18:00", "06:00"]', "delivery_times", "delivery_times must rise through the day"
    ),
    "relief above design": Slip(
        "relief_mpa=49.5", "relief_mpa=55", "relief_mpa=55", "relief_mpa 55 is above design_mpa 50"
    ),
    "id of another form": Slip('id = "small"', 'id = "Small/1"', "Small/1", "it stands in topics"),
    "newer format": Slip("format = 1", "format = 2", "format = 2", "format 2 is newer than this program's 1"),
    "suppression of nothing": Slip(
        '"dispensing/{unit}:flow"',
        '"dispensing/{unit}:fluw"',
        "fluw",
        "'dispensing/hose-1A:fluw' matches no signal; did you mean 'dispensing/hose-1A:flow'?",
    ),
    "suppression by nothing": Slip('when = "dispensing/*:state"', 'when = "XS-999"', "XS-999", "'XS-999' is no signal"),
    "suppression by no state": Slip(
        'is = ["idle"]', 'is = ["idel"]', "idel", "XS-518A has no state 'idel'; did you mean 'idle'?"
    ),
    "suppression of no condition": Slip('["H", "HH", "STALE"]', '["H", "HHH"]', "HHH", "conditions: 'HHH' is unknown"),
    "priority": Slip(
        'HH = {on="15s", off="15s", priority="high"}',
        'HH = {on="15s", off="15s", priority="hihg"}',
        "hihg",
        "priority 'hihg' is unknown; did you mean 'high'?",
    ),
    "type like nothing": Slip('like = "any"\nHH', 'like = "ann"\nHH', '"ann"', "like 'ann' is no alarm type"),
    "type without texts": Slip(
        "stale = {cause", "stale_ = {cause", "PT-111", "its alarm type 'pressure' is not complete: stale needs"
    ),
    "placeholder": Slip(
        "{name}: no value", "{nam}: no value", "{nam}", "{nam} is no placeholder; did you mean 'name'?"
    ),
    "state names differ in number": Slip(
        'zh=["无车", "供气中"]', 'zh=["无车"]', 'zh=["无车"]', "states bay: en has 2 names, zh 1"
    ),
    "deadband twice": Slip(
        "deadband_percent = 2", "deadband_percent = 2\ndeadband = 1", "deadband = 1", "exclude each other"
    ),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_is_told_with_its_line(name: str) -> None:
    slip = SLIPS[name]
    assert TEXT.count(slip.old) == 1, "the edit must be exact"
    damaged = TEXT.replace(slip.old, slip.new)
    line = line_with(damaged, slip.at.rstrip("\n"))
    found = mistakes_of(damaged)
    assert any(mistake.line == line and slip.said in mistake.text for mistake in found), [str(m) for m in found]


def test_every_mistake_is_told_at_once_in_the_order_of_the_file() -> None:
    damaged = (
        TEXT.replace("LL=4.5, L=4.8", "LL=6.0, L=4.8")
        .replace("share=0.4", "share=0.5")
        .replace('kind="AC"', 'kind="AX"')
    )
    found = mistakes_of(damaged)
    assert [mistake.text.split(":")[0] for mistake in found] == ["fleet", "signal PT-111", "signal FQ-516A"]
    assert [mistake.line for mistake in found] == sorted(mistake.line for mistake in found)


def test_the_error_names_the_file_and_each_line() -> None:
    damaged = TEXT.replace("LL=4.5, L=4.8", "LL=6.0, L=4.8")
    with pytest.raises(PlantFileError) as caught:
        load_plant(damaged, "small.toml")
    line = line_with(damaged, "LL=6.0")
    assert str(caught.value) == f"small.toml: 1 mistake\n  line {line}: signal PT-111: limit LL 6.0 is above L 4.8"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("format = 1\nid = \n", 2),
        ("format = 1\nid = 'a'\nid = 'b'\n", 3),
        ("format = 1\n[supply\n", 2),
        ("format = 1\nx = [1,\n2,\n", 3),
    ],
)
def test_a_syntax_error_has_its_line(text: str, line: int) -> None:
    (mistake,) = mistakes_of(text)
    assert mistake.line in {line, line + 1}  # an open list ends where the text ends
    assert mistake.text.startswith("not TOML: ")


def test_an_empty_file_says_what_is_missing() -> None:
    texts = [mistake.text for mistake in mistakes_of("")]
    for key in ("format", "id", "timezone", "units", "gateways", "supply", "equipment", "fleet", "fill", "alarm_types"):
        assert f"key {key!r} is missing" in texts


def alarm(plant: Plant, tag: str, condition: str) -> tuple[float | None, float, float, float, str]:
    spec = next(spec for spec in plant.signals[tag].alarms if spec.condition == condition)
    seconds = (spec.on_delay.total_seconds(), spec.off_delay.total_seconds())
    return spec.limit, round(spec.deadband, 6), *seconds, spec.priority


def test_alarms_are_made_of_limits_states_and_types() -> None:
    plant = small_station()
    assert [spec.condition for spec in plant.signals["PT-111"].alarms] == ["LL", "L", "H", "HH", "STALE", "BAD"]
    assert [spec.condition for spec in plant.signals["XS-116"].alarms] == ["STALE", "BAD"]
    # 2 % of {4.5 .. 23.5} widened by 10 % on both sides: 0.02 * 19 * 1.2
    assert alarm(plant, "PT-111", "HH") == (23.5, 0.456, 1.0, 5.0, "high")
    assert alarm(plant, "PT-111", "L") == (4.8, 0.456, 15.0, 15.0, "low")
    assert alarm(plant, "TT-112", "H") == (55.0, 0.96, 15.0, 15.0, "low")
    assert alarm(plant, "XS-518A", "STATE") == (None, 0.0, 0.0, 0.0, "high")


def test_a_state_alarm_weighs_its_states() -> None:
    spec = small_station().signals["XS-518A"].alarms[0]
    assert spec.states == (2, 3)
    assert [spec.priority_at(value) for value in (2.0, 3.0, None)] == ["medium", "high", "high"]
    assert spec.text.en == "Hose 1A fill state: abort, fault"
    assert spec.text.zh == "1A枪加注状态：中止、故障"


def test_suppressions_unfold_by_unit() -> None:
    (row,) = small_station().suppressions
    assert (row.name, row.signal, row.states, row.tags) == (
        "hose-idle hose-1A",
        "XS-518A",
        (0,),
        ("FT-515A", "PI-611A"),
    )
    assert (row.hold, row.on_none, row.label.zh) == (dt.timedelta(seconds=10), True, "加氢枪空闲")


def test_gateways_reach_their_signals() -> None:
    plant = small_station()
    assert plant.signals["PI-611A"].gateway == "dispenser-1"
    assert plant.signals["AT-701"].watches == ("bay-1",)
    assert {key for gateway in plant.gateways for key in gateway.units} == set(plant.units)


DAMAGES = st.sampled_from(
    [
        lambda line: "",
        lambda line: f"{line}\n{line}",
        lambda line: line[: len(line) // 2],
        lambda line: line.replace('"', "", 1),
        lambda line: line.replace("=", " = [] #", 1),
        lambda line: line.replace("=", "= {} #", 1),
        lambda line: line.replace("=", "= -1e400 #", 1),
        lambda line: line.replace("=", "= 9" + "9" * 400 + " #", 1),
        lambda line: line.replace("=", "= 1979-05-27 #", 1),
        lambda line: line.replace("{", "[", 1).replace("}", "]", 1),
        lambda line: line.replace("[[", "[", 1).replace("]]", "]", 1),
        lambda line: line.replace("1", "-7"),
        lambda line: line.replace("/", "//"),
        lambda line: f"[{line}]",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(LINES) - 1), DAMAGES)
def test_a_damaged_line_is_told_or_harmless(number: int, damage: Callable[[str], str]) -> None:
    check_only_told([*LINES[:number], damage(LINES[number]), *LINES[number + 1 :]])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(LINES) - 1), st.integers(0, 200), st.text(max_size=4))
def test_random_characters_are_told_or_harmless(number: int, column: int, inserted: str) -> None:
    line = LINES[number]
    check_only_told([*LINES[:number], line[:column] + inserted + line[column + 1 :], *LINES[number + 1 :]])


def check_only_told(lines: list[str]) -> None:
    told = mistakes_or_none("\n".join(lines))
    assert told is None or told
    assert all(1 <= mistake.line <= len(lines) + 6 for mistake in told or [])


def mistakes_or_none(text: str) -> list[Mistake] | None:
    try:
        load_plant(text)
    except PlantFileError as error:
        return error.mistakes
    return None
