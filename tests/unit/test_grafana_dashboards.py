"""The dashboards as data: Grafana's own schema, fixed uids, places, limits of the station file, the stack's files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from api.live.service_points import BOTTLENECKS
from dashboards.grafana.boards import forecast_tiles
from dashboards.grafana.boards.board import uid_of
from dashboards.grafana.build import Built, build_station, build_to
from dashboards.grafana.flux import DATASOURCE_UID
from dashboards.grafana.panels import ALARM, NORMAL, WARNING, limit_steps
from station.domain.plant_file import load_plant
from station.errors import BadInputError
from tests.support.plants import jinma, small_station, small_station_text

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "tests" / "data" / "grafana" / "dashboard-schema.json").read_text(encoding="utf-8"))
NAMES = ["overview", "capacity", "storage", "compression", "dispensing", "alarms"]
SOURCE = {"type": "influxdb", "uid": DATASOURCE_UID}
KNOWN_FALSE = re.compile(r"annotations/list/\d+/target|'auto', 'auto_count', 'auto_min' were unexpected")
"""Grafana's types know neither a data source's query in an annotation, nor what its own builder gives a variable."""


@pytest.fixture(scope="module")
def built() -> Built:
    return build_station(jinma())


@pytest.fixture(params=NAMES)
def board(request: pytest.FixtureRequest, built: Built) -> dict[str, Any]:
    return built.boards[f"h2-jinma-{request.param}"]


def shown(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in board["panels"] if one["type"] != "row"]


def panel(board: dict[str, Any], title: str) -> dict[str, Any]:
    (found,) = (p for p in shown(board) if p["title"].startswith(title))
    assert isinstance(found, dict)
    return found


def complaints(board: dict[str, Any]) -> Iterator[str]:
    """What the types of Grafana 12.4 have against a dashboard: wrong types, unknown keys, missing ones."""

    def said(schema: Any, body: Any, where: str) -> Iterator[str]:
        for error in jsonschema.Draft7Validator(schema).iter_errors(body):
            text = f"{where}/{'/'.join(map(str, error.path))}: {error.message}"
            if not KNOWN_FALSE.search(text):
                yield text

    yield from said(SCHEMA["dashboard"], board, board["uid"])
    a_panel = SCHEMA["dashboard"]["properties"]["panels"]["items"]["anyOf"][0]
    for one in shown(board):
        yield from said(a_panel, one, one["title"])
        yield from said(SCHEMA["options"]["properties"][one["type"]], one["options"], f"{one['title']} options")
        custom = SCHEMA["custom"]["properties"].get(one["type"])
        if custom is not None:
            yield from said(custom, one["fieldConfig"]["defaults"]["custom"], f"{one['title']} custom")


def test_grafana_s_own_types_have_nothing_against_it(board: dict[str, Any]) -> None:
    assert list(complaints(board)) == []


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda b: shown(b)[0]["fieldConfig"]["defaults"].update(unti="s"), "'unti' was unexpected"),
        (lambda b: shown(b)[0]["gridPos"].update(w="12"), "'12' is not of type 'number'"),
        (lambda b: shown(b)[-1]["options"].update(legnd={}), "'legnd' was unexpected"),
        (lambda b: b.update(tiemzone="x"), "'tiemzone' was unexpected"),
    ],
)
def test_the_check_is_strict(built: Built, spoil: Any, text: str) -> None:
    board = json.loads(json.dumps(built.boards["h2-jinma-capacity"]))
    spoil(board)
    assert any(text in one for one in complaints(board))


def test_every_panel_says_what_it_shows_and_where_it_asks(board: dict[str, Any]) -> None:
    for number, one in enumerate(board["panels"], start=1):
        assert one["id"] == number
        assert re.search(r"[\u4e00-\u9fff]", one["title"]), one["title"]
        assert re.match(r"[A-Z]", one["title"])
    for one in shown(board):
        assert len(one["description"]) >= 8, one["title"]
        assert "  " not in one["description"]
        assert one["datasource"] == SOURCE
        assert one["fieldConfig"]["defaults"]["noValue"]
        assert all(target["datasource"] == SOURCE and "from(bucket:" in target["query"] for target in one["targets"])


def test_panels_fill_their_rows_and_none_covers_another(board: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for one in board["panels"]:
        place = one["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, one["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len(taken) == 24 * (max(y for _, y in taken) + 1)


def test_the_first_row_says_whether_it_is_safe_and_fresh(board: dict[str, Any]) -> None:
    first = [one["title"].split(" ")[0] for one in board["panels"][1:5]]
    assert first == ["Highest", "Emergency", "Active", "Data"]
    assert (board["timezone"], board["refresh"], board["editable"]) == ("Asia/Shanghai", "10s", False)
    assert board["graphTooltip"] == 1


def test_a_board_leads_to_the_others_and_to_the_console(board: dict[str, Any]) -> None:
    others, console, *_ = board["links"]
    assert (others["type"], others["tags"], others["keepTime"], others["includeVars"]) == (
        "dashboards", ["h2", "generated", "jinma"], True, True,
    )  # fmt: skip
    assert set(others["tags"]) <= set(board["tags"])
    assert console["url"] == "http://127.0.0.1:8000/console"
    important, lesser = board["annotations"]["list"]
    assert (important["enable"], lesser["enable"]) == (True, False)


def test_data_links_lead_to_the_unit_s_page(built: Built) -> None:
    links = panel(built.boards["h2-jinma-compression"], "Vibration")["fieldConfig"]["defaults"]["links"]
    url = "http://127.0.0.1:8000/console/units/compression/${__field.labels.unit}"
    assert links == [{"title": "Console 操作台", "url": url, "targetBlank": True}]


def test_limits_are_those_of_the_station_file(built: Built) -> None:
    plant = jinma()
    storage = built.boards["h2-jinma-storage"]
    for bank in plant.banks:
        limits = plant.signals[plant.tag("storage", bank.unit, "pressure_a")].limits
        defaults = panel(storage, plant.units["storage", bank.unit].label.en)["fieldConfig"]["defaults"]
        assert [step["value"] for step in defaults["thresholds"]["steps"]] == [None, *limits.values()]
        assert defaults["custom"]["thresholdsStyle"]["mode"] == "dashed"
    risk = panel(built.boards["h2-jinma-overview"], "Shortfall risk")["fieldConfig"]["defaults"]["thresholds"]["steps"]
    limits = [plant.capacity_alarms[name].limit for name in ("CAP-RISK", "CAP-SHORT")]
    assert [step["value"] for step in risk] == [None, *limits]


def test_a_changed_limit_of_the_station_file_changes_panels_and_rules() -> None:
    text = small_station_text()
    changed = build_station(load_plant(text.replace("HH=25", "HH=21"), "changed.toml"))
    plain = build_station(small_station())
    assert "HH=25" in text
    for one, limit in ((plain, 25.0), (changed, 21.0)):
        gas = panel(one.boards["h2-small-overview"], "Highest hydrogen")["fieldConfig"]["defaults"]["thresholds"][
            "steps"
        ]
        assert gas[-1]["value"] == limit
        assert one.rules["rules"][0]["data"][2]["model"]["conditions"][0]["evaluator"]["params"] == [limit]


def test_every_state_has_a_name_and_alarming_ones_a_colour(built: Built) -> None:
    (mapping,) = panel(built.boards["h2-jinma-dispensing"], "Hoses")["fieldConfig"]["defaults"]["mappings"]
    signal = next(s for s in jinma().signals.values() if s.area == "dispensing" and s.role == "state")
    assert [mapping["options"][str(n)]["text"] for n in range(8)] == [f"{s.en} {s.zh}" for s in signal.states]
    assert mapping["options"][str(signal.state_number("fault"))]["color"] == ALARM
    assert mapping["options"][str(signal.state_number("idle"))]["color"] == NORMAL


def test_bottlenecks_are_numbered_as_the_api_writes_them() -> None:
    assert [text.split(" ")[0] for text, _ in forecast_tiles.BOTTLENECKS.values()] == list(BOTTLENECKS)
    assert list(forecast_tiles.BOTTLENECKS) == list(range(len(BOTTLENECKS)))


@pytest.mark.parametrize(
    ("limits", "steps"),
    [
        ({}, [(None, NORMAL)]),
        ({"L": 2.0}, [(None, WARNING), (2.0, NORMAL)]),
        ({"HH": 9.0}, [(None, NORMAL), (9.0, ALARM)]),
        (
            {"LL": 1.0, "L": 2.0, "H": 8.0, "HH": 9.0},
            [(None, ALARM), (1.0, WARNING), (2.0, NORMAL), (8.0, WARNING), (9.0, ALARM)],
        ),
    ],
)
def test_steps_follow_the_limits_that_there_are(
    limits: dict[str, float], steps: list[tuple[float | None, str]]
) -> None:
    assert limit_steps(limits) == steps


def test_rules_name_a_panel_and_what_to_think_of_silence(built: Built) -> None:
    rules = {rule["uid"]: rule for rule in built.rules["rules"]}
    assert list(rules) == [
        f"alert-jinma-{name}" for name in ("gas-hh", "gas-h", "esd", "silent", "no-forecast", "shortfall")
    ]
    for uid, rule in rules.items():
        board = built.boards[rule["annotations"]["__dashboardUid__"]]
        assert int(rule["annotations"]["__panelId__"]) in [one["id"] for one in shown(board)]
        assert rule["noDataState"] == ("OK" if uid.endswith("shortfall") else "Alerting")
        assert rule["labels"]["station"] == "jinma"
        assert "alarms" not in rule["data"][0]["model"]["query"], "an alarm must not beget another"
        assert "$" not in json.dumps(rule), "Grafana would put a variable in when it reads the file"
    assert len({rule["title"] for rule in rules.values()}) == len(rules)


def test_the_files_of_the_stack_are_what_the_generator_writes(tmp_path: Path) -> None:
    """Renew them with `jinma dashboards build --output deploy/grafana`."""
    written = build_to(tmp_path, [jinma()])
    kept = ROOT / "deploy" / "grafana"
    assert {f.relative_to(tmp_path) for f in written} == {f.relative_to(kept) for f in kept.rglob("*.*") if f.is_file()}
    for file in written:
        assert file.read_bytes() == (kept / file.relative_to(tmp_path)).read_bytes(), file.name
        if file.suffix == ".yaml":
            assert yaml.safe_load(file.read_text(encoding="utf-8"))["apiVersion"] == 1


def test_the_alerting_file_keeps_away_from_the_dashboards_folder(tmp_path: Path) -> None:
    files = {
        f.parent.name: yaml.safe_load(f.read_text("utf-8"))
        for f in build_to(tmp_path, [jinma()])
        if f.suffix == ".yaml"
    }
    (group,) = files["alerting"]["groups"]
    (point,) = files["alerting"]["contactPoints"]
    assert group["folder"] != files["dashboards"]["providers"][0]["folder"]
    assert {rule["notification_settings"]["receiver"] for rule in group["rules"]} == {point["name"]}
    settings = point["receivers"][0]["settings"]
    assert settings["url"] == "http://api:8000/api/v1/hooks/grafana"
    assert settings["authorization_credentials"] == "$__file{/run/secrets/jinma_hook_token}"


def test_another_station_has_its_own_dashboards(tmp_path: Path) -> None:
    written = build_to(tmp_path, [jinma(), small_station()], bucket='odd "bucket"', console_url="https://h2.example/")
    boards = [json.loads(f.read_text(encoding="utf-8")) for f in written if f.suffix == ".json"]
    assert len({board["uid"] for board in boards}) == 12
    assert r'from(bucket: "odd \"bucket\"")' in boards[0]["panels"][1]["targets"][0]["query"]
    assert boards[1]["links"][1]["url"] == "https://h2.example/console"
    for board in boards:
        assert list(complaints(board)) == []
    with pytest.raises(BadInputError, match="must begin with http"):
        build_station(jinma(), console_url="javascript:alert(1)")


def test_uids_of_long_station_ids_stay_apart() -> None:
    text = small_station_text()
    ids = ["s" * 60 + "1", "s" * 60 + "2"]
    plants = [load_plant(text.replace('id = "small"', f'id = "{one}"', 1), one) for one in ids]
    uids = {uid_of(plant, name) for plant in plants for name in NAMES}
    assert len(uids) == 12
    assert all(len(uid) <= 40 for uid in uids)
