"""Pushing over HTTP, through grafana-api, to a fake that answers as the recorded Grafana did."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cli import grafana as command
from dashboards.grafana.push import InfluxAddress, PushReport, push
from dashboards.grafana.transport import Grafana, GrafanaRefusedError
from station.errors import BadInputError, FinalError, TransientError
from tests.support.fake_grafana import FakeGrafana, State
from tests.support.plants import jinma
from tests.support.ports import free_port

INFLUX = InfluxAddress("http://influxdb:8086", "jinma", "h2", "TOKEN")
THREE = [("datasource", "jinma-influxdb"), ("folder", "jinma"), ("dashboard", "h2-jinma-overview")]


def pushed(fake: FakeGrafana, influx: InfluxAddress = INFLUX, console: str = "http://127.0.0.1:8000") -> PushReport:
    grafana = Grafana(fake.url, fake.state.token, sleep=lambda _: None)
    return push(grafana, [jinma()], influx, console_url=console)


def outcomes(report: PushReport) -> list[str]:
    return [change.outcome for change in report.changes]


@pytest.mark.parametrize("path", ["", "/grafana"])
@pytest.mark.parametrize("id_routes", [True, False])
def test_the_first_push_makes_everything_and_the_second_changes_nothing(path: str, id_routes: bool) -> None:
    with FakeGrafana(State(id_routes=id_routes), path) as fake:
        first = pushed(fake)
        assert [(change.kind, change.uid) for change in first.changes] == THREE
        assert outcomes(first) == ["created"] * 3
        assert first.version == "12.4.0"
        assert "working" in first.health
        kept = json.dumps([fake.state.datasources, fake.state.folders, fake.state.dashboards])
        fake.state.requests.clear()
        assert outcomes(pushed(fake)) == ["unchanged"] * 3
        assert fake.state.writes == []
        assert json.dumps([fake.state.datasources, fake.state.folders, fake.state.dashboards]) == kept


def test_only_what_differs_is_updated() -> None:
    with FakeGrafana() as fake:
        pushed(fake)
        fake.state.datasources["jinma-influxdb"]["isDefault"] = True
        assert outcomes(pushed(fake, console="https://h2.example")) == ["unchanged", "unchanged", "updated"]
        fake.state.folders["jinma"]["title"] = "renamed by hand"
        fake.state.good_tokens = {"NEW"}
        renewed = InfluxAddress(INFLUX.url, INFLUX.org, INFLUX.bucket, "NEW")
        assert outcomes(pushed(fake, renewed, "https://h2.example")) == ["updated", "updated", "unchanged"]
        assert fake.state.secrets["jinma-influxdb"] == {"token": "NEW"}
        assert fake.state.datasources["jinma-influxdb"]["isDefault"] is True
        assert "NEW" not in json.dumps([fake.state.datasources, fake.state.dashboards])


def test_a_token_changed_by_hand_is_put_right() -> None:
    with FakeGrafana() as fake:
        pushed(fake)
        fake.state.secrets["jinma-influxdb"]["token"] = "mistyped"
        assert "working" in pushed(fake).health
        assert fake.state.secrets["jinma-influxdb"] == {"token": "TOKEN"}


def test_what_belongs_to_others_stays() -> None:
    others: dict[str, Any] = {"meta": {"folderUid": "theirs"}, "dashboard": {"id": 1, "uid": "theirs", "version": 3}}
    with FakeGrafana(State(dashboards={"theirs": others})) as fake:
        before = json.dumps(others)
        pushed(fake)
        assert json.dumps(fake.state.dashboards["theirs"]) == before
        assert not any("theirs" in path for _, path in fake.state.requests)


def test_a_restart_of_grafana_is_waited_out() -> None:
    with FakeGrafana() as fake:
        fake.state.failures += [(503, {"message": "starting"}), (502, "<html>no message here</html>")]
        assert outcomes(pushed(fake)) == ["created"] * 3
        fake.state.failures += [(504, {"message": "slow"})] * 3
        with pytest.raises(TransientError, match="504"):
            pushed(fake)


@pytest.mark.parametrize(
    ("state", "kind", "text"),
    [
        (State(version="10.4.2"), BadInputError, "version 10.4.2: 11 or newer"),
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
            pushed(fake, console="https://h2.example")
        assert fake.state.writes == []
        fake.state.dashboards["h2-jinma-overview"]["meta"]["provisioned"] = False
        fake.state.datasources["jinma-influxdb"]["readOnly"] = True
        with pytest.raises(FinalError, match="provisioning files"):
            pushed(fake, InfluxAddress("http://other:8086", "jinma", "h2", "TOKEN"))


def test_another_data_source_of_the_same_name_is_left_alone() -> None:
    with FakeGrafana() as fake:
        pushed(fake)
        fake.state.datasources["theirs"] = fake.state.datasources.pop("jinma-influxdb") | {"uid": "theirs"}
        with pytest.raises(FinalError, match="rename that one"):
            pushed(fake)


def test_a_wrong_token_or_address_says_what_to_do() -> None:
    with FakeGrafana() as fake, pytest.raises(GrafanaRefusedError, match="JINMA_GRAFANA_TOKEN"):
        push(Grafana(fake.url, "wrong"), [jinma()], INFLUX, console_url="http://127.0.0.1:8000")
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
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")  # not the way to a Grafana
    with FakeGrafana() as fake:
        command.push(fake.url, "influxdb://influx/jinma/readings", None, as_json=False)
        assert capsys.readouterr().out.splitlines() == [f"created   {kind} {uid}" for kind, uid in THREE]
        kept = fake.state.datasources["jinma-influxdb"]
        assert (kept["url"], kept["jsonData"]["defaultBucket"]) == ("http://influx:8086", "readings")
        command.push(fake.url, "influxdb://influx/jinma/readings", None, as_json=True)
        report = json.loads(capsys.readouterr().out)
        assert [change["outcome"] for change in report["changes"]] == ["unchanged"] * 3
        with pytest.raises(BadInputError, match="InfluxDB only"):
            command.push(fake.url, "sqlite:///readings.sqlite", None, as_json=False)
    monkeypatch.delenv("JINMA_GRAFANA_TOKEN")
    with pytest.raises(BadInputError, match="JINMA_GRAFANA_TOKEN"):
        command.push("http://127.0.0.1:1", "influxdb://influx/jinma/readings", None, as_json=False)
