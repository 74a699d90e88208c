"""The console without a browser: its texts, its picture's data, its language, its pages' HTML."""

from __future__ import annotations

import json
import re
import string
from pathlib import Path
from typing import get_args

import pytest
from starlette.requests import HTTPConnection

import api.forecast
from api.people.roles import Role
from api.routes.bodies import AlarmStateName
from dashboards.console import pages
from dashboards.console.alarm_texts import ALARM_TEXTS
from dashboards.console.capacity_texts import CAPACITY_TEXTS
from dashboards.console.completeness_texts import COMPLETENESS_TEXTS
from dashboards.console.language import language_of
from dashboards.console.layout import station_layout
from dashboards.console.people_texts import PEOPLE_TEXTS
from dashboards.console.plant.fact_texts import FACT_TEXTS
from dashboards.console.plant.plant_texts import PLANT_TEXTS
from dashboards.console.plant.setting_texts import SETTING_REMARKS_ZH
from dashboards.console.registry import console_pages, offered_pages
from dashboards.console.replay_texts import REPLAY_TEXTS
from dashboards.console.report_texts import REPORT_TEXTS
from dashboards.console.texts import TEXTS, text_of, texts_of
from dashboards.console.trend_texts import TREND_TEXTS
from station.domain.signals import AREAS
from station.settings import Settings
from tests.support.plants import jinma

STATIC = Path(pages.__file__).parent / "static"
SCRIPTS = sorted(STATIC.rglob("*.js"))
PAGES = [file for file in STATIC.parent.rglob("*.py") if not file.name.endswith("texts.py")]


def request(query: str = "", **headers: str) -> HTTPConnection:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "headers": raw, "query_string": query.encode()})


def test_both_languages_have_every_text_and_the_same_places_to_fill() -> None:
    assert texts_of("en").keys() == texts_of("zh").keys()
    for key, text in TEXTS.items():
        assert text.en.strip(), key
        assert text.zh.strip(), key
        fields = [sorted(name for _, name, _, _ in string.Formatter().parse(one) if name) for one in (text.en, text.zh)]
        assert fields[0] == fields[1], key


def test_scripts_and_pages_ask_for_texts_that_exist_and_leave_none_over() -> None:
    asked = set()
    for source in [*SCRIPTS, *PAGES]:
        asked |= set(re.findall(r'"([a-z][a-zA-Z0-9_]+)"', source.read_text()))
        asked |= set(re.findall(r"\b([a-z]+): word\(", source.read_text()))
    made = {f"state_{state}" for state in get_args(AlarmStateName)}
    made |= {f"{kind}_{role.label}" for role in Role for kind in ("role", "short")} | {f"area_{area}" for area in AREAS}
    made |= {f"last_{name}" for name in ("15m", "2h", "24h")} | {
        f"help_{n}" for n in ("cause", "consequence", "action")
    }
    assert made <= TEXTS.keys()
    families = tuple(re.findall(r"`([a-z]+_)\$\{", "".join(one.read_text() for one in SCRIPTS)))
    families += tuple(re.findall(r'f"([a-z]+_)\{', "".join(one.read_text() for one in PAGES)))
    made |= {key for key in TEXTS if key.startswith(families)}
    named = set(re.findall(r'word\("([a-zA-Z_]+)"', "".join(one.read_text() for one in SCRIPTS)))
    assert named <= TEXTS.keys()
    assert TEXTS.keys() - asked - made == set()


def test_no_page_has_another_text_under_the_same_key() -> None:
    pages_texts = (
        ALARM_TEXTS, CAPACITY_TEXTS, COMPLETENESS_TEXTS, PEOPLE_TEXTS, REPLAY_TEXTS, REPORT_TEXTS, TREND_TEXTS,
        PLANT_TEXTS, FACT_TEXTS,
    )  # fmt: skip
    assert sum(len(texts) for texts in pages_texts) == len(set().union(*pages_texts))
    for texts in pages_texts:
        assert {key: TEXTS[key] for key in texts} == texts


def test_every_page_stands_in_the_navigation_once_and_is_offered_to_its_roles_only() -> None:
    pages = console_pages()
    for of in (lambda page: page.path, lambda page: page.name, lambda page: page.key or page.path):
        assert len({of(page) for page in pages}) == len(pages)
    listed = [page for page in pages if page.title is not None]
    assert [page.path for page in listed][:3] == ["/", "/capacity", "/alarms"]
    assert len({page.order for page in listed}) == len(listed)
    assert all("{" not in page.path for page in listed)
    assert [page.name for page in listed if page not in offered_pages(Role.VIEWER)] == ["people"]
    assert offered_pages(Role.ADMIN) == listed


def test_every_setting_says_in_chinese_what_it_does() -> None:
    assert SETTING_REMARKS_ZH.keys() == Settings.model_fields.keys()
    assert all(re.search("[\u4e00-\u9fff]", remark) for remark in SETTING_REMARKS_ZH.values())


def test_a_raw_key_is_never_shown() -> None:
    with pytest.raises(KeyError):
        text_of("no_such_text", "en")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_picture_has_every_unit_of_the_station_file_and_only_its_signals(language: str) -> None:
    plant = jinma()
    layout = station_layout(plant, language)
    assert layout["signals"].keys() == plant.signals.keys()
    tiles = {section["key"]: section["tiles"] for section in layout["sections"]}
    assert [len(tiles[key]) for key in ("trailer", "compression", "storage", "cooling", "dispensing")] == [
        len(plant.supply.bays) + 1, len(plant.trains), len(plant.banks) + 1, len(plant.chillers) + 1, len(plant.hoses),
    ]  # fmt: skip
    gas = {tag for tile in tiles["safety"] for row in tile["rows"] for tag in row.get("tags", ())}
    assert gas >= set(plant.tags_with_role("gas")) | set(plant.tags_with_role("flame"))
    for tile in (one for section in tiles.values() for one in section):
        used = [tile["state"], tile.get("main", {}).get("tag"), *(row.get("tag") for row in tile["rows"])]
        assert {tag for tag in used if tag} <= plant.signals.keys()
    json.dumps(layout, allow_nan=False)


def test_every_unit_that_gas_passes_has_its_pipe_and_the_signal_that_says_it_is_in_use() -> None:
    plant = jinma()
    pipes = station_layout(plant, "en")["pipes"]
    sides = {
        "bays": plant.supply.bays,
        "trains": [one.unit for one in plant.trains],
        "inlets": [one.unit for one in plant.banks],
        "outlets": [one.unit for one in plant.banks],
        "hoses": [one.unit for one in plant.hoses],
    }
    for name, units in sides.items():
        assert [end["unit"].partition("/")[2] for end in pipes[name]] == list(units)
        assert all(plant.signals[end["tag"]].unit == end["unit"].partition("/")[2] for end in pipes[name])
    assert pipes["hoses"][0] == {"unit": "dispensing/hose-1A", "tag": "FT-515A", "over": pytest.approx(1.45, abs=0.05)}
    assert pipes["inlets"][0]["over"] == pipes["vent"][0]["over"] == 0.5
    assert set(pipes["reliefs"]) == {"XS-310F", "XS-320F", "XS-330F"}


def test_a_bay_without_a_trailer_has_no_numbers_and_none_that_are_stale() -> None:
    bay = next(tile for s in station_layout(jinma(), "en")["sections"] if s["key"] == "trailer" for tile in s["tiles"])
    assert bay["main"]["only"] == bay["rows"][0]["only"] == {"tag": "XS-116", "states": [1, 2, 3, 4, 5]}


def test_a_hose_counts_a_fill_and_shows_the_vehicle_only_while_it_speaks() -> None:
    layout = station_layout(jinma(), "en")
    hose = next(tile for s in layout["sections"] if s["key"] == "dispensing" for tile in s["tiles"])
    soc, given = hose["rows"][1:]
    assert soc["only"] == {"tag": "XS-518A", "states": [2, 3, 4]}
    assert given["since"] == {"tag": "XS-518A", "states": [1, 2, 3, 4, 5]}
    assert layout["signals"]["XS-518A"]["abnormal"] == [6, 7]


def test_a_slow_or_discrete_signal_is_not_called_stale_between_its_messages() -> None:
    signals = station_layout(jinma(), "en")["signals"]
    assert signals["PT-330A"]["stale_s"] == 15.0
    assert signals["XS-518A"]["stale_s"] == 180.0
    for signal in jinma().signals.values():
        assert signals[signal.tag]["stale_s"] >= 3 * signal.rate_s


@pytest.mark.parametrize(
    ("query", "headers", "language"),
    [
        ("", {}, "en"),
        ("", {"accept_language": "zh-CN,zh;q=0.9,en;q=0.8"}, "zh"),
        ("", {"accept_language": "en-US,en;q=0.9,zh;q=0.8"}, "en"),
        ("", {"accept_language": "de,zh;q=x"}, "en"),
        ("", {"accept_language": "zh", "cookie": "jinma_lang=en"}, "en"),
        ("lang=zh", {"cookie": "jinma_lang=en"}, "zh"),
        ("lang=xx", {"accept_language": "zh"}, "zh"),
    ],
)
def test_the_language_is_the_one_asked_for_else_chosen_else_preferred(
    query: str, headers: dict[str, str], language: str
) -> None:
    assert language_of(request(query, **headers)) == language


def test_data_in_a_page_cannot_end_its_element() -> None:
    text = pages.data_element("x", {"name": "</script><script>alert(1)</script>"})
    assert text.count("</script>") == 1
    assert json.loads(text.partition(">")[2].rpartition("<")[0])["name"].startswith("</script>")


def test_nothing_of_the_console_comes_from_another_host() -> None:
    for file in (one for one in STATIC.rglob("*") if one.is_file()):
        addresses = set(re.findall(r"https?://[^\"' )]+", file.read_text()))
        assert addresses <= {"http://www.w3.org/2000/svg"}, file.name


def test_what_stands_in_for_an_input_of_the_forecast_has_a_word_in_both_languages() -> None:
    """The forecast's own names are English: the Chinese page shows none of them."""
    forecast = "".join(file.read_text() for file in (Path(api.forecast.__file__).parent).glob("*.py"))
    named = set(re.findall(r'(?:source=|model=\()"([a-z ]+)"', forecast)) - {"measured"}
    doubts = set(re.findall(r'"(?:bad|uncertain):([a-z-]+)"', forecast)) | {"null"}
    page = (STATIC / "outlook_figures.js").read_text()
    kept = {kind: re.search(rf"const {kind} = {{(.*?)}};", page) for kind in ("STAND_INS", "DOUBTS")}
    known = {
        kind: set(re.findall(r'"?([a-z][a-z -]*?)"?: "', found[1])) if found else set() for kind, found in kept.items()
    }
    assert named
    assert named <= known["STAND_INS"]
    assert doubts <= known["DOUBTS"]
