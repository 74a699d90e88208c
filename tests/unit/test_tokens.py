"""Tokens, sessions, login codes and the limit on wrong guesses, in virtual time."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from api.people.attempts import AttemptLimit
from api.people.login_codes import LoginCodes
from api.people.roles import Role
from api.people.sessions import People
from api.people.tokens import MemoryTokens, Tokens, read_or_make_key
from station.errors import BadInputError, DataDirectoryError
from tests.support.live_api import VirtualClock

KEY = b"k" * 32
HOUR = 3600.0


def tokens_on(clock: VirtualClock, table: MemoryTokens | None = None, key: bytes = KEY) -> Tokens:
    return Tokens(MemoryTokens() if table is None else table, key, clock.now_ms, clock.seconds)


def test_a_token_is_known_by_its_keyed_hash_alone() -> None:
    table = MemoryTokens()
    tokens = tokens_on(VirtualClock(), table)
    token = tokens.create("wall display", Role.VIEWER)
    (row,) = table.rows()
    secret = token.partition(".")[2]
    assert len(secret) >= 43  # 256 bits
    assert secret not in repr(row)
    found = tokens.check(token)
    assert found is not None
    assert (found.name, found.role) == ("wall display", "viewer")


@pytest.mark.parametrize("wrong", ["", ".", "x", "jm00000000.x", "ключ", "a" * 600])
def test_other_tokens_are_refused(wrong: str) -> None:
    tokens = tokens_on(VirtualClock())
    tokens.create("somebody", Role.ADMIN)
    assert tokens.check(wrong) is None


def test_a_token_with_its_prefix_but_another_secret_is_refused() -> None:
    tokens = tokens_on(VirtualClock())
    token = tokens.create("somebody", Role.ADMIN)
    assert tokens.check(token[:-1] + ("a" if token[-1] != "a" else "b")) is None
    assert tokens.check(token + "a") is None


def test_another_key_knows_no_token() -> None:
    clock, table = VirtualClock(), MemoryTokens()
    token = tokens_on(clock, table).create("somebody", Role.ADMIN)
    assert tokens_on(clock, table, b"x" * 32).check(token) is None


def test_a_token_ends_at_its_expiry() -> None:
    clock = VirtualClock()
    tokens = tokens_on(clock)
    token = tokens.create("contractor", Role.OPERATOR, clock.now_ms() + 1000)
    assert tokens.check(token) is not None
    clock.advance(1.0)
    assert tokens.check(token) is None


def test_a_revoked_token_is_dead_at_once_here_and_within_two_seconds_elsewhere() -> None:
    clock, table = VirtualClock(), MemoryTokens()
    here, elsewhere = tokens_on(clock, table), tokens_on(clock, table)
    token = here.create("somebody", Role.VIEWER)
    prefix = token.partition(".")[0]
    assert elsewhere.check(token) is not None
    assert here.revoke(prefix)
    assert here.check(token) is None
    clock.advance(2.1)
    assert elsewhere.check(token) is None
    assert not here.revoke(prefix)


def test_last_use_is_kept_to_the_minute() -> None:
    clock, table = VirtualClock(), MemoryTokens()
    tokens = tokens_on(clock, table)
    token = tokens.create("somebody", Role.VIEWER)
    first = clock.now_ms()
    for _ in range(10):
        tokens.check(token)
        clock.advance(5.0)
    assert table.rows()[0].last_used_ms == first
    clock.advance(30.0)
    tokens.check(token)
    assert table.rows()[0].last_used_ms == clock.now_ms()


@pytest.mark.parametrize("name", ["", "a" * 65, "line\nbreak"])
def test_a_name_that_a_journal_cannot_show_is_refused(name: str) -> None:
    with pytest.raises(BadInputError, match="token name"):
        tokens_on(VirtualClock()).create(name, Role.VIEWER)


def test_the_first_start_makes_an_admin_and_the_next_finds_it(tmp_path: Path) -> None:
    clock, table = VirtualClock(), MemoryTokens()
    first = tokens_on(clock, table).install_admin(tmp_path, None)
    assert first is not None
    assert first.made
    assert first.path == tmp_path / "admin.token"
    assert stat.S_IMODE(first.path.stat().st_mode) == 0o600
    again = tokens_on(clock, table).install_admin(tmp_path, None)
    assert again is not None
    assert (again.token, again.made) == (first.token, False)
    assert len(table.rows()) == 1


def test_a_replaced_journal_gets_the_admin_of_the_data_directory_back(tmp_path: Path) -> None:
    clock = VirtualClock()
    first = tokens_on(clock).install_admin(tmp_path, None)
    fresh = tokens_on(clock)
    again = fresh.install_admin(tmp_path, None)
    assert first is not None
    assert again is not None
    assert not again.made
    row = fresh.check(first.token)
    assert row is not None
    assert row.role == "admin"


def test_a_revoked_first_admin_stays_dead_while_another_admin_is_left(tmp_path: Path) -> None:
    clock, table = VirtualClock(), MemoryTokens()
    tokens = tokens_on(clock, table)
    first = tokens.install_admin(tmp_path, None)
    assert first is not None
    tokens.create("chief", Role.ADMIN)
    tokens.revoke(first.token.partition(".")[0])
    restarted = tokens_on(clock, table)
    assert restarted.install_admin(tmp_path, None) is None
    assert restarted.check(first.token) is None


def test_the_bootstrap_token_is_the_admin_token_while_it_is_set(tmp_path: Path) -> None:
    clock, table = VirtualClock(), MemoryTokens()
    tokens = tokens_on(clock, table)
    made = tokens.install_admin(tmp_path, "of-the-operator's-own.choice")
    assert made is not None
    assert (made.made, made.path) == (False, None)
    assert not (tmp_path / "admin.token").exists()
    row = tokens.check("of-the-operator's-own.choice")
    assert row is not None
    assert row.role == "admin"
    other = tokens_on(clock, table)
    other.install_admin(tmp_path, "another")
    assert other.check("of-the-operator's-own.choice") is None
    assert other.check("another") is not None
    without = tokens_on(clock, table)
    without.install_admin(tmp_path, None)
    assert without.check("another") is None


def test_the_hook_token_is_an_operator_s_while_it_is_set() -> None:
    clock, table = VirtualClock(), MemoryTokens()
    tokens = tokens_on(clock, table)
    tokens.install_hook("of-the-stack")
    row = tokens.check("of-the-stack")
    assert row is not None
    assert (row.role, row.name) == ("operator", "grafana")
    tokens_on(clock, table).install_hook("another")
    assert tokens_on(clock, table).check("of-the-stack") is None
    tokens_on(clock, table).install_hook(None)
    assert tokens_on(clock, table).check("another") is None


@pytest.mark.parametrize("value", ["", "   ", "é", "a" * 600])
def test_a_token_that_cannot_be_sent_is_refused(value: str) -> None:
    with pytest.raises(BadInputError, match="JINMA_BOOTSTRAP_TOKEN"):
        tokens_on(VirtualClock()).install_admin(None, value)
    with pytest.raises(BadInputError, match="JINMA_HOOK_TOKEN"):
        tokens_on(VirtualClock()).install_hook(value)


def test_the_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "token.key"
    key = read_or_make_key(path)
    assert read_or_make_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_bytes(b"short")
    with pytest.raises(DataDirectoryError, match="32 bytes"):
        read_or_make_key(path)


def test_ten_wrong_guesses_block_an_address_for_a_minute_and_no_other() -> None:
    clock = VirtualClock()
    limit = AttemptLimit(10, 60.0, clock.seconds)
    for _ in range(10):
        assert limit.wait_s("10.0.0.1") == 0
        limit.failed("10.0.0.1")
    assert limit.wait_s("10.0.0.1") == pytest.approx(60.0)
    assert limit.wait_s("10.0.0.2") == 0
    clock.advance(60.0)
    assert limit.wait_s("10.0.0.1") == 0


def test_a_flood_of_addresses_stays_small() -> None:
    limit = AttemptLimit(monotonic=VirtualClock().seconds)
    for number in range(10_050):
        limit.failed(f"address {number}")
    assert len(limit._failures) == 10_000


def test_a_login_code_works_once_within_ten_minutes() -> None:
    clock = VirtualClock()
    codes = LoginCodes(clock.now_ms)
    code = codes.issue("jm1")
    assert codes.redeem("another") is None
    assert codes.redeem(code) == "jm1"
    assert codes.redeem(code) is None
    late = codes.issue("jm1")
    clock.advance(600.0)
    assert codes.redeem(late) is None


def test_a_session_lives_while_it_is_used_and_dies_with_its_token() -> None:
    clock = VirtualClock()
    tokens = tokens_on(clock)
    people = People.of(tokens, clock.now_ms)
    row = tokens.check(tokens.create("li.wei", Role.OPERATOR))
    assert row is not None
    cookie, session = people.sessions.open(row)
    assert session.role is Role.OPERATOR
    for _ in range(5):
        clock.advance(11 * HOUR)
        assert people.sessions.find(cookie) is not None
    clock.advance(13 * HOUR)
    assert people.sessions.find(cookie) is None
    cookie, session = people.sessions.open(row)
    assert people.is_valid(session, cookie)
    tokens.revoke(row.prefix)
    assert not people.is_valid(session, cookie)
    assert people.sessions.find(cookie) is None


def test_an_ended_session_is_over() -> None:
    clock = VirtualClock()
    tokens = tokens_on(clock)
    people = People.of(tokens, clock.now_ms)
    row = tokens.check(tokens.create("li.wei", Role.OPERATOR))
    assert row is not None
    cookie, session = people.sessions.open(row)
    people.sessions.end(cookie)
    assert people.sessions.find(cookie) is None
    assert not people.is_valid(session, cookie)
    assert people.sessions.find("another") is None


def test_a_login_code_needs_a_living_admin() -> None:
    clock = VirtualClock()
    people = People.of(tokens_on(clock), clock.now_ms)
    assert people.issue_login_code() is None
    people.tokens.create("chief", Role.ADMIN)
    assert people.issue_login_code() is not None


def test_roles_are_ordered_and_named() -> None:
    assert Role.VIEWER < Role.OPERATOR < Role.ENGINEER < Role.ADMIN
    assert Role.parse("engineer") is Role.ENGINEER
    with pytest.raises(BadInputError, match="viewer, operator, engineer, admin"):
        Role.parse("root")


def test_a_kept_session_outlives_a_restart_but_not_its_end(tmp_path: Path) -> None:
    clock, file = VirtualClock(), tmp_path / "sessions.json"
    tokens = tokens_on(clock)
    row = tokens.check(tokens.create("wall screen", Role.OPERATOR))
    assert row is not None
    before = People.of(tokens, clock.now_ms, file)
    cookie, session = before.sessions.open(row)
    assert cookie not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    found = People.of(tokens, clock.now_ms, file).sessions.find(cookie)
    assert found is not None
    assert (found.name, found.role, found.csrf) == ("wall screen", Role.OPERATOR, session.csrf)
    before.sessions.end(cookie)
    assert People.of(tokens, clock.now_ms, file).sessions.find(cookie) is None
    file.write_text("torn")
    assert People.of(tokens, clock.now_ms, file).sessions.find(cookie) is None
