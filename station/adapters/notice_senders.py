"""Handing notices over: to whatever apprise knows, or as signed JSON to a webhook."""

from __future__ import annotations

import hashlib
import hmac
import json
import time

import apprise
import httpx

from station.domain.notice_routes import Target
from station.errors import BadInputError, NoticeFailedError
from station.ports import NoticeRow

SIGNATURE, TIMESTAMP, KEY = "X-Jinma-Signature", "X-Jinma-Timestamp", "Idempotency-Key"
_TYPES = {"raised": "failure", "worse": "failure", "escalated": "failure", "flood": "warning", "cleared": "success"}


class WebhookSender:
    """Sends JSON that the receiver can check: HMAC-SHA256 over `{timestamp}.{body}` with the target's secret.

    Args:
        target: With `webhook` and `secret`.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._client = httpx.Client(timeout=target.timeout_s, trust_env=False)

    def send(self, row: NoticeRow) -> str:
        """Deliver one; a number of the notice lets the receiver drop a duplicate.

        Raises:
            NoticeFailedError: No answer, or one that is no success.
        """
        stamp, body = str(int(time.time())), row.body.encode()
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP: stamp,
            SIGNATURE: "sha256=" + signature(self._target.secret, stamp, body),
            KEY: f"{row.station}-{row.number}",
        }
        try:
            answer = self._client.post(self._target.webhook, content=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL) as error:
            raise NoticeFailedError(f"not connected: {type(error).__name__}") from error
        except httpx.HTTPError as error:
            raise NoticeFailedError(f"no answer: {type(error).__name__}", unknown=True) from error
        if not answer.is_success:
            raise NoticeFailedError(f"{answer.status_code} {answer.text[:200]}")
        return str(answer.status_code)


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

    def send(self, row: NoticeRow) -> str:
        """Deliver one, both languages in one message.

        Raises:
            NoticeFailedError: apprise could not; it does not say whether it arrived.
        """
        body = json.loads(row.body)
        title = f"{body['title']['zh']} | {body['title']['en']}"
        text = f"{body['text']['zh']}\n\n{body['text']['en']}"
        kind = apprise.NotifyType(_TYPES.get(row.kind, "info"))
        if not self._apprise.notify(body=text, title=title, notify_type=kind):
            raise NoticeFailedError("apprise could not deliver it", unknown=True)
        return "ok"


def sender_of(target: Target) -> WebhookSender | AppriseSender:
    """Return what hands notices to a target.

    Raises:
        BadInputError: Its address is none.
    """
    return WebhookSender(target) if target.webhook else AppriseSender(target)
