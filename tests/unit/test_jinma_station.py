"""The shipped station: it is what the signal list says, and complete in both languages."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import gc
import math
import random
import re
import time
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from station.adapters.plant_files import read_plant, shipped_plant_text
from station.domain.plant import AlarmSpec, Signal
from station.domain.plant_file import PlantFileError, load_plant
from station.domain.signals import Kind
from station.domain.toml_lines import LineIndex
from station.errors import BadInputError
from tests.support.plants import DATA, jinma

LIMITS = ("LL", "L", "H", "HH")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def signal_list() -> list[dict[str, str]]:
    with (DATA / "signals.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


ROWS = signal_list()


def test_counts() -> None:
    plant = jinma()
    assert len(plant.signals) == 303
    assert len(plant.units) == 51
    kinds = Counter(signal.kind for signal in plant.signals.values())
    assert kinds == {
        Kind.ANALOG_INPUT: 193,
        Kind.DIGITAL_INPUT: 46,
        Kind.STATE: 27,
        Kind.SOFTWARE: 12,
        Kind.COUNTER: 9,
        Kind.ANALOG_OUTPUT: 8,
        Kind.CALCULATED: 8,
    }
    written = sum(row[name] != "" for row in ROWS for name in LIMITS)
    assert sum(len(signal.limits) for signal in plant.signals.values()) == written
    # the eight vehicle commands count as limits too: Abort trips the fill
    assert written + sum(signal.role == "command" for signal in plant.signals.values()) == 556


def test_each_signal_is_as_listed() -> None:
    for row in ROWS:
        signal, tag = jinma().signals[row["tag"]], row["tag"]
        assert (signal.area, signal.unit, signal.kind.value) == (row["area"], row["unit_of_plant"], row["kind"]), tag
        assert signal.unit_of_measure == row["unit"], tag
        assert (signal.normal_lo, signal.normal_hi) == (float(row["normal_lo"]), float(row["normal_hi"])), tag
        assert signal.limits == {name: float(row[name]) for name in LIMITS if row[name]}, tag
        fill, _, usual = row["rate_s"].rpartition("/")
        assert (signal.rate_s, signal.fill_rate_s) == (float(usual), float(fill) if fill else None), tag


def test_names_and_states_are_as_listed() -> None:
    for row in ROWS:
        signal = jinma().signals[row["tag"]]
        name, _, states = row["description"].partition(" (") if row["kind"] == "EN" else (row["description"], "", "")
        assert signal.name.en == name
        if states and states != "0..3)":
            assert [state.en for state in signal.states] == states.removesuffix(")").split("/")


def test_everything_has_a_name_in_both_languages() -> None:
    plant = jinma()
    named = [plant.label, *(s.name for s in plant.signals.values()), *(u.label for u in plant.units.values())]
    named += [g.label for g in plant.gateways] + [s.label for s in plant.suppressions]
    named += [state for signal in plant.signals.values() for state in signal.states]
    for text in named:
        assert text.en.isascii()
        assert text.en.strip()
        assert CHINESE.search(text.zh), text
    assert len({signal.name.en for signal in plant.signals.values()}) == 303
    assert len({signal.name.zh for signal in plant.signals.values()}) == 303


def all_alarms() -> list[tuple[str, AlarmSpec]]:
    plant = jinma()
    own = [(spec.condition, spec) for spec in (*plant.capacity_alarms.values(), *plant.system_alarms.values())]
    return own + [(f"{s.tag}.{spec.condition}", spec) for s in plant.signals.values() for spec in s.alarms]


def test_every_alarm_has_all_texts_in_both_languages() -> None:
    for alarm_id, spec in all_alarms():
        for text in (spec.text, spec.cause, spec.consequence, spec.action):
            assert text.en, alarm_id
            assert text.en.isascii() or "°C" in text.en or "µmol" in text.en, (alarm_id, text.en)
            assert CHINESE.search(text.zh), (alarm_id, text.zh)
            assert "{" not in text.en + text.zh, alarm_id


def test_alarm_ids_are_unique_and_limits_all_alarmed() -> None:
    ids = [alarm_id for alarm_id, _ in all_alarms()]
    assert len(set(ids)) == len(ids)
    for signal in jinma().signals.values():
        alarmed = {spec.condition: spec.limit for spec in signal.alarms if spec.condition in LIMITS}
        assert alarmed == dict(signal.limits)
        assert {"STALE", "BAD"} <= {spec.condition for spec in signal.alarms}


def test_capacity_and_system_alarms() -> None:
    plant = jinma()
    names = ["SHORT", "RISK", "TRAILER", "N1", "HB", "QUEUE", "PACE", "COOL", "DATA"]
    assert list(plant.capacity_alarms) == [f"CAP-{name}" for name in names]
    assert {"SYS-SPOOL", "SYS-STORE", "SYS-BROKER", "SYS-CLOCK"} <= set(plant.system_alarms)
    short = plant.capacity_alarms["CAP-SHORT"]
    assert (short.limit, short.priority) == (0.6, "high")
    assert short.deadband == pytest.approx(0.4)  # clears under 0.2


def expected_priority(signal: Signal, condition: str) -> str:
    """The contract's table of priorities, said a second time."""
    tag = signal.tag
    if condition in {"STALE", "BAD", "ROC", "DEV", "STUCK", "SPIKE", "DROPOUT"}:
        return "low"
    if condition == "STATE":
        return {"XS-797": "critical"}.get(tag, "medium" if tag.startswith("XI") else "high")
    if tag == "XS-797":
        return "critical"
    if condition == "HH":
        critical = (signal.role in {"gas", "flame", "esd_button", "relief_lifted"}) or signal.limits["HH"] == 43.75
        return "critical" if critical or tag.startswith("TI-6") else "high"
    if condition == "LL" or (signal.role == "gas" and condition == "H"):
        return "high"
    medium = tag.startswith("PT-3") and signal.role in {"pressure_a", "pressure_b"}
    medium |= signal.area == "dispensing" and signal.role in {"pressure", "delivery_temperature"}
    return "medium" if medium else "low"


def test_priorities() -> None:
    for signal in jinma().signals.values():
        for spec in signal.alarms:
            assert spec.priority == expected_priority(signal, spec.condition), (signal.tag, spec.condition)


def test_state_alarms() -> None:
    plant = jinma()
    weighed = {
        signal.tag: {signal.states[number].en: spec.priority_at(number) for number in spec.states}
        for signal in plant.signals.values()
        for spec in signal.alarms
        if spec.condition == "STATE"
    }
    expected: dict[str, dict[str, str]] = {f"XS-2{n}0D": {"trip": "high"} for n in range(1, 5)}
    expected |= {f"XS-4{n}07": {"trip": "high"} for n in (1, 2)}
    hoses = [f"{n}{side}" for n in range(1, 5) for side in "AB"]
    expected |= {f"XS-5{h[0]}8{h[1]}": {"abort": "medium", "fault": "high"} for h in hoses}
    expected |= {f"XI-6{h[0]}4{h[1]}": {"Abort": "medium"} for h in hoses}
    expected["XS-797"] = {f"level {n}": "critical" for n in (1, 2, 3)}
    assert weighed == expected


def test_latched_and_safety_alarms() -> None:
    latched = {"gas": {"HH"}, "esd_level": {"STATE"}}
    latched |= {role: {"HH"} for role in ("flame", "smoke", "esd_button", "breakaway", "relief_lifted")}
    for signal in jinma().signals.values():
        for spec in signal.alarms:
            assert spec.latched == (spec.condition in latched.get(signal.role, set())), (signal.tag, spec.condition)
            safety = spec.priority == "critical"
            assert spec.safety == safety, (signal.tag, spec.condition)


@pytest.mark.parametrize(
    ("tag", "condition", "on_s", "off_s", "deadband"),
    [
        ("PT-330A", "L", 15, 15, 0.02 * 14 * 1.2),
        ("PT-330A", "HH", 1, 5, 0.02 * 14 * 1.2),
        ("PT-513A", "H", 1, 5, 0.005 * 43.75 * 1.2),
        ("TT-514A", "H", 60, 60, 0.01 * 45 * 1.2),
        ("TI-612A", "HH", 1, 5, 0.01 * 125 * 1.2),
        ("FT-210B", "L", 15, 15, 0.05 * 130 * 1.2),
        ("LT-431", "L", 60, 60, 0.05 * 68 * 1.2),
        ("AT-701", "H", 3, 30, 2),
        ("AT-701", "HH", 0, 60, 2),
        ("BE-761", "HH", 0, 0, 0),
        ("VT-2109", "H", 10, 30, 0.05 * 10.2 * 1.2),
        ("JT-811", "H", 10, 30, 0.05 * 880 * 1.2),
        ("XH-9501", "STALE", 0, 30, 0),
    ],
)
def test_delays_and_deadbands(tag: str, condition: str, on_s: float, off_s: float, deadband: float) -> None:
    spec = next(spec for spec in jinma().signals[tag].alarms if spec.condition == condition)
    assert (spec.on_delay.total_seconds(), spec.off_delay.total_seconds()) == (on_s, off_s)
    assert spec.deadband == pytest.approx(deadband)


def test_a_value_back_to_normal_clears_every_limit() -> None:
    """A dead-band that reaches into the normal range would hold an alarm for ever."""
    for signal in jinma().signals.values():
        middle = (signal.normal_lo + signal.normal_hi) / 2
        for spec in signal.alarms:
            if spec.limit is None:
                continue
            if spec.condition in {"L", "LL"} and spec.limit < middle:
                assert spec.limit + spec.deadband < middle, (signal.tag, spec.condition)
            if spec.condition in {"H", "HH"}:
                assert spec.limit - spec.deadband > middle, (signal.tag, spec.condition)


def hidden(tag: str, state: str, of: str) -> set[str]:
    """Conditions of `of` that are hidden while signal `tag` is in a state."""
    plant = jinma()
    number = plant.signals[tag].state_number(state)
    rows = [row for row in plant.suppressions if row.signal == tag and number in row.states and of in row.tags]
    every = {spec.condition for spec in plant.signals[of].alarms}
    return {condition for row in rows for condition in (row.conditions or every)} & every


def test_suppression_by_design() -> None:
    assert hidden("XS-210D", "stop", "FT-210B") == {"L"}
    assert hidden("XS-210D", "unloaded", "FT-210B") == {"L"}
    assert hidden("XS-210D", "loaded", "FT-210B") == set()
    assert hidden("XS-210D", "stop", "PT-2107") == {"LL", "L"}
    assert hidden("XS-210D", "stop", "JT-210C") == {"H", "HH"}
    assert hidden("XS-210D", "stop", "FT-220B") == set()
    assert hidden("XS-518A", "idle", "TI-612A") == {"LL", "L", "H", "HH", "STALE", "BAD"}
    assert hidden("XS-518A", "abort", "XI-614A") == {"STALE", "BAD"}
    assert hidden("XS-518A", "fill", "TI-612A") == set()
    assert hidden("XS-518A", "idle", "TT-514A") == {"LL", "L", "H", "HH"}
    assert hidden("XS-518A", "idle", "FT-515A") == {"H", "HH"}
    assert hidden("XS-518A", "idle", "PT-513A") == {"H"}  # the 43.75 MPa alarm stays live
    assert hidden("XS-116", "absent", "PT-111") == {"LL", "L", "STALE", "BAD"}
    assert hidden("XS-116", "empty", "TT-112") >= {"LL", "L", "STALE"}
    assert hidden("XS-116", "open", "PT-111") == set()
    assert hidden("XS-4107", "defrost", "TT-4101") == {"H", "HH"}
    assert hidden("XS-4107", "stop", "FT-4103") == {"LL", "L"}
    assert hidden("XS-797", "level 1", "XS-210D") == {"STATE"}
    defrost = next(row for row in jinma().suppressions if row.name.startswith("chiller-defrost"))
    assert defrost.hold == dt.timedelta(minutes=10)


def test_equipment_supply_and_demand_add_up() -> None:
    plant = jinma()
    assert plant.supply.bays == ("bay-1", "bay-2", "bay-3", "bay-4")
    assert len(plant.supply.delivery_times) == 15
    assert (
        len(plant.supply.delivery_times) * plant.supply.delivery_kg
        > plant.fleet.trucks_per_day * plant.fleet.mean_fill_kg
    )
    assert [len(group) for group in (plant.trains, plant.banks, plant.chillers, plant.hoses)] == [4, 3, 2, 8]
    assert sum(bank.volume_m3 for bank in plant.banks) == 54
    assert [bank.unit for bank in sorted(plant.banks, key=lambda bank: bank.recharge_rank)] == [
        "bank-HB",
        "bank-MB",
        "bank-LB",
    ]
    assert math.isclose(sum(plant.fleet.hourly_share), 1.0)
    assert max(plant.fleet.hourly_share) == 0.09
    assert {hose.dispenser for hose in plant.hoses} == {f"dispenser-{n}" for n in range(1, 5)}


def test_gateways_carry_each_unit_once() -> None:
    plant = jinma()
    carried = [key for gateway in plant.gateways for key in gateway.units]
    assert sorted(carried) == sorted(plant.units)
    heartbeats = [gateway.heartbeat for gateway in plant.gateways if gateway.heartbeat]
    assert sorted(heartbeats) == sorted(plant.tags_with_role("heartbeat_age"))


def test_roles_find_the_tags() -> None:
    plant = jinma()
    assert plant.tag("compression", "train-3", "flow") == "FT-230B"
    assert plant.tag("storage", "bank-MB", "pressure_b") == "PT-320B"
    assert plant.tag("vehicle", "hose-4B", "soc") == "QI-645B"
    assert plant.tag("utilities", "weather", "ambient_temperature") == "TT-841"
    counts = {"gas": 21, "flame": 12, "smoke": 2, "esd_button": 6, "fan": 4, "heartbeat_age": 11}
    assert {role: len(plant.tags_with_role(role)) for role in counts} == counts


def test_the_station_day_is_local() -> None:
    plant = jinma()
    assert plant.day_of(dt.datetime(2026, 5, 31, 16, tzinfo=dt.UTC)) == dt.date(2026, 6, 1)
    assert plant.day_start(dt.date(2026, 6, 1)) == dt.datetime(2026, 5, 31, 16, tzinfo=dt.UTC)


def test_loading_costs_a_few_times_what_its_toml_does() -> None:
    """A slow look-up would cost tens of times; milliseconds depend on the machine: bench_station_file prints them."""
    text = shipped_plant_text()
    gc.disable()  # thousands of tests before have filled the heap that it would walk through
    try:
        rounds = [(_cpu_s(lambda: load_plant(text)), _cpu_s(lambda: tomllib.loads(text))) for _ in range(5)]
    finally:
        gc.enable()
    loading, parsing = (min(took) for took in zip(*rounds, strict=True))
    assert loading < 8 * parsing


def _cpu_s(call: Callable[[], object]) -> float:
    begun = time.process_time()
    call()
    return time.process_time() - begun


def test_the_line_index_finds_every_signal() -> None:
    text = shipped_plant_text()
    index, lines = LineIndex(text), text.splitlines()
    row = 0
    for position, unit in enumerate(tomllib.loads(text)["units"]):
        assert f'"{unit["at"]}"' in lines[index.line(("units", position, "at")) - 1]
        for place, signal in enumerate(unit["signals"]):
            assert f'tag="{signal["tag"]}"' in lines[index.line(("units", position, "signals", place, "zh")) - 1]
            row += 1
    assert row == 303


def test_a_lost_character_anywhere_is_told_or_harmless() -> None:
    text = shipped_plant_text()
    pick = random.Random(1)
    for _ in range(3):
        at = pick.randrange(len(text))
        with contextlib.suppress(PlantFileError):
            load_plant(text[:at] + text[at + 1 :])


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"nothing\.toml: cannot be read"):
        read_plant(tmp_path / "nothing.toml")
    with pytest.raises(BadInputError, match="cannot be read"):
        read_plant(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"id = '\xe4'")
    with pytest.raises(BadInputError, match=r"latin\.toml: not UTF-8 text at byte 6"):
        read_plant(tmp_path / "latin.toml")
    (tmp_path / "good.toml").write_bytes(b"\xef\xbb\xbf" + shipped_plant_text().encode())
    assert read_plant(tmp_path / "good.toml").id == "jinma"
