"""A service on PostgreSQL: what it keeps and logs of secrets, and how people fare while the database is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from tests.support.mosquitto import Mosquitto
from tests.support.ports import free_port
from tests.support.postgres import Postgres
from tests.support.processes import wait_until
from tests.support.service import Service

SECRETS = {
    "bootstrap": "boot-6f1c29-strap",
    "password": "horse battery staple 71",
    "new password": "horse battery staple 72",
    "wrong password": "wrong horse battery 73",
    "wrong token": "jm00000000.never-a-token-74",
    "journal": "pg-secret-75",
    "hook secret": "hook-secret-76",
    "hook key": "hook-key-77",
    "mail": "mail-secret-78",
    "heartbeat": "heart-secret-79",
}
NOTICES = """
[targets.hook]
webhook = "http://127.0.0.1:{port}/in?key={key}"
secret = "${{HOOK_SECRET}}"
timeout_s = 1
[targets.json]
url = "json://jinma:${{MAIL_SECRET}}@127.0.0.1:{port}/in?+X-Key={key}"
timeout_s = 1
[targets.mail]
url = "mailto://jinma:${{MAIL_SECRET}}@127.0.0.1:{port}?from=a@example.com&to=b@example.com&mode=insecure"
timeout_s = 1
[[routes]]
name = "all"
targets = ["hook", "json", "mail"]
"""
STREAM = "/api/v1/stations/jinma/stream?conflate=1s"


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(scope="module")
def service(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("service")
    closed = free_port()
    (folder / "notices.toml").write_text(NOTICES.format(port=closed, key=SECRETS["hook key"]))
    env = {
        "JINMA_BOOTSTRAP_TOKEN": SECRETS["bootstrap"],
        "JINMA_LOG_LEVEL": "debug",
        "JINMA_NOTICES": str(folder / "notices.toml"),
        "JINMA_HEARTBEAT_URL": f"http://127.0.0.1:{closed}/beat?key={SECRETS['heartbeat']}",
        "HOOK_SECRET": SECRETS["hook secret"],
        "MAIL_SECRET": SECRETS["mail"],
    }
    journal = postgres.create_database("people").replace("tests@", f"tests:{SECRETS['journal']}@")
    with Mosquitto() as broker:
        place = ("--broker", broker.url, "--store", f"sqlite:///{folder}/readings.sqlite", "--journal", journal)
        with Service(*place, command="serve", data_dir=folder / "data", env=env) as running:
            yield running


def admin(service: Service, stack: ExitStack) -> httpx.Client:
    headers = {"Authorization": f"Bearer {SECRETS['bootstrap']}"}
    return stack.enter_context(httpx.Client(base_url=f"{service.url}/api/v1", headers=headers, timeout=40))


def test_no_secret_stands_in_logs_answers_or_tables(service: Service, postgres: Postgres) -> None:
    with ExitStack() as stack:
        boss = admin(service, stack)
        person = stack.enter_context(httpx.Client(base_url=f"{service.url}/api/v1", timeout=40))
        new = {"name": "li.wei", "role": "operator", "password": SECRETS["password"]}
        assert boss.post("/users", json=new).status_code == 200
        token = boss.post("/tokens", json={"name": "screen", "role": "viewer"}).json()["token"]
        wrong = {"user": "li.wei", "password": SECRETS["wrong password"]}
        assert person.post("/session", json=wrong).status_code == 401
        assert person.post("/session", json={"token": SECRETS["wrong token"]}).status_code == 401
        bearer = {"Authorization": f"Bearer {SECRETS['wrong token']}"}
        assert httpx.get(f"{service.url}/api/v1/stations", headers=bearer).status_code == 401
        opened = person.post("/session", json=wrong | {"password": SECRETS["password"]})
        csrf, cookie = opened.json()["csrf"], person.cookies["jinma_session"]
        change = {"old": SECRETS["password"], "new": SECRETS["new password"]}
        assert person.post("/session/password", json=change, headers={"X-CSRF-Token": csrf}).status_code == 204
        tried = boss.post("/stations/jinma/alarms/test").json()["items"]
        assert {one["ok"] for one in tried} == {False}
        assert httpx.get(f"{service.url}/console?login=guess-80").status_code == 401
        # The audit is written beside the answers.
        wait_until(lambda: "login link" in boss.get("/audit").text, 20, "the last act in the audit", every_s=0.2)
        answers = [boss.get(path).text for path in ("/audit", "/users", "/tokens", "/stations/jinma/notices")]
        answers.append(httpx.get(f"{service.url}/metrics").text)
    everywhere = "\n".join([service.process.output(), *answers])
    kept = (service.data_dir / "sessions.json").read_text()
    secrets = {**SECRETS, "token": token.partition(".")[2], "cookie": cookie, "csrf": csrf, "login code": "guess-80"}
    assert [name for name, secret in secrets.items() if secret in everywhere] == []
    assert cookie not in kept
    assert (service.data_dir / "sessions.json").stat().st_mode & 0o777 == 0o600
    assert "notice not delivered" in everywhere
    engine = sa.create_engine(postgres.url("people").replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        rows = {
            name: [tuple(row) for row in connection.execute(sa.text(f"SELECT * FROM {name}"))]
            for name in ("tokens", "users", "audit", "notices", "notice_tries", "journal")
        }
        (hashed,) = connection.execute(sa.text("SELECT password_hash FROM users")).scalars()
        keyed = connection.execute(sa.text("SELECT keyed_hash FROM tokens")).scalars().all()
    engine.dispose()
    assert [name for name, secret in secrets.items() if secret in str(rows)] == []
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert {len(one) for one in keyed} == {64}
    acts = [(row[2], row[5].rsplit("/", 1)[-1], row[6], row[7]) for row in rows["audit"]]
    for act in [
        ("li.wei", "session", 401, "login"),
        ("token jm00000000", "session", 401, "login"),
        ("token jm00000000", "stations", 401, ""),
        ("li.wei", "session", 200, "login"),
        ("li.wei", "password", 204, ""),
        ("", "console", 401, "login link"),
    ]:
        assert act in acts, acts


def test_who_is_in_goes_on_watching_while_the_database_is_away(service: Service, postgres: Postgres) -> None:
    arrived: list[float] = []
    over = threading.Event()
    with ExitStack() as stack:
        boss = admin(service, stack)
        token = boss.post("/tokens", json={"name": "wall", "role": "viewer"}).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        watcher = stack.enter_context(httpx.Client(base_url=service.url, headers=headers, timeout=30))

        def watch() -> None:
            with watcher.stream("GET", STREAM) as answer:
                for _ in answer.iter_bytes():
                    arrived.append(time.monotonic())
                    if over.is_set():
                        return

        watching = threading.Thread(target=watch, daemon=True)
        watching.start()
        wait_until(lambda: bool(arrived), 20, "the stream")
        postgres.stop()
        try:
            went_s = time.monotonic()
            wait_until(lambda: arrived[-1] > went_s + 6.0, 25, "the stream going on without the database")
            known = watcher.get("/api/v1/stations")
            stranger = httpx.post(f"{service.url}/api/v1/session", json={"user": "x", "password": "y"}, timeout=40)
        finally:
            postgres.start()
        assert known.status_code == 200
        assert (stranger.status_code, stranger.headers["content-type"]) == (503, "application/problem+json")
        assert boss.delete(f"/tokens/{token.partition('.')[0]}").status_code == 204
        over.set()
        watching.join(15)
        assert not watching.is_alive()
        assert watcher.get("/api/v1/stations").status_code == 401
