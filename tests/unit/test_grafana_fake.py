"""The fake Grafana answers the recorded requests as the real 12.4 answered them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_grafana import State, answer

RECORDED: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[1] / "data" / "grafana" / "recorded.json").read_text(encoding="utf-8")
)
VOLATILE = {"id", "created", "updated", "slug"}
"""Numbers and times of the server's own; its slugs keep a hyphen that nothing depends on."""


def plain(body: Any) -> Any:
    """The body without what differs from run to run."""
    if isinstance(body, dict):
        return {name: plain(value) for name, value in body.items() if name not in VOLATILE and name != "url"}
    return [plain(one) for one in body] if isinstance(body, list) else body


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_pairs_are_answered_as_recorded(name: str) -> None:
    state = State(id_routes=name != "id-routes-off")
    assert len(RECORDED[name]) >= 6
    for pair in RECORDED[name]:
        status, body = answer(state, pair["method"], pair["path"], pair["request"])
        told = f"{pair['method']} {pair['path']}"
        assert status == pair["status"], told
        if pair["path"].startswith("/dashboards/uid/") and status == 200:
            assert plain(body["dashboard"]) == plain(pair["response"]["dashboard"]), told
            assert body["meta"]["folderUid"] == pair["response"]["meta"]["folderUid"]
            assert body["meta"]["provisioned"] is pair["response"]["meta"]["provisioned"]
        else:
            assert plain(body or "") == plain(pair["response"]), told


def test_what_was_measured_without_a_recording() -> None:
    """Provisioned resources 400 and 403, a bad token's health 400: told by the measurements in words."""
    state = State(provisioned={"h2"})
    source = {"name": "x", "uid": "x", "type": "influxdb", "access": "proxy", "url": "u", "isDefault": False}
    answer(state, "POST", "/datasources", source | {"jsonData": {}, "secureJsonData": {"token": "wrong"}})
    status, body = answer(state, "GET", "/datasources/uid/x/health", None)
    assert (status, body["status"]) == (400, "ERROR")
    state.datasources["x"]["readOnly"] = True
    assert answer(state, "PUT", "/datasources/uid/x", source)[0] == 403
    assert answer(state, "POST", "/dashboards/db", {"dashboard": {"uid": "h2", "title": "t"}})[0] == 400
