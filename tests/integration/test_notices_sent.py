"""Notices over real servers: a webhook and SMTP that stall, fail, answer late and recover; kill and restart."""

from __future__ import annotations

import email
import email.policy
import hashlib
import hmac
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from api.notices.delivery import Delivery
from station.adapters.clocks import wall_ms
from station.adapters.notice_senders import AppriseSender, WebhookSender, sender_of
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_notices import SqlNotices
from station.domain.notice_routes import Target
from station.errors import BadInputError, NoticeFailedError
from station.notice_ports import NoticeRow
from tests.support.hook import Hook
from tests.support.ports import free_port
from tests.support.processes import wait_until
from tests.support.service import Service, jinma

BODY = json.dumps(
    {"title": {"en": "ALARM (high)", "zh": "报警（高）"}, "text": {"en": "Stop the trains.", "zh": "停机。"}},
    ensure_ascii=False,
)
ROW = NoticeRow("jinma", "PT-330A.HH", "o@1", "high", "raised", "all", "hook", 1, 1, 9_999_999_999_999, BODY, number=7)
SECRET = "top secret"


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.end()


def webhook(hook: Hook, timeout_s: float = 5.0) -> Target:
    return Target("hook", webhook=hook.url, secret=SECRET, timeout_s=timeout_s)


def test_a_webhook_gets_json_that_it_can_check(hook: Hook) -> None:
    assert WebhookSender(webhook(hook)).send(ROW, duplicate=False) == "204"
    headers, body, _ = hook.got[0]
    said = headers["X-Jinma-Timestamp"].encode() + b"." + body
    assert headers["X-Jinma-Signature"] == "sha256=" + hmac.new(SECRET.encode(), said, hashlib.sha256).hexdigest()
    assert (headers["Idempotency-Key"], headers["X-Jinma-Duplicate"]) == ("jinma-7", "false")
    assert json.loads(body)["title"]["zh"] == "报警（高）"


def test_what_went_wrong_is_told_apart_from_what_nobody_knows(hook: Hook) -> None:
    sender = WebhookSender(webhook(hook, timeout_s=0.3))
    hook.behave = [(0.0, 500), (5.0, 204)]
    with pytest.raises(NoticeFailedError, match="500") as refused:
        sender.send(ROW, duplicate=False)
    with pytest.raises(NoticeFailedError, match="no answer") as late:
        sender.send(ROW, duplicate=False)
    nobody = WebhookSender(Target("hook", webhook=f"http://127.0.0.1:{free_port()}/", secret="s"))
    with pytest.raises(NoticeFailedError, match="not connected") as away:
        nobody.send(ROW, duplicate=False)
    assert [one.value.unknown for one in (refused, late, away)] == [False, True, False]


def test_a_late_answer_makes_the_next_try_a_duplicate_and_all_is_kept(hook: Hook, tmp_path: Path) -> None:
    database = SqlDatabase(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    book = SqlNotices(database)
    delivery = Delivery("hook", WebhookSender(webhook(hook, timeout_s=0.3)), book, wall_ms)
    now_ms = wall_ms()
    book.add(
        [
            NoticeRow(
                "jinma", "PT-330A.HH", "o@1", "high", "raised", "all", "hook", now_ms, now_ms, now_ms + 60_000, BODY
            )
        ]
    )
    hook.behave = [(0.0, 503), (3.0, 204)]

    def sent() -> bool:
        delivery.step(0.05)
        return not book.due("hook", now_ms + 600_000)

    wait_until(sent, 20, "the notice to arrive")
    ((row, tries),) = book.range("jinma", now_ms, now_ms + 1)
    assert (row.state, row.tries) == ("sent", 3)
    assert [(t.ok, t.duplicate) for t in tries] == [(False, False), (False, False), (True, True)]
    assert tries[1].took_ms >= 300
    assert book.waiting() == (0, None)
    database.close()


class Mailbox:
    """What an SMTP server was given; `refuse` makes it say no."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.refuse = False

    async def handle_DATA(  # noqa: N802 - aiosmtpd names it
        self, _server: object, _session: object, envelope: Any
    ) -> str:
        if self.refuse:
            return "451 try again later"
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 taken"


def test_mail_is_sent_in_both_languages_and_a_refusal_is_a_failure() -> None:
    box = Mailbox()
    server = Controller(box, hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        url = f"mailto://127.0.0.1:{server.port}?from=jinma@example.com&to=shift@example.com&mode=insecure"
        sender = AppriseSender(Target("mail", url=url, timeout_s=4.0))
        sender.send(ROW, duplicate=False)
        box.refuse = True
        with pytest.raises(NoticeFailedError):
            sender.send(ROW, duplicate=False)
    finally:
        server.stop()
    (mail,) = box.mails
    assert mail["Subject"] == "报警（高） | ALARM (high)"
    text = mail.get_body(("plain", "html")).get_content()
    assert "停机。" in text
    assert "Stop the trains." in text


def test_an_address_that_apprise_does_not_know_is_refused_without_showing_it() -> None:
    with pytest.raises(BadInputError) as caught:
        sender_of(Target("shift", url="nosuch://user:pass@host"))
    assert "shift" in str(caught.value)
    assert "pass" not in str(caught.value)


def test_an_alarm_reaches_the_webhook_and_one_that_waits_survives_a_kill(hook: Hook, tmp_path: Path) -> None:
    file = tmp_path / "notices.toml"
    file.write_text(
        f"""
[targets.hook]
webhook = "{hook.url}"
secret = "{SECRET}"
timeout_s = 2
[[routes]]
name = "all"
targets = ["hook"]
cleared = false
""",
        encoding="utf-8",
    )
    assert "1 routes to hook" in jinma("check", str(file)).stdout
    with Service("--scenario", "normal-day", env={"JINMA_NOTICES": str(file)}) as service:
        service.wait_live()
        env = {"JINMA_TOKEN": service.token}
        tested = jinma("alarms", "test", "--api", service.url, env=env)
        assert tested.returncode == 0, tested.stderr
        assert "hook: ok (204)" in tested.stdout
        hook.behave = [(0.0, 500)] * 200
        done = jinma("fault", "train-trip", "--unit", "train-1", "--for", "30m", "--broker", service.broker)
        assert done.returncode == 0, done.stderr

        def trip_told() -> bool:
            return any(b"XS-210D.STATE" in body for _, body, _ in hook.got)

        wait_until(trip_told, 60, "the trip to be told")
        service.end(signal.SIGKILL)
        hook.behave = []
        before = len(hook.got)
        service.start()
        service.wait_live()
        wait_until(lambda: any(b"XS-210D.STATE" in body for _, body, _ in hook.got[before:]), 60, "it to be told again")
        rows = service.get("/stations/jinma/notices?limit=1000")["items"]
    tripped = [row for row in rows if row["alarm"] == "XS-210D.STATE"]
    assert any(row["state"] == "sent" and row["tries"][-1]["duplicate"] for row in tripped)
