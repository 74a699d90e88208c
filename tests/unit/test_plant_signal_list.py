"""A first station file from a signal list: the shipped list gives the shipped station, other lists give a start."""

from __future__ import annotations

import pytest

from station.adapters.plant_files import plant_from_signal_list
from station.domain.plant_file import load_plant
from station.domain.signal_list import COLUMNS, SignalListError
from tests.support.plants import DATA, jinma

HEADER = ",".join(COLUMNS)
GOOD = "PT-1,storage,bank-HB,bank pressure,MPa,38,45,34,38,46,48,1,AI"


def mistakes_of(csv_text: str) -> list[str]:
    with pytest.raises(SignalListError) as caught:
        plant_from_signal_list(csv_text, "new")
    return [str(mistake) for mistake in caught.value.mistakes]


def test_the_shipped_list_gives_the_shipped_station() -> None:
    made = load_plant(plant_from_signal_list((DATA / "signals.csv").read_text(encoding="utf-8"), "zhengzhou-2"))
    plant = jinma()
    assert made.id == "zhengzhou-2"
    for tag, signal in plant.signals.items():
        other = made.signals[tag]
        same = ("area", "unit", "kind", "role", "name", "unit_of_measure", "limits", "rate_s", "fill_rate_s", "states")
        assert [getattr(other, key) for key in same] == [getattr(signal, key) for key in same]
        assert other.alarms == signal.alarms
    assert {key: unit.label for key, unit in made.units.items()} == {
        key: unit.label for key, unit in plant.units.items()
    }
    assert (made.supply, made.trains, made.banks) == (plant.supply, plant.trains, plant.banks)
    assert (made.chillers, made.hoses, made.fleet, made.fill) == (plant.chillers, plant.hoses, plant.fleet, plant.fill)
    assert made.suppressions == plant.suppressions


def test_a_list_with_words_of_its_own() -> None:
    rows = [
        "TT-7,trailer,yard,pavement heat,degC,-20,50,,,60,70,10,AI",
        "TT-8,trailer,yard,pavement heat,degC,-20,50,,,60,70,10,AI",
        'XS-7,trailer,yard,"gate (shut/moving ""slow""/open)",enum,0,2,,,,,60,EN',
        "XS-8,trailer,yard,lamp,enum,0,2,,,,,60,EN",
        "ZS-7,trailer,yard,fence cut,-,0,0,,,,1,60,DI",
        "ZS-8,trailer,yard,door open,-,0,1,,,,,60,DI",
        "FQ-7,dispensing,pump-1,total,kg,0,1e8,,,,,0.5/2,AC",
    ]
    plant = load_plant(plant_from_signal_list("\ufeff" + "\n".join([HEADER, *rows, ""]), "new"))
    assert [signal.role for signal in plant.signals.values()][:2] == ["pavement_heat", "pavement_heat_2"]
    assert [state.en for state in plant.signals["XS-7"].states] == ["shut", 'moving "slow"', "open"]
    assert [state.en for state in plant.signals["XS-8"].states] == ["state 0", "state 1", "state 2"]
    assert [spec.condition for spec in plant.signals["TT-7"].alarms] == [
        "H", "HH", "STUCK", "SPIKE", "DROPOUT", "STALE", "BAD"
    ]  # fmt: skip
    assert plant.signals["ZS-7"].alarms[0].latched
    assert (plant.signals["FQ-7"].rate_s, plant.signals["FQ-7"].fill_rate_s) == (2.0, 0.5)
    assert (plant.trains, plant.hoses, plant.supply.bays, plant.suppressions) == ((), (), (), ())
    assert plant.units[("dispensing", "pump-1")].label.en == "Pump 1"


def test_bad_rows_are_named_by_line() -> None:
    rows = [
        GOOD,
        "PT-2,storge,bank-HB,bank pressure,MPa,38,45,34,38,46,48,1,AI",
        "PT-3,storage,bank-HB,bank pressure,MPa,x,45,34,nan,46,48,1,AI",
        ",storage,bank-HB,bank pressure,MPa,38,45,,,,,1/2/3,AI",
        "PT-5,storage",
    ]
    found = mistakes_of("\n".join([HEADER, *rows]))
    assert found[0].startswith("line 3: signal PT-2: area 'storge' is unknown")
    assert "line 4: signal PT-3: normal_lo 'x' is no number" in found
    assert "line 4: signal PT-3: L 'nan' is no number" in found
    assert "line 5: signal ?: tag is empty" in found
    assert any(text.startswith("line 5: signal ?: rate_s '1/2/3' must be") for text in found)
    assert "line 6: signal PT-5: kind is empty" in found


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("PT-1,storage,bank-HB,again,MPa,38,45,34,38,46,48,1,AI", "line 3: signal PT-1: tag stands twice"),
        ("PT-2,storage,bank-HB,low,MPa,38,45,39,38,46,48,1,AI", "line 3: signal PT-2: limit LL 39.0 is above L 38.0"),
        ("PT-2,storage,bank-HB,odd,psi,38,45,,,,,1,AI", "line 3: signal PT-2: unit 'psi' is unknown"),
        ("PT-2,storage,bank-HB,odd,MPa,38,45,,,,,1,XX", "line 3: signal PT-2: kind 'XX' is unknown"),
        ("PT-2,storage,bank-HB,odd,MPa,38,45,,,,,0,AI", "line 3: signal PT-2: rate 0 must be above 0"),
        ("pt2,storage,bank-HB,odd,MPa,38,45,,,,,1,AI", "line 3: signal pt2: tag 'pt2' must look like PT-330A"),
        ("PT-2,storage,bank/HB,odd,MPa,38,45,,,,,1,AI", "unit storage/bank/HB: at must be area/name"),
    ],
)
def test_what_a_station_file_refuses_is_named_by_the_row(row: str, said: str) -> None:
    found = mistakes_of(f"{HEADER}\n{GOOD}\n{row}")
    assert any(said in text for text in found), found


def test_files_that_are_no_signal_list() -> None:
    assert mistakes_of("a,b\n1,2\n")[0].startswith("line 1: columns are missing: tag, area")
    assert mistakes_of("")[0].startswith("line 1: columns are missing")
    assert mistakes_of(HEADER + "\n") == ["line 1: there is no signal in it"]
    assert mistakes_of(f'{HEADER}\n{GOOD}\n"{"x" * 200000}')[0].startswith("line 3: not CSV")
    assert mistakes_of("\n".join([HEADER, GOOD.replace("bank pressure", "bell\x07")])) == [
        "line 2: signal PT-1: description has unprintable characters"
    ]


def test_a_bad_station_id_is_told() -> None:
    with pytest.raises(SignalListError, match="it stands in topics"):
        plant_from_signal_list(f"{HEADER}\n{GOOD}\n", 'No "good"')
