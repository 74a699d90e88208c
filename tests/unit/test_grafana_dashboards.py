"""The dashboards as data: fixed uids, limits of the station file, the files that the stack mounts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dashboards.grafana.build import build_dashboards, build_to
from dashboards.grafana.flux import DATASOURCE_UID
from dashboards.grafana.overview import overview_uid
from dashboards.grafana.panels import ALARM, NORMAL, WARNING, limit_steps
from station.errors import BadInputError
from tests.support.plants import jinma, small_station

ROOT = Path(__file__).parents[2]
SOURCE = {"const": {"type": "influxdb", "uid": DATASOURCE_UID}}
# Our own reading of what a panel is made of, strict where Grafana silently ignores a misspelt key. It is no copy of
# Grafana's schema, and smaller: types of panels, targets, field configuration, places.
PANEL: dict[str, Any] = {
    "type": "object",
    "required": ["id", "type", "title", "gridPos"],
    "properties": {
        "id": {"type": "integer", "minimum": 1},
        "type": {"enum": ["row", "stat", "timeseries", "state-timeline", "bargauge", "table"]},
        "title": {"type": "string", "minLength": 3},
        "gridPos": {
            "type": "object",
            "additionalProperties": False,
            "required": ["h", "w", "x", "y"],
            "properties": {
                "h": {"type": "integer", "minimum": 1},
                "w": {"type": "integer", "minimum": 1, "maximum": 24},
                "x": {"type": "integer", "minimum": 0, "maximum": 23},
                "y": {"type": "integer", "minimum": 0},
            },
        },
    },
    "if": {"properties": {"type": {"not": {"const": "row"}}}},
    "then": {
        "required": ["description", "targets", "datasource", "fieldConfig", "options"],
        "properties": {
            "description": {"type": "string", "minLength": 8},
            "datasource": SOURCE,
            "targets": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["refId", "datasource", "query"],
                    "properties": {
                        "refId": {"type": "string", "pattern": "^[A-Z]$"},
                        "datasource": SOURCE,
                        "query": {"type": "string", "pattern": r"from\(bucket:"},
                    },
                },
            },
            "fieldConfig": {
                "type": "object",
                "additionalProperties": False,
                "required": ["defaults", "overrides"],
                "properties": {
                    "defaults": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["noValue", "thresholds"],
                        "properties": {
                            "noValue": {"type": "string"},
                            "unit": {"type": "string"},
                            "decimals": {"type": "number"},
                            "min": {"type": "number"},
                            "max": {"type": "number"},
                            "displayName": {"type": "string"},
                            "color": {"type": "object", "required": ["mode"]},
                            "custom": {"type": "object"},
                            "mappings": {"type": "array"},
                            "thresholds": {
                                "type": "object",
                                "additionalProperties": False,
                                "properties": {
                                    "mode": {"const": "absolute"},
                                    "steps": {
                                        "type": "array",
                                        "minItems": 1,
                                        "items": {
                                            "type": "object",
                                            "additionalProperties": False,
                                            "required": ["color", "value"],
                                            "properties": {
                                                "color": {"type": "string"},
                                                "value": {"type": ["number", "null"]},
                                            },
                                        },
                                    },
                                },
                            },
                        },
                    },
                    "overrides": {"type": "array"},
                },
            },
        },
    },
}


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    plant = jinma()
    return build_dashboards(plant)[overview_uid(plant)]


def panel(dashboard: dict[str, Any], title: str) -> dict[str, Any]:
    (found,) = (p for p in dashboard["panels"] if p["title"].startswith(title))
    assert isinstance(found, dict)
    return found


def test_every_panel_is_whole(dashboard: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(PANEL)
    for one in dashboard["panels"]:
        assert [error.message for error in validator.iter_errors(one)] == [], one["title"]
    assert [one["id"] for one in dashboard["panels"]] == list(range(1, len(dashboard["panels"]) + 1))


def test_panels_fill_their_rows_and_none_covers_another(dashboard: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for one in dashboard["panels"]:
        place = one["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, one["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len(taken) == 24 * (max(y for _, y in taken) + 1)


def test_the_first_row_says_whether_it_is_safe_and_fresh(dashboard: dict[str, Any]) -> None:
    first = [one["title"].split(" ")[0] for one in dashboard["panels"][1:5]]
    assert first == ["Highest", "Emergency", "Active", "Data"]
    assert (dashboard["timezone"], dashboard["refresh"], dashboard["editable"]) == ("Asia/Shanghai", "10s", False)
    assert dashboard["uid"] == "h2-jinma-overview"
    assert next(link["url"] for link in dashboard["links"]) == "http://127.0.0.1:8000/console"


def test_limits_are_those_of_the_station_file(dashboard: dict[str, Any]) -> None:
    plant = jinma()
    for bank in plant.banks:
        limits = plant.signals[plant.tag("storage", bank.unit, "pressure_a")].limits
        shown = panel(dashboard, plant.units["storage", bank.unit].label.en)["fieldConfig"]["defaults"]
        assert [step["value"] for step in shown["thresholds"]["steps"]] == [None, *limits.values()]
        assert shown["custom"]["thresholdsStyle"]["mode"] == "dashed"
    gas = panel(dashboard, "Highest hydrogen")["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [step["value"] for step in gas] == [None, 10.0, 25.0]


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


def test_the_files_of_the_stack_are_what_the_generator_writes(tmp_path: Path) -> None:
    """Renew them with `jinma dashboards build --output deploy/grafana`."""
    written = build_to(tmp_path, [jinma()])
    kept = ROOT / "deploy" / "grafana"
    assert {f.relative_to(tmp_path) for f in written} == {f.relative_to(kept) for f in kept.rglob("*.*") if f.is_file()}
    for file in written:
        assert file.read_bytes() == (kept / file.relative_to(tmp_path)).read_bytes(), file.name


def test_another_station_has_its_own_dashboard(tmp_path: Path) -> None:
    written = build_to(tmp_path, [jinma(), small_station()], bucket='odd "bucket"', console_url="https://h2.example/")
    boards = [json.loads(f.read_text(encoding="utf-8")) for f in written if f.suffix == ".json"]
    assert len({board["uid"] for board in boards}) == 2
    assert r'from(bucket: "odd \"bucket\"")' in boards[0]["panels"][1]["targets"][0]["query"]
    assert boards[1]["links"][0]["url"] == "https://h2.example/console"
    with pytest.raises(BadInputError, match="must begin with http"):
        build_dashboards(jinma(), console_url="javascript:alert(1)")
