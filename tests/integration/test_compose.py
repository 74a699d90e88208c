"""docker-compose.yml: well-formed, closed, and its commands work as processes with the same environment and secrets.

No container engine is needed here. `tests/data/compose-spec.json` is our own short form of the Compose specification:
the keys that the file uses, with their types, and no other key.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from deploy.docker.connected import holds_connection
from deploy.docker.superfluous import needed_by
from station.adapters.store_urls import open_store
from station.settings import Settings
from tests.support.influxd import Influxd
from tests.support.plants import jinma
from tests.support.ports import accepts_connections, free_port
from tests.support.processes import OwnedProcess, require_program, wait_until

ROOT = Path(__file__).parents[2]
STACK: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = STACK["services"]
OURS = ("ingest", "simulator", "api")
FAST = {"JINMA_SPEED": "20", "JINMA_CLOCK": "station"}
"""What the file offers its user to set: a forecast is due each station minute, and a test has no minute."""


def secret_mounts(service: str) -> dict[str, str]:
    """File below /run/secrets -> secret, of a service."""
    mounts = [s if isinstance(s, dict) else {"source": s, "target": s} for s in SERVICES[service].get("secrets", [])]
    return {mount["target"]: mount["source"] for mount in mounts}


def filled_in(value: object, variables: Mapping[str, str]) -> str:
    """A value as compose passes it on: a variable of the user's, else the default beside it."""
    return re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: variables.get(found[1], found[2]), str(value))


@pytest.fixture(scope="module")
def secrets_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stack") / "secrets"
    subprocess.run([str(ROOT / "scripts" / "make_secrets.sh"), str(folder)], check=True, capture_output=True)
    return folder


# -- the file --------------------------------------------------------------------------------------------------------


def test_the_file_keeps_to_the_specification() -> None:
    schema = json.loads((ROOT / "tests" / "data" / "compose-spec.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    errors = jsonschema.Draft202012Validator(schema).iter_errors(STACK)
    assert [f"{list(error.path)}: {error.message}" for error in errors] == []


def test_what_a_service_names_is_there() -> None:
    used_secrets = {source for service in SERVICES for source in secret_mounts(service).values()}
    assert used_secrets == set(STACK["secrets"])
    named = {volume.split(":")[0] for one in SERVICES.values() for volume in one.get("volumes", [])}
    assert {volume for volume in named if not volume.startswith(".")} == set(STACK["volumes"])
    for path in (volume for volume in named if volume.startswith(".")):
        assert (ROOT / path).exists(), path
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            assert how["condition"] == "service_healthy"
    for file in re.findall(r"/run/secrets/(\w+)", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")):
        assert any(file in secret_mounts(service) for service in SERVICES), file


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_closed_in(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["init"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert all(volume.endswith(":ro") for volume in service.get("volumes", []) if volume.startswith("."))
    assert "latest" not in service["image"]
    assert "user" in service or service["image"].startswith("jinma:")  # our image's own user: see its Dockerfile
    words = json.dumps(service.get("environment", {}))
    assert not re.search(r'(?:password|token)"\s*:\s*"(?!/run/secrets/)', words, re.IGNORECASE)


def test_our_settings_are_spelt_as_the_program_reads_them() -> None:
    known = {f"JINMA_{field_name.upper()}" for field_name in Settings.model_fields}
    for service in OURS:
        assert set(SERVICES[service]["environment"]) <= known
        files = set(secret_mounts(service))
        assert files <= {name.lower() for name in known} | {"influxdb_v2_token"}
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert set(re.findall(r"JINMA_\w+", image)) <= known | {"JINMA_IMAGE"}
    assert re.search(r"^USER 10001:10001$", image, re.MULTILINE)
    assert "--require-hashes" in image
    assert "HEALTHCHECK" in image


def test_the_image_keeps_what_runs_and_drops_the_tools() -> None:
    needed = needed_by("jinma", frozenset({"postgresql"}))
    assert {"jinma", "fastapi", "nicegui", "paho-mqtt", "influxdb-client", "uvicorn", "psycopg"} <= needed
    assert not needed & {"pytest", "mypy", "ruff", "playwright", "hypothesis", "setuptools"}


# -- the secrets -----------------------------------------------------------------------------------------------------


def test_secrets_are_made_once_and_closed_to_others(secrets_folder: Path) -> None:
    files = {file.name: file for file in secrets_folder.iterdir()}
    assert {Path(secret["file"]).name for secret in STACK["secrets"].values()} == set(files)
    assert stat.S_IMODE(secrets_folder.stat().st_mode) == 0o700
    # by users of their own inside the containers; the folder keeps everybody else out
    assert {stat.S_IMODE(file.stat().st_mode) for file in files.values()} == {0o444}
    before = {name: file.read_bytes() for name, file in files.items()}
    again = [str(ROOT / "scripts" / "make_secrets.sh"), str(secrets_folder)]
    assert subprocess.run(again, check=True, capture_output=True).stdout == b""
    assert {name: file.read_bytes() for name, file in files.items()} == before
    assert len({text for text in before.values() if len(text) == 64}) == 5


def test_the_brokers_passwords_fit_the_urls(secrets_folder: Path) -> None:
    lines = (secrets_folder / "mosquitto_passwords").read_text().splitlines()
    for line in lines:
        user, hashed = line.split(":")
        word = (secrets_folder / f"broker_{user}").read_text().removeprefix(f"mqtt://{user}:").partition("@")[0]
        _, kind, rounds, salt, key = hashed.split("$")
        made = hashlib.pbkdf2_hmac("sha512", word.encode(), base64.b64decode(salt), int(rounds))
        assert (kind, base64.b64encode(made).decode()) == ("7", key)
    assert [line.split(":")[0] for line in lines] == ["gateway", "ingest", "api"]


def test_the_health_of_a_silent_service_is_its_connection() -> None:
    header = "  sl  local_address rem_address   st tx_queue rx_queue"
    away = "   0: 0100007F:9C40 0100007F:075B 06 00000000:00000000"
    held = "   1: 0200000A:9C40 0300000A:075B 01 00000000:00000000"
    served = "   2: 0200000A:075B 0300000A:9C40 01 00000000:00000000"
    assert holds_connection([header, away, held], 1883)
    assert not holds_connection([header, away, served], 1883)


# -- the same commands as processes ----------------------------------------------------------------------------------


@dataclass
class Stack:
    """mosquitto with the deployed configuration, InfluxDB, and our three commands as the file starts them."""

    folder: Path
    secrets: Path
    influxd: Influxd
    mqtt_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)

    def broker(self) -> OwnedProcess:
        data, acl = self.folder / "mosquitto", self.folder / "acl"
        data.mkdir()
        shutil.copy(ROOT / "deploy" / "mosquitto" / "acl", acl)
        text = (ROOT / "deploy" / "mosquitto" / "mosquitto.conf").read_text()
        for old, new in (
            ("listener 1883", f"listener {self.mqtt_port} 127.0.0.1\nuser root"),
            ("/mosquitto/data/", f"{data}/"),
            ("/run/secrets/mosquitto_passwords", str(self.secrets / "mosquitto_passwords")),
            ("/mosquitto/config/acl", str(acl)),
        ):
            assert old in text
            text = text.replace(old, new)
        configuration = self.folder / "mosquitto.conf"
        configuration.write_text(text)
        command = [str(require_program("mosquitto")), "-c", str(configuration)]
        return OwnedProcess(command, self.folder / "mosquitto.log")

    def on_loopback(self, text: str) -> str:
        """Host names of the stack's network -> where their programs are here."""
        here = text.replace("@mosquitto:1883", f"@127.0.0.1:{self.mqtt_port}")
        return here.replace("//influxdb:8086/", f"//127.0.0.1:{self.influxd.port}/")

    def service(self, name: str) -> OwnedProcess:
        """One of ours: its command, its environment, its secrets; from the image, where data and API are."""
        mounted = self.folder / f"{name}-secrets"
        mounted.mkdir()
        for target, source in secret_mounts(name).items():
            (mounted / target).write_text(self.on_loopback((self.secrets / source).read_text()))
        env = {key: self.on_loopback(filled_in(value, FAST)) for key, value in SERVICES[name]["environment"].items()}
        data = str(self.folder / f"{name}-data")
        env |= {
            "JINMA_SECRETS_DIR": str(mounted),
            "JINMA_DATA_DIR": data,
            "JINMA_PORT": str(self.http_port),
        }
        said = [re.sub(r"^/data\b", data, word) for word in SERVICES[name]["command"]]
        command = [sys.executable, "-m", "cli.main", *said]
        return OwnedProcess(command, self.folder / f"{name}.log", env)


@pytest.fixture
def stack(tmp_path: Path, secrets_folder: Path) -> Iterator[Stack]:
    secrets = tmp_path / "secrets"
    shutil.copytree(secrets_folder, secrets)
    with ExitStack() as running:
        influxd = Influxd()
        # As the image sets it up: organisation, bucket and token of the file and its secrets.
        setup = SERVICES["influxdb"]["environment"]
        influxd.org, influxd.bucket = (setup[f"DOCKER_INFLUXDB_INIT_{name}"] for name in ("ORG", "BUCKET"))
        influxd.token = (secrets / Path(setup["DOCKER_INFLUXDB_INIT_ADMIN_TOKEN_FILE"]).name).read_text()
        running.enter_context(influxd)
        made = Stack(tmp_path, secrets, influxd)
        running.enter_context(made.broker())
        wait_until(lambda: accepts_connections(made.mqtt_port), 10, "mosquitto listening")
        yield made


def ready(stack: Stack) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{stack.http_port}/readyz", timeout=4) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def station_of(stack: Stack, token: str) -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{stack.http_port}/api/v1/stations/jinma", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_the_commands_of_the_file_carry_readings_from_sensor_to_store(stack: Stack) -> None:
    plant = jinma()
    with ExitStack() as running:
        processes = [running.enter_context(stack.service(name)) for name in OURS]

        def is_ready() -> bool:
            for process in processes:
                process.check_running()
            return ready(stack)

        wait_until(is_ready, 60, "/readyz", every_s=0.2)
        store = open_store(stack.influxd.store_url(), stack.influxd.token)
        running.callback(store.close)
        pressure = plant.tag("storage", plant.banks[0].unit, "pressure_a")
        wait_until(lambda: pressure in store.latest(plant.id, [pressure]), 30, "a reading in InfluxDB", every_s=0.2)
        wait_until(lambda: bool(store.read_points("capacity", {}, 0, 9 * 10**12)), 90, "a forecast there", every_s=0.5)
        admin = (stack.secrets / "jinma_bootstrap_token").read_text()
        assert station_of(stack, admin) == 200
        assert station_of(stack, "wrong") == 401
        assert station_of(stack, (stack.secrets / "jinma_hook_token").read_text()) == 200, "Grafana's alerts come in"
        assert [process.stop(5) for process in processes] == [0, 0, 0], [p.output()[-500:] for p in processes]
        printed = "".join(process.output() for process in processes)
        assert not any(file.read_text() in printed for file in stack.secrets.iterdir())
