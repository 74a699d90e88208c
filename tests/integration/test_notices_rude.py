"""Targets at their worst: none takes more than its time, keeps another waiting, or is taken for well."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.wecombot import NotifyWeComBot

from api.live.background import BackgroundLoop
from api.notices.delivery import Delivery
from api.notices.desk import Heard, NoticeDesk
from station.adapters.clocks import wall_ms
from station.adapters.notice_senders import sender_of
from station.adapters.sql_database import SqlDatabase
from station.adapters.sql_notices import SqlNotices
from station.domain.notice_routes import NoticePlan, Target, load_notices
from station.errors import NoticeFailedError
from station.notice_ports import NoticeRow
from tests.support.alarm_views import PLACE, view
from tests.support.hook import Hook
from tests.support.processes import wait_until
from tests.support.rude_server import Talk, drip, endless, hang_up, rude_server, smtp_until, stall

TIMEOUT_S = 0.6
SECRET = "top secret"
BODY = json.dumps(
    {"title": {"en": "ALARM (high)", "zh": "报警（高）"}, "text": {"en": "Stop the trains.", "zh": "停机。"}},
    ensure_ascii=False,
)
ROW = NoticeRow("jinma", "PT-330A.HH", "o@1", "high", "raised", "all", "hook", 1, 1, 9_999_999_999_999, BODY, number=7)
SMTP = "mailto://127.0.0.1:{port}?from=jinma@example.com&to=shift@example.com&mode=insecure"


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.end()


@pytest.mark.parametrize(
    ("talk", "unknown", "url"),
    [
        (stall, True, ""),
        (drip, True, ""),
        (hang_up, True, ""),
        (endless, False, ""),
        (stall, True, SMTP),
        (drip, True, SMTP),
        (smtp_until(b"RCPT", hang_up), True, SMTP),
        (smtp_until(b"DATA", stall), True, SMTP),
    ],
    ids=["stall", "drip", "hang-up", "endless", "smtp-stall", "smtp-drip", "smtp-hang-up", "smtp-data-stall"],
)
def test_no_target_takes_more_than_its_time_and_none_is_taken_for_well(talk: Talk, unknown: bool, url: str) -> None:
    with rude_server(talk) as port:
        address = {"url": url.format(port=port)} if url else {"webhook": f"http://127.0.0.1:{port}/"}
        sender = sender_of(Target("rude", secret=SECRET, timeout_s=TIMEOUT_S, **address))
        began = time.monotonic()
        with pytest.raises(NoticeFailedError) as failed:
            sender.send(ROW, duplicate=False)
        took_s = time.monotonic() - began
    assert took_s < TIMEOUT_S + 20.0, failed.value  # rude ones have more patience
    assert failed.value.unknown is unknown, failed.value


def test_tries_that_hang_are_bounded() -> None:
    with rude_server(drip) as port:
        sender = sender_of(Target("rude", webhook=f"http://127.0.0.1:{port}/", secret=SECRET, timeout_s=0.3))
        texts: list[str] = []
        # A machine that is busy may end one of them by itself; four that hang are reached all the same.
        while len(texts) < 12 and "4 earlier tries still hang" not in texts:
            with pytest.raises(NoticeFailedError) as failed:
                sender.send(ROW, duplicate=False)
            texts.append(str(failed.value))
    assert texts[-1] == "4 earlier tries still hang"
    assert set(texts[:-1]) <= {"no end within 0.3 s", "no answer: ReadTimeout"}


def test_a_target_that_stalls_keeps_no_other_waiting(hook: Hook, tmp_path: Path) -> None:
    with ExitStack() as stack:
        ports = [stack.enter_context(rude_server(talk)) for talk in (stall, drip, smtp_until(b"DATA", stall))]
        plan = _plan(hook, ports)
        database = SqlDatabase(f"sqlite:///{tmp_path / 'journal.sqlite'}")
        stack.callback(database.close)
        book = SqlNotices(database)
        deliveries = [Delivery(name, sender_of(target), book, wall_ms) for name, target in plan.targets.items()]
        desk = NoticeDesk(plan, book, wall_ms, lambda _: wall_ms())
        desk.wake = lambda: [delivery.stir() for delivery in deliveries]  # type: ignore[assignment,return-value]
        loops = [
            BackgroundLoop("notices", partial(desk.digest, 0.5), 0.0),
            *(BackgroundLoop(f"notices-{one.name}", partial(one.step, 0.5), 0.0) for one in deliveries),
        ]
        for loop in loops:
            loop.start()
            stack.callback(loop.stop, 0.1)
        took_s = []
        for number in range(40):
            began = time.time()
            desk.hear(Heard(view(f"BE-{number}.HH", priority="critical"), "fire_gas", PLACE))
            wait_until(lambda count=number: len(hook.got) > count, 10, "the good target to be told")  # type: ignore[misc]
            took_s.append(hook.got[number][2] - began)
    took_s.sort()
    assert took_s[-1] < 1.0, f"p50 {took_s[20] * 1000:.0f} ms, worst {took_s[-1] * 1000:.0f} ms"


def _plan(hook: Hook, ports: list[int]) -> NoticePlan:
    return load_notices(
        f"""
[targets.stalls]
webhook = "http://127.0.0.1:{ports[0]}/"
secret = "s"
timeout_s = 5
[targets.drips]
webhook = "http://127.0.0.1:{ports[1]}/"
secret = "s"
timeout_s = 5
[targets.mail]
url = "{SMTP.format(port=ports[2])}"
timeout_s = 5
[targets.good]
webhook = "{hook.url}"
secret = "s"
[[routes]]
name = "all"
targets = ["stalls", "drips", "mail", "good"]
""",
        "notices.toml",
    )


# --- group robots, which apprise only half knows ---


@pytest.fixture
def robots(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> Hook:
    """The robots' servers, here."""
    monkeypatch.setattr(NotifyWeComBot, "notify_url", hook.url + "/wecom?key={key}")
    monkeypatch.setattr(NotifyDingTalk, "notify_url", hook.url + "/ding?access_token={token}")
    monkeypatch.setattr(NotifyFeishu, "notify_url", hook.url + "/feishu/{token}/")
    monkeypatch.setattr(NotifyFeishu, "request_rate_per_sec", 0)
    return hook


TEXT = "报警（高） | ALARM (high)\n停机。\n\nStop the trains.\n\n[jinma-7]"


@pytest.mark.parametrize(
    ("url", "path", "content", "good", "bad"),
    [
        (
            "wecombot://0123abcd-4567",
            "/wecom?key=0123abcd-4567",
            lambda body: (body["msgtype"], body["text"]["content"]),
            b'{"errcode":0,"errmsg":"ok"}',
            b'{"errcode":45009,"errmsg":"api freq out of limit"}',
        ),
        (
            "dingtalk://SECabc0123@abcdefg0123456789/13800000000",
            "/ding?access_token=abcdefg0123456789&timestamp=",
            lambda body: (body["msgtype"], body["text"]["content"]),
            b'{"errcode":0,"errmsg":"ok"}',
            b'{"errcode":310000,"errmsg":"sign not match"}',
        ),
        (
            "feishu://aBcD-1234-efgh",
            "/feishu/aBcD-1234-efgh/",
            lambda body: (body["msg_type"], body["content"]["text"].replace("\r\n", "\n")),
            b'{"code":0,"msg":"success"}',
            b'{"code":9499,"msg":"Bad Request"}',
        ),
    ],
    ids=["wecom", "dingtalk", "feishu"],
)
def test_a_robot_is_sent_what_its_service_wants_and_its_refusal_is_read(
    robots: Hook, url: str, path: str, content: object, good: bytes, bad: bytes
) -> None:
    sender = sender_of(Target("robot", url=url, timeout_s=4))
    robots.status, robots.answer = 200, good
    sender.send(ROW, duplicate=False)
    headers, body, _ = robots.got[0]
    assert headers["path"].startswith("/jinma" + path)
    assert headers["Content-Type"].startswith("application/json")
    assert content(json.loads(body)) == ("text", TEXT)  # type: ignore[operator]
    robots.answer = bad
    with pytest.raises(NoticeFailedError):
        sender.send(ROW, duplicate=True)
    assert "可能重复" in content(json.loads(robots.got[1][1]))[1]  # type: ignore[operator]


def test_a_long_text_is_cut_between_characters_and_keeps_its_id(robots: Hook) -> None:
    robots.status, robots.answer = 200, b'{"errcode":0,"errmsg":"ok"}'
    title = {"en": "ALARM", "zh": "报警"}
    body = json.dumps({"title": title, "text": {"en": "stop " * 300, "zh": "停机" * 400}}, ensure_ascii=False)
    sender_of(Target("robot", url="wecombot://0123abcd")).send(replace(ROW, body=body), duplicate=False)
    content = json.loads(robots.got[0][1])["text"]["content"]
    assert 2040 <= len(content.encode()) <= 2048
    assert content.endswith("[jinma-7]")


def test_an_answer_that_says_nothing_is_not_taken_for_received(robots: Hook) -> None:
    sender = sender_of(Target("robot", url="wecombot://0123abcd"))
    for answer in (b"", b"<html>gateway</html>", b"{}"):
        robots.status, robots.answer = 200, answer
        with pytest.raises(NoticeFailedError, match="without an errcode"):
            sender.send(ROW, duplicate=False)
    robots.status = 502
    with pytest.raises(NoticeFailedError, match="502"):
        sender.send(ROW, duplicate=False)
