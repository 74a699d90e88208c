"""`jinma user`, `token` and `alarms` beside a service: what they do, what they write down, how they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from api.people.roles import Role
from cli.api_side import Kept
from cli.main import app
from cli.people_commands import alarm_commands, journal_commands, token_commands, user_commands
from tests.support.ports import free_port
from tests.support.postgres import Postgres

PASSWORD = "eight hoses and a bank"
Say = Callable[..., Result]


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Say:
    monkeypatch.setattr("cli.process_log.configure", lambda _level: None)  # it would stay for the tests behind this one
    return lambda *arguments, text="": CliRunner().invoke(app, list(arguments), input=text)


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Kept, str]]:
    if request.param == "sqlite":
        opened = (Kept.open(url := f"sqlite:///{tmp_path / 'journal.sqlite'}", tmp_path, None), url)
        yield opened
        opened[0].database.close()
        return
    with Postgres() as server:
        url = server.create_database("commands")
        opened = (Kept.open(url, tmp_path, None), url)
        yield opened
        opened[0].database.close()


def refused(result: Result, *words: str) -> None:
    """A refusal is exit 2 and one line that says what."""
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1
    assert all(word in result.stderr for word in words), result.stderr


def test_users_and_tokens_are_managed_in_any_journal_and_every_act_is_in_the_audit(
    say: Say, kept: tuple[Kept, str], tmp_path: Path
) -> None:
    service, url = kept
    place = ("--journal", url, "--data-dir", str(tmp_path))
    add = ("user", "add", "li.wei", "--role", "operator", "--password-stdin", *place)
    assert say(*add, text=PASSWORD).exit_code == 0
    refused(say(*add, text=PASSWORD), "one of that name already")
    refused(say("user", "add", "zhao", "--role", "chief", *place), "viewer, operator, engineer, admin")
    row = service.people.users.check("li.wei", PASSWORD)
    assert row is not None
    for act in (["role", "--role", "engineer"], ["disable"], ["enable"]):
        assert say("user", act[0], "li.wei", *act[1:], *place).exit_code == 0
    assert say("user", "password", "li.wei", "--password-stdin", *place, text="another long word").exit_code == 0
    (listed,) = json.loads(say("user", "list", "--json", *place).stdout)
    assert (listed["name"], listed["role"], listed["disabled"]) == ("li.wei", "engineer", False)
    assert say("user", "remove", "li.wei", *place).exit_code == 0
    refused(say("user", "remove", "li.wei", *place), "there is none")

    made = json.loads(say("token", "create", "screen", "--expires", "90d", "--json", *place).stdout)
    checked = service.people.tokens.check(made["token"])
    assert checked is not None
    assert (checked.name, checked.role, made["expires"] is None) == ("screen", "viewer", False)
    refused(say("token", "create", "x", "--expires", "soon", *place), "--expires")
    elsewhere = ("--journal", url, "--data-dir", str(tmp_path / "elsewhere"))
    refused(say("token", "create", "x", *elsewhere), "token.key", "data directory")
    assert made["prefix"] in say("token", "list", "--json", "--journal", url).stdout
    assert say("token", "revoke", made["token"], "--journal", url).exit_code == 0
    refused(say("token", "revoke", made["prefix"], "--journal", url), "there is none")

    rows = [row for _, row in service.audit.range(0, 1 << 50)][::-1]
    assert [row.action for row in rows] == [
        "user add li.wei --role operator",
        "user role li.wei --role engineer",
        "user disable li.wei",
        "user enable li.wei",
        "user password li.wei",
        "user remove li.wei",
        f"token create {made['prefix']} screen --role viewer",
        f"token revoke {made['prefix']}",
    ]
    assert {(row.address, bool(row.who)) for row in rows} == {("command line", True)}


def test_what_is_not_there_is_refused_and_nothing_is_made(say: Say, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    missing = f"sqlite:///{tmp_path / 'missing.sqlite'}"
    for command in (["user", "list"], ["token", "list"], ["token", "revoke", "jm1"], ["journal", "verify"]):
        refused(say(*command, "--data-dir", str(nowhere)), "no service has run there yet")
        refused(say(*command, "--journal", missing), "no such file")
        refused(say(*command, "--journal", "postgresql://u:topsecret@host:port/x"), "database URL")
        assert "topsecret" not in say(*command, "--journal", "postgresql://u:topsecret@host:port/x").output
    away = f"postgresql://u:topsecret@127.0.0.1:{free_port()}/x"
    result = say("user", "list", "--journal", away)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1), result.stderr
    assert "topsecret" not in result.output
    assert list(tmp_path.iterdir()) == []


def test_alarms_test_without_a_service_is_one_line(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = say("alarms", "test", "--api", f"http://127.0.0.1:{free_port()}")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "is the service running" in result.stderr


def test_no_password_is_an_argument_and_every_command_has_an_example(say: Say) -> None:
    groups = {"user": user_commands, "token": token_commands, "journal": journal_commands, "alarms": alarm_commands}
    for group, commands in groups.items():
        for info in commands.registered_commands:
            command = typer.main.get_command_from_info(info, pretty_exceptions_short=True, rich_markup_mode=None)
            assert not [p.name for p in command.params if "password" in (p.name or "") and p.name != "password_stdin"]
            said = say(group, command.name or "", "--help")
            assert said.exit_code == 0
            assert f"Example: jinma {group} {command.name}" in said.stdout


def test_roles_are_those_of_the_contract() -> None:
    assert [role.label for role in Role] == ["viewer", "operator", "engineer", "admin"]
