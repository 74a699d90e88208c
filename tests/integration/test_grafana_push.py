"""Pushing over HTTP, through grafana-api, to a fake that answers as the recorded Grafana did."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from cli import grafana as command
from dashboards.grafana.push import ApiAddress, InfluxAddress, PushReport, push
from dashboards.grafana.transport import Grafana, GrafanaRefusedError
from station.errors import BadInputError, FinalError, TransientError
from tests.support.fake_grafana import FakeGrafana, State
from tests.support.fake_grafana_alerting import Alerting
from tests.support.plants import jinma
from tests.support.ports import free_port

INFLUX = InfluxAddress("http://influxdb:8086", "jinma", "h2", "TOKEN")
API = ApiAddress("http://127.0.0.1:8000", "http://api:8000", "hook-token")
BOARDS = ["overview", "capacity", "storage", "compression", "dispensing", "alarms"]
ALL = [
    ("datasource", "jinma-influxdb"), ("folder", "jinma"), *(("dashboard", f"h2-jinma-{name}") for name in BOARDS),
    ("contact-point", "jinma-api"), ("alert-rules", "jinma jinma"),
]  # fmt: skip


def pushed(fake: FakeGrafana, influx: InfluxAddress = INFLUX, api: ApiAddress = API) -> PushReport:
    grafana = Grafana(fake.url, fake.state.token, sleep=lambda _: None)
    return push(grafana, [jinma()], influx, api)


def changed(report: PushReport) -> dict[str, str]:
    """What was not left as it was, by uid."""
    return {change.uid: change.outcome for change in report.changes if change.outcome != "unchanged"}


@pytest.mark.parametrize("path", ["", "/grafana"])
@pytest.mark.parametrize("id_routes", [True, False])
def test_the_first_push_makes_everything_and_the_second_changes_nothing(path: str, id_routes: bool) -> None:
    with FakeGrafana(State(id_routes=id_routes), path) as fake:
        first = pushed(fake)
        assert [(change.kind, change.uid) for change in first.changes] == ALL
        assert changed(first) == dict.fromkeys([uid for _, uid in ALL], "created")
        assert first.version == "12.4.0"
        assert "working" in first.health
        kept = fake.state.kept()
        fake.state.requests.clear()
        assert changed(pushed(fake)) == {}
        assert fake.state.writes == []
        assert fake.state.kept() == kept


def test_only_what_differs_is_updated() -> None:
    with FakeGrafana() as fake:
        pushed(fake)
        fake.state.datasources["jinma-influxdb"]["isDefault"] = True
        moved = ApiAddress("https://h2.example", API.url, API.token)
        assert changed(pushed(fake, api=moved)) == dict.fromkeys(
            [*(f"h2-jinma-{name}" for name in BOARDS), "jinma jinma"], "updated"
        )
        fake.state.folders["jinma"]["title"] = "renamed by hand"
        fake.state.good_tokens = {"NEW"}
        renewed = InfluxAddress(INFLUX.url, INFLUX.org, INFLUX.bucket, "NEW")
        assert changed(pushed(fake, renewed, moved)) == {"jinma-influxdb": "updated", "jinma": "updated"}
        assert fake.state.secrets["jinma-influxdb"] == {"token": "NEW"}
        assert fake.state.datasources["jinma-influxdb"]["isDefault"] is True
        assert "NEW" not in fake.state.kept()
        assert changed(pushed(fake, renewed, ApiAddress("https://h2.example", API.url, "other"))) == {
            "jinma-api": "updated"
        }
        settings = fake.state.alerting.points["jinma-api"]["settings"]
        assert settings["authorization_credentials"] == "other"
        assert settings["url"].startswith("http://api:8000/api/v1/hooks/grafana?token-sha256=")
        assert "other" not in settings["url"]


def test_a_rule_that_was_paused_stays_paused_and_others_come_back() -> None:
    with FakeGrafana() as fake:
        pushed(fake)
        rules = fake.state.alerting.groups["jinma", "jinma jinma"]["rules"]
        wanted = [(rule["uid"], copy.deepcopy(rule["data"])) for rule in rules]
        rules[0]["isPaused"] = True
        assert changed(pushed(fake)) == {}
        rules[1]["data"][2]["model"]["conditions"][0]["evaluator"]["params"] = [99.0]
        del rules[2]
        assert changed(pushed(fake)) == {"jinma jinma": "updated"}
        again = fake.state.alerting.groups["jinma", "jinma jinma"]["rules"]
        assert [(rule["uid"], rule["data"]) for rule in again] == wanted
        assert [rule["isPaused"] for rule in again] == [True, False, False, False, False, False]


def test_the_tree_of_policies_is_left_to_its_owner() -> None:
    with FakeGrafana() as fake:
        pushed(fake)
        assert fake.state.alerting.default_receiver == "grafana-default-email"
        rules = fake.state.alerting.groups["jinma", "jinma jinma"]["rules"]
        assert {rule["notification_settings"]["receiver"] for rule in rules} == {"Jinma API"}


def test_a_token_changed_by_hand_is_put_right() -> None:
    with FakeGrafana() as fake:
        pushed(fake)
        fake.state.secrets["jinma-influxdb"]["token"] = "mistyped"
        assert "working" in pushed(fake).health
        assert fake.state.secrets["jinma-influxdb"] == {"token": "TOKEN"}


def test_what_belongs_to_others_stays() -> None:
    others: dict[str, Any] = {"meta": {"folderUid": "theirs"}, "dashboard": {"id": 1, "uid": "theirs", "version": 3}}
    mail = {"uid": "theirs", "name": "mail", "type": "email", "settings": {"addresses": "a@b.example"}}
    group = {"title": "theirs", "folderUid": "jinma", "interval": 60, "rules": []}
    alerting = Alerting(groups={("jinma", "theirs"): group}, points={"theirs": mail})
    with FakeGrafana(State(dashboards={"theirs": others}, alerting=alerting)) as fake:
        before = json.dumps([others, mail, group])
        pushed(fake)
        state = fake.state
        kept = [state.dashboards["theirs"], alerting.points["theirs"], alerting.groups["jinma", "theirs"]]
        assert json.dumps(kept) == before
        assert not any("theirs" in path for _, path in state.requests)


def test_a_restart_of_grafana_is_waited_out() -> None:
    with FakeGrafana() as fake:
        fake.state.failures += [(503, {"message": "starting"}), (502, "<html>no message here</html>")]
        assert set(changed(pushed(fake)).values()) == {"created"}
        fake.state.failures += [(504, {"message": "slow"})] * 3
        with pytest.raises(TransientError, match="504"):
            pushed(fake)


@pytest.mark.parametrize(
    ("state", "kind", "text"),
    [
        (State(version="11.6.2"), BadInputError, "version 11.6.2: 12 or newer"),
        (State(version=""), BadInputError, "version unknown"),
        (State(failures=[(200, "<html>a message from another page</html>")]), BadInputError, "as Grafana does"),
        (State(failures=[(404, "<html>no message</html>")]), BadInputError, "as Grafana does|no Grafana"),
        (State(failures=[(200, {"status": "pass"})]), BadInputError, "as Grafana does"),
        (State(good_tokens=set()), FinalError, "data source does not work: .*unauthorized"),
        (State(provisioned={"h2-jinma-overview"}), GrafanaRefusedError, "Cannot save provisioned dashboard"),
    ],
)
def test_a_grafana_that_it_cannot_work_with_is_refused_in_one_line(
    state: State, kind: type[Exception], text: str
) -> None:
    with FakeGrafana(state) as fake, pytest.raises(kind, match=text) as caught:
        pushed(fake)
    assert "\n" not in str(caught.value)


def test_provisioned_resources_are_refused_before_anything_changes() -> None:
    with FakeGrafana() as fake:
        pushed(fake)
        fake.state.dashboards["h2-jinma-overview"]["meta"]["provisioned"] = True
        fake.state.requests.clear()
        with pytest.raises(FinalError, match="provisioning files"):
            pushed(fake, api=ApiAddress("https://h2.example", API.url, API.token))
        assert fake.state.writes == []
        fake.state.dashboards["h2-jinma-overview"]["meta"]["provisioned"] = False
        fake.state.datasources["jinma-influxdb"]["readOnly"] = True
        with pytest.raises(FinalError, match="provisioning files"):
            pushed(fake, InfluxAddress("http://other:8086", "jinma", "h2", "TOKEN"))
        fake.state.datasources["jinma-influxdb"]["readOnly"] = False
        for one in (
            fake.state.alerting.groups["jinma", "jinma jinma"]["rules"][2],
            fake.state.alerting.points["jinma-api"],
        ):
            one["provenance"] = "file"
            with pytest.raises(FinalError, match="provisioning files"):
                pushed(fake, InfluxAddress("http://other:8086", "jinma", "h2", "TOKEN"))
            one["provenance"] = ""
        assert fake.state.writes == []


def test_another_data_source_of_the_same_name_is_left_alone() -> None:
    with FakeGrafana() as fake:
        pushed(fake)
        fake.state.datasources["theirs"] = fake.state.datasources.pop("jinma-influxdb") | {"uid": "theirs"}
        with pytest.raises(FinalError, match="rename that one"):
            pushed(fake)
    theirs = {"uid": "theirs", "name": "Jinma API", "type": "email", "settings": {}}
    with FakeGrafana(State(alerting=Alerting(points={"theirs": theirs}))) as fake:
        with pytest.raises(FinalError, match="rename that one"):
            pushed(fake)
        assert fake.state.writes == []


def test_a_wrong_token_or_address_says_what_to_do() -> None:
    with FakeGrafana() as fake, pytest.raises(GrafanaRefusedError, match="JINMA_GRAFANA_TOKEN"):
        push(Grafana(fake.url, "wrong"), [jinma()], INFLUX, API)
    with pytest.raises(TransientError, match="cannot be reached"):
        Grafana(f"http://127.0.0.1:{free_port()}", "t", sleep=lambda _: None).call("GET", "/health")
    for bad in ("localhost:3000", "ftp://host", "http://", "http://admin:word@host", "http://host:port"):
        with pytest.raises(BadInputError, match="grafana"):
            Grafana(bad, "t")


def test_an_answer_without_a_body_is_done() -> None:
    with FakeGrafana() as fake:
        grafana = Grafana(fake.url, fake.state.token)
        assert grafana.call("DELETE", "/v1/provisioning/alert-rules/nope") is None


def test_the_command_says_what_changed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("INFLUXDB_V2_TOKEN", "TOKEN")
    monkeypatch.setenv("JINMA_GRAFANA_TOKEN", "glsa_test")
    monkeypatch.delenv("JINMA_TOKEN", raising=False)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")  # not the way to a Grafana
    with FakeGrafana() as fake:
        command.push(fake.url, "influxdb://influx/jinma/readings", None, None, as_json=False)
        told = capsys.readouterr()
        assert told.out.splitlines() == [f"created   {kind} {uid}" for kind, uid in ALL]
        assert "JINMA_HOOK_TOKEN" in told.err
        kept = fake.state.datasources["jinma-influxdb"]
        assert (kept["url"], kept["jsonData"]["defaultBucket"]) == ("http://influx:8086", "readings")
        monkeypatch.setenv("JINMA_HOOK_TOKEN", "hook-token")
        command.push(fake.url, "influxdb://influx/jinma/readings", "http://api:8000", None, as_json=True)
        told = capsys.readouterr()
        report = json.loads(told.out)
        assert {c["uid"]: c["outcome"] for c in report["changes"] if c["outcome"] != "unchanged"} == {
            "jinma-api": "updated"
        }
        assert (told.err, "hook-token" in told.out) == ("", False)
        with pytest.raises(BadInputError, match="API address"):
            command.push(fake.url, "influxdb://influx/jinma/readings", "api:8000", None, as_json=False)
        with pytest.raises(BadInputError, match="InfluxDB only"):
            command.push(fake.url, "sqlite:///readings.sqlite", None, None, as_json=False)
    monkeypatch.delenv("JINMA_GRAFANA_TOKEN")
    with pytest.raises(BadInputError, match="JINMA_GRAFANA_TOKEN"):
        command.push("http://127.0.0.1:1", "influxdb://influx/jinma/readings", None, None, as_json=False)
