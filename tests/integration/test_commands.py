"""Every command as a user types it: what it gives, its exit code, and the one line that says what is wrong."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from station.adapters.log_files import read_log
from station.adapters.sqlite_readings import SqliteReadings
from station.domain.signals import UnitMessage
from station.wire import topics
from tests.support.influxd import Influxd
from tests.support.mosquitto import Mosquitto
from tests.support.plants import DATA, small_station_text
from tests.support.ports import free_port
from tests.support.processes import wait_until
from tests.support.service import Service, ingest, jinma

FAR_MS = 4_102_444_800_000
NOBODY = f"mqtt://127.0.0.1:{free_port()}"
OUT = "/tmp/never-written.ndjson"


def failure(*arguments: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Return the exit code and the one line of a command that must fail."""
    done = jinma(*arguments, env=env)
    assert done.returncode != 0, done.stdout
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("jinma: ")]
    assert len(lines) == 1, done.stderr
    return done.returncode, lines[0]


WRONG: list[tuple[str, int, str]] = [
    (f"simulate --output {OUT} --speed quick --scenario no-such-day", 2, "no-such-day"),
    (f"simulate --output {OUT} --duration soon", 2, "--duration"),
    (f"simulate --output {OUT} --start yesterday", 2, "--start"),
    (f"simulate --output {OUT} --broker mqtt://127.0.0.1:1", 2, "one of the two"),
    ("simulate --broker mqtt://127.0.0.1:1 --speed 0", 2, "--speed"),
    ("simulate --broker http://127.0.0.1:1 --duration 1s", 2, "mqtt://"),
    (f"simulate --output {OUT} --plant no-such-station.toml", 2, "no-such-station.toml"),
    ("ingest --broker mqtt://127.0.0.1:1", 2, "--store"),
    ("ingest --broker nonsense --store memory://", 2, "mqtt://"),
    ("serve --broker mqtt://127.0.0.1:1 --port 0", 2, "--store"),
    ("run --no-browser --port 99999", 2, "port"),
    ("run --no-browser --speed=-1", 2, "speed"),
    ("replay no-such.ndjson --broker mqtt://127.0.0.1:1", 2, "no-such.ndjson"),
    (
        "export --store nothing://here --from 2026-06-01T00:00Z --to 2026-06-02T00:00Z --output x.ndjson",
        2,
        "sqlite",
    ),
    (
        "export --data-dir /nonexistent --from 2026-06-01T00:00Z --to 2026-06-02T00:00Z --output x.ndjson",
        2,
        "store",
    ),
    ("fault explode --unit train-3 --broker mqtt://127.0.0.1:1", 2, "train-trip"),
    ("fault train-trip --broker mqtt://127.0.0.1:1", 2, "--unit"),
    ("check no-such.toml", 2, "no-such.toml"),
    ("token list --data-dir /nonexistent", 2, "--data-dir"),
    ("capacity --api http://127.0.0.1:1", 1, "running"),
]


def test_what_is_wrong_is_said_in_one_line(tmp_path: Path) -> None:
    """All of them side by side: most of the time of a command is its start."""
    place = {"JINMA_DATA_DIR": str(tmp_path)}
    with ThreadPoolExecutor(4) as side_by_side:
        found = list(side_by_side.map(lambda row: failure(*row[0].split(), env=place), WRONG))
    for (line, code, says), (got, said) in zip(WRONG, found, strict=True):
        assert (line, got) == (line, code), said
        assert says in said, line


def test_bad_usage_is_exit_code_2() -> None:
    for line in (["no-such-command"], ["simulate", "--no-such-option"], ["export"]):
        done = jinma(*line)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_a_broker_that_is_not_there_is_said_and_ends_the_command(tmp_path: Path) -> None:
    code, said = failure("simulate", "--broker", NOBODY, "--duration", "1s")
    assert code == 1
    assert NOBODY.removeprefix("mqtt://") in said


def test_a_wrong_store_token_is_said(influxd: Influxd, mosquitto: Mosquitto, tmp_path: Path) -> None:
    line = ["ingest", "--broker", mosquitto.url, "--store", influxd.store_url(), "--spool", str(tmp_path)]
    code, said = failure(*line, env={"INFLUXDB_V2_TOKEN": "wrong-token-of-mine"})
    assert code == 2
    assert "token" in said
    assert "wrong-token-of-mine" not in said
    code, said = failure(*line, env={"INFLUXDB_V2_TOKEN": ""})
    assert code == 2
    assert "INFLUXDB_V2_TOKEN" in said


def test_check_names_each_mistake_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(small_station_text())
    good = jinma("check", str(file))
    assert (good.returncode, good.stderr) == (0, "")
    lines = small_station_text().splitlines()
    number = next(n for n, line in enumerate(lines) if line.startswith("timezone"))
    lines[number] = 'timezone = "Mars/Olympus"'
    file.write_text("\n".join(lines))
    bad = jinma("check", str(file), "--json")
    assert bad.returncode == 2
    mistakes = json.loads(bad.stdout)["mistakes"]
    assert [m["line"] for m in mistakes] == [number + 1]
    assert "Mars/Olympus" in mistakes[0]["text"]
    assert f"line {number + 1}:" in jinma("check", str(file)).stdout


def test_the_same_seed_gives_the_same_bytes_and_the_account_closes(tmp_path: Path) -> None:
    def log(name: str, seed: str) -> tuple[bytes, dict[str, float]]:
        line = ["--duration", "20m", "--start", "2026-06-01T08:00+08:00", "--seed", seed, "--speed", "max", "--json"]
        done = jinma("simulate", *line, "--output", str(tmp_path / name))
        assert done.returncode == 0, done.stderr
        return (tmp_path / name).read_bytes(), json.loads(done.stdout)

    one, account = log("one.ndjson", "1")
    again, account_again = log("again.ndjson", "1")
    other, _ = log("other.ndjson", "2")
    assert one == again
    assert account == account_again
    assert one != other
    wanted = {"trucks", "dispensed_kg", "received_kg", "stock_change_kg", "vented_kg", "returned_kg", "closure"}
    assert wanted <= account.keys()
    assert abs(account["closure"]) < 1e-4
    assert account["dispensed_kg"] > 0.0


def test_a_first_station_file_from_a_signal_list_is_checked_without_a_mistake_of_form(tmp_path: Path) -> None:
    done = jinma("plant", "from-csv", str(DATA / "signals.csv"), "--station", "second")
    assert done.returncode == 0, done.stderr
    assert re.search(r'^id = "second"$', done.stdout, re.MULTILINE)
    file = tmp_path / "second.toml"
    file.write_text(done.stdout)
    assert "303 signals" in jinma("check", str(file)).stdout
    code, said = failure("plant", "from-csv", str(tmp_path / "none.csv"))
    assert code == 2
    assert "none.csv" in said


def test_the_list_of_faults_names_those_of_the_contract() -> None:
    done = jinma("fault", "--list")
    assert done.returncode == 0
    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert len(names) == 22
    assert {"train-trip", "trailer-late", "sensor-drift", "meter-bias"} <= set(names)


def test_help_shows_an_example() -> None:
    commands = ("run", "simulate", "ingest", "serve", "replay", "export", "capacity", "fault", "check")
    with ThreadPoolExecutor(4) as side_by_side:
        shown = side_by_side.map(lambda command: jinma(command, "--help", env={"COLUMNS": "200"}), commands)
        for command, done in zip(commands, shown, strict=True):
            assert done.returncode == 0
            assert f"Example: jinma {command}" in done.stdout


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with Service("--speed", "5") as running:  # a first forecast is due at the next whole minute of the station
        running.wait_live()
        yield running


def test_capacity_is_shown_as_json_and_as_a_table(service: Service) -> None:
    def there() -> bool:
        return service.ask("GET", "/stations/jinma/capacity").status_code == httpx.codes.OK

    wait_until(there, 90, "a first forecast", every_s=0.5)
    env = {"JINMA_TOKEN": service.token}
    done = jinma("capacity", "--api", service.url, "--json", env=env)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["plan"]["trucks"] > 50
    table = jinma("capacity", "--api", service.url, env=env)
    assert "trucks servable" in table.stdout
    code, said = failure("capacity", "--api", service.url, env={"JINMA_TOKEN": "jm00000000.wrong"})
    assert code == 1
    assert "401" in said
    assert "JINMA_TOKEN" in said


def test_a_plan_is_imported_shown_and_asked_what_if(service: Service, tmp_path: Path) -> None:
    def snapshot_there() -> bool:
        return service.ask("GET", "/stations/jinma/capacity").status_code == httpx.codes.OK

    wait_until(snapshot_there, 90, "a first forecast", every_s=0.5)
    env, api = {"JINMA_TOKEN": service.token}, ("--api", service.url)
    file = tmp_path / "plan.csv"
    file.write_text("kind,id,time,kg,bay\ntruck,豫A1,08:10,40,\ntrailer,T-1,09:00,278,bay-1\n", encoding="gb18030")
    done = jinma("plan", "import", str(file), "--date", "2090-01-02", *api, env=env)
    assert done.returncode == 0, done.stderr
    assert "1 trucks, 40 kg; 1 trailers" in done.stdout
    assert "can carry this plan" in done.stdout
    assert "豫A1" in jinma("plan", "show", "2090-01-02", *api, env=env).stdout
    assert json.loads(jinma("plan", "show", "2090-01-02", "--json", *api, env=env).stdout)["source"] == "put"
    today = json.loads(jinma("plan", "show", "--json", *api, env=env).stdout)
    assert len(today["trucks"]) > 50
    file.write_text("truck,A,08:10,-4,\n", encoding="utf-8")
    code, said = failure("plan", "import", str(file), "--date", "2090-01-02", *api, env=env)
    assert (code, "line 1: kg = '-4'" in said, str(file) in said) == (2, True, True)

    changes = tmp_path / "less.toml"
    changes.write_text('remove = ["train-2"]\nambient_c = 40\nplan_of = 2090-01-02\n')
    both = jinma("capacity", "--what-if", str(changes), "--json", *api, env=env)
    assert both.returncode == 0, both.stderr
    assert json.loads(both.stdout)["what_if"]["plan"]["trucks"] == 1
    table = jinma("capacity", "--what-if", str(changes), *api, env=env).stdout
    assert "as it is" in table
    assert "what if" in table
    for text, place in (
        ('{"remove": ["train-9"]}', "body.remove[0]"),
        ('{"trains": 1}', "body.trains"),
        ("{", "line 1"),
    ):
        wrong = tmp_path / "wrong.json"
        wrong.write_text(text)
        code, said = failure("capacity", "--what-if", str(wrong), *api, env=env)
        assert (code, place in said) == (2, True), said


def test_a_token_is_made_used_listed_and_revoked(service: Service) -> None:
    place = ("--data-dir", str(service.data_dir))
    token = jinma("token", "create", "wall-screen", "--role", "viewer", "--expires", "1d", *place).stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    assert service.ask("GET", "/stations", headers=headers).status_code == httpx.codes.OK
    assert service.ask("POST", "/stations/jinma/alarms/X.H/ack", headers=headers, json={}).status_code == 403
    listed = jinma("token", "list", "--json", *place).stdout
    (row,) = [row for row in json.loads(listed) if row["name"] == "wall-screen"]
    assert row["role"] == "viewer"
    assert token.partition(".")[2] not in listed
    assert jinma("token", "revoke", row["prefix"], *place).returncode == 0

    def is_out() -> bool:
        return service.ask("GET", "/stations", headers=headers).status_code == httpx.codes.UNAUTHORIZED

    wait_until(is_out, 6, "the revoked token refused", every_s=0.2)
    assert failure("token", "revoke", row["prefix"], *place)[0] == 2
    assert failure("token", "create", "x", "--role", "king", *place)[0] == 2


def test_an_exported_log_replayed_comes_out_equal(mosquitto: Mosquitto, tmp_path: Path) -> None:
    source, target = tmp_path / "source.sqlite", tmp_path / "target.sqlite"
    made, out, again = tmp_path / "made.ndjson", tmp_path / "out.ndjson.gz", tmp_path / "again.ndjson"
    span = ("--from", "2026-06-01T00:00:00+08:00", "--to", "2026-06-02T00:00:00+08:00")
    start = "2026-06-01T09:00:00+08:00"
    assert jinma("simulate", "--output", str(made), "--start", start, "--duration", "2m").returncode == 0
    store_log(made, source)
    done = jinma("export", "--store", f"sqlite:///{source}", *span, "--output", str(out), "--json")
    assert done.returncode == 0, done.stderr
    count = json.loads(done.stdout)["messages"]
    assert count > 1000
    taking = ingest(
        mosquitto.url, f"sqlite:///{target}", tmp_path, "--accept-replays", "--clock", "station",
    )  # fmt: skip
    with taking:
        line = ("replay", str(out), "--broker", mosquitto.url, "--speed", "max", "--time", "now", "--json")
        replayed = jinma(*line)
        assert replayed.returncode == 0, replayed.stderr
        said = json.loads(replayed.stdout)
        assert said["messages"] == count
        assert "~" in said["station"]
        wait_until(lambda: len(stations_of(target)) == 1 and count_of(target) == count, 30, "all stored", every_s=0.3)
    (station,) = stations_of(target)
    line = ("--station", station, "--from", "2020-01-01T00:00Z", "--to", "2099-01-01T00:00Z")
    done = jinma("export", "--store", f"sqlite:///{target}", *line, "--output", str(again))
    assert done.returncode == 0, done.stderr
    assert values_of(again) == values_of(out)
    sys.stdout.write(f"{count} messages exported, replayed and exported alike\n")


def store_log(log: Path, path: Path) -> None:
    store = SqliteReadings(path)
    rows = []
    for record in read_log(log):
        place = topics.parse_reading(record.topic)
        if place is not None:
            said = json.loads(record.payload)
            values = {tag: None if value is None else float(value) for tag, value in said["v"].items()}
            rows.append(UnitMessage("jinma", place.area, place.unit, said["t"], values, said.get("q", {})))
    store.write(rows)
    store.close()


def stations_of(path: Path) -> list[str]:
    store = SqliteReadings(path)
    try:
        return store.stations()
    finally:
        store.close()


def count_of(path: Path) -> int:
    store = SqliteReadings(path)
    try:
        return sum(1 for station in store.stations() for _ in store.messages(station, 0, FAR_MS))
    finally:
        store.close()


def values_of(log: Path) -> list[tuple[object, ...]]:
    """A log as contract section 8 compares it, times counted from its first, whatever the station is called."""
    rows = [(topics.parse_reading(record.topic), json.loads(record.payload)) for record in read_log(log)]
    first = min(said["t"] for _, said in rows)
    return sorted(
        (
            place.area,
            place.unit,
            said["t"] - first,
            json.dumps(said["v"], sort_keys=True),
            json.dumps(said.get("q", {})),
        )
        for place, said in rows
        if place is not None
    )


def test_users_are_made_listed_changed_and_removed_and_log_in(service: Service) -> None:
    place = ("--data-dir", str(service.data_dir))
    password = "eight hoses and a bank"
    made = jinma("user", "add", "li.wei", "--role", "operator", "--password-stdin", *place, text=password)
    assert made.returncode == 0, made.stderr
    listed = json.loads(jinma("user", "list", "--json", *place).stdout)
    assert [(row["name"], row["role"], row["disabled"]) for row in listed] == [("li.wei", "operator", False)]
    url = f"{service.url}/api/v1/session"
    assert httpx.post(url, json={"user": "li.wei", "password": password}).json()["role"] == "operator"
    assert jinma("user", "disable", "li.wei", *place).returncode == 0
    assert httpx.post(url, json={"user": "li.wei", "password": password}).status_code == 401
    assert jinma("user", "enable", "li.wei", *place).returncode == 0
    assert jinma("user", "role", "li.wei", "--role", "viewer", *place).returncode == 0
    other = "another long password"
    assert jinma("user", "password", "li.wei", "--password-stdin", *place, text=other).returncode == 0
    assert httpx.post(url, json={"user": "li.wei", "password": other}).json()["role"] == "viewer"
    assert jinma("user", "remove", "li.wei", *place).returncode == 0
    code, said = failure("user", "remove", "li.wei", *place)
    assert (code, "there is none" in said) == (2, True)
    weak = jinma("user", "add", "x", "--role", "viewer", "--password-stdin", *place, text="short")
    assert (weak.returncode, "12 to 256" in weak.stderr) == (2, True)
