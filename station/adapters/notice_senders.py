"""Handing notices over: to whatever apprise knows, or as signed JSON to a webhook."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import threading
import time

import apprise
import httpx

from station.adapters.chat_robots import robot_of
from station.domain.notice_routes import Target
from station.errors import BadInputError, NoticeFailedError
from station.notice_ports import NoticeRow, NoticeSender

SIGNATURE, TIMESTAMP, KEY = "X-Jinma-Signature", "X-Jinma-Timestamp", "Idempotency-Key"
DUPLICATE = "X-Jinma-Duplicate"
_AGAIN = "可能重复 / possibly sent before "
_SHOWN_BYTES = 200
_GRACE_S = 1.0
"""A library's own time-out is to speak first: it knows better what went wrong."""
_MOST_HANGING = 4
"""Tries of one target that may hang at once; beyond it nothing is sent there until one is through."""
_TYPES = {"raised": "failure", "worse": "failure", "escalated": "failure", "flood": "warning", "cleared": "success"}


class TimedSender:
    """Gives a try its time and no more, however slowly the other side talks.

    A library's own time-outs count from byte to byte; a server that sends one now and then would hold a target.

    Args:
        sender: Does the work.
        timeout_s: Of one try.
    """

    def __init__(self, sender: NoticeSender, timeout_s: float) -> None:
        self._sender = sender
        self._timeout_s = timeout_s
        self._hanging: list[threading.Thread] = []

    def send(self, row: NoticeRow, *, duplicate: bool) -> str:
        """Deliver one.

        Raises:
            NoticeFailedError: As of the sender; or its time was up, or too many tries before are not through yet.
        """
        self._hanging = [thread for thread in self._hanging if thread.is_alive()]
        if len(self._hanging) >= _MOST_HANGING:
            raise NoticeFailedError(f"{len(self._hanging)} earlier tries still hang")
        answers: queue.SimpleQueue[str | NoticeFailedError] = queue.SimpleQueue()

        def deliver() -> None:
            try:
                answers.put(self._sender.send(row, duplicate=duplicate))
            except NoticeFailedError as error:
                answers.put(error)

        thread = threading.Thread(target=deliver, name="notice-try", daemon=True)
        thread.start()
        thread.join(self._timeout_s + _GRACE_S)
        if thread.is_alive():
            self._hanging.append(thread)
            raise NoticeFailedError(f"no end within {self._timeout_s:g} s", unknown=True)
        answer = answers.get() if not answers.empty() else NoticeFailedError("the try broke", unknown=True)
        if isinstance(answer, NoticeFailedError):
            raise answer
        return answer


class WebhookSender:
    """Sends JSON that the receiver can check: HMAC-SHA256 over `{timestamp}.{body}` with the target's secret.

    Args:
        target: With `webhook` and `secret`.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._client = httpx.Client(timeout=target.timeout_s, trust_env=False)

    def send(self, row: NoticeRow, *, duplicate: bool) -> str:
        """Deliver one; a number of the notice lets the receiver drop a duplicate.

        Raises:
            NoticeFailedError: No answer, or one that is no success.
        """
        stamp, body = str(int(time.time())), row.body.encode()
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP: stamp,
            SIGNATURE: "sha256=" + signature(self._target.secret, stamp, body),
            KEY: notice_id(row),
            DUPLICATE: "true" if duplicate else "false",
        }
        try:
            with self._client.stream("POST", self._target.webhook, content=body, headers=headers) as answer:
                status, said = answer.status_code, b"" if answer.is_success else _first_of(answer)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL) as error:
            raise NoticeFailedError(f"not connected: {type(error).__name__}") from error
        except httpx.HTTPError as error:
            raise NoticeFailedError(f"no answer: {type(error).__name__}", unknown=True) from error
        if not httpx.codes.is_success(status):
            raise NoticeFailedError(f"{status} {said.decode(errors='replace')}")
        return str(status)


def _first_of(answer: httpx.Response) -> bytes:
    """Return the beginning of an answer's body, which may have no end."""
    return next(answer.iter_bytes(_SHOWN_BYTES), b"")


def notice_id(row: NoticeRow) -> str:
    """Return the id by which a notice that comes twice is seen as one; what the book could not take has no number."""
    return f"{row.station}-{row.number or f'{row.occurrence}-{row.kind}'}"


def signature(secret: str, stamp: str, body: bytes) -> str:
    """Return the signature of a body, hexadecimal."""
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class AppriseSender:
    """Sends by an apprise address: e-mail, WeCom, DingTalk, Feishu, SMS gateways and a hundred others.

    Args:
        target: With `url`.

    Raises:
        BadInputError: apprise does not know such an address; it is not shown.
    """

    def __init__(self, target: Target) -> None:
        mark = "&" if "?" in target.url else "?"
        self._apprise = apprise.Apprise()
        # Connecting and reading share the time of a try.
        half = target.timeout_s / 2.0
        if not self._apprise.add(f"{target.url}{mark}cto={half:g}&rto={half:g}"):
            raise BadInputError(f"target {target.name}: apprise knows no such address (scheme, parts, or both)")
        self._robot = robot_of(self._apprise[0], half)

    def send(self, row: NoticeRow, *, duplicate: bool) -> str:
        """Deliver one, both languages in one message, its id at the end.

        Raises:
            NoticeFailedError: apprise could not; it does not say whether it arrived.
        """
        body = json.loads(row.body)
        title = f"{body['title']['zh']} | {body['title']['en']}"
        mark = _AGAIN if duplicate else ""
        text, last_line = f"{body['text']['zh']}\n\n{body['text']['en']}", f"{mark}[{notice_id(row)}]"
        if self._robot is not None:
            return self._robot.post(f"{title}\n{text}", last_line)
        kind = apprise.NotifyType(_TYPES.get(row.kind, "info"))
        if not self._apprise.notify(body=f"{text}\n\n{last_line}", title=title, notify_type=kind):
            raise NoticeFailedError("apprise could not deliver it", unknown=True)
        return "ok"


def sender_of(target: Target) -> TimedSender:
    """Return what hands notices to a target, each try within its time.

    Raises:
        BadInputError: Its address is none.
    """
    return TimedSender(WebhookSender(target) if target.webhook else AppriseSender(target), target.timeout_s)
