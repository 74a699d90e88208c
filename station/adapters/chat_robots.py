"""Group robots of WeCom and DingTalk: they refuse with HTTP 200 and an `errcode`, which has to be read.

apprise 1.12 reads the addresses, but takes every 200 for received: a key that was withdrawn, or the 21st message of a
minute (WeCom's limit), would be lost and counted as sent.
"""

from __future__ import annotations

import httpx
import msgspec
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.wecombot import NotifyWeComBot

from station.errors import NoticeFailedError

_MOST_BYTES = {NotifyWeComBot: 2048, NotifyDingTalk: 19_000}
"""Of a text: WeCom's documented limit; DingTalk's 20 000 less what stands around it."""


class _Answer(msgspec.Struct):
    errcode: int
    errmsg: str = ""


class ChatRobot:
    """Posts a text to a group.

    Args:
        plugin: What apprise read of the address.
        timeout_s: Of connecting, and of each wait for the answer.
    """

    def __init__(self, plugin: NotifyWeComBot | NotifyDingTalk, timeout_s: float) -> None:
        self._plugin = plugin
        self._client = httpx.Client(timeout=timeout_s, trust_env=False)

    def post(self, text: str, last_line: str) -> str:
        """Post a text with a last line that stays whatever has to be cut.

        Raises:
            NoticeFailedError: No answer, or one that is no success.
        """
        content = _cut(text, last_line, _MOST_BYTES[type(self._plugin)])
        body: dict[str, object] = {"msgtype": "text", "text": {"content": content}}
        if isinstance(self._plugin, NotifyDingTalk):
            body["at"] = {"atMobiles": self._plugin.targets, "isAtAll": False}
        try:
            answer = self._client.post(self._url(), json=body)
        except httpx.ConnectError as error:
            raise NoticeFailedError("not connected") from error
        except httpx.HTTPError as error:
            raise NoticeFailedError(f"no answer: {type(error).__name__}", unknown=True) from error
        if not answer.is_success:
            raise NoticeFailedError(f"{answer.status_code} {answer.text[:200]}")
        try:
            said = msgspec.json.decode(answer.content, type=_Answer)
        except msgspec.DecodeError as error:
            raise NoticeFailedError(f"{answer.status_code} without an errcode", unknown=True) from error
        if said.errcode != 0:
            raise NoticeFailedError(f"errcode {said.errcode} {said.errmsg[:200]}")
        return f"errcode 0 {said.errmsg[:200]}"

    def _url(self) -> str:
        if isinstance(self._plugin, NotifyWeComBot):
            return str(self._plugin.api_url)
        url = str(self._plugin.notify_url.format(token=self._plugin.token))
        if not self._plugin.secret:
            return url
        stamp, sign = self._plugin.get_signature()  # type: ignore[no-untyped-call] # apprise
        return f"{url}&timestamp={stamp}&sign={sign}"


def robot_of(plugin: object, timeout_s: float) -> ChatRobot | None:
    """Return the robot of an address that apprise has read, None where it is no robot of these."""
    return ChatRobot(plugin, timeout_s) if isinstance(plugin, NotifyWeComBot | NotifyDingTalk) else None


def _cut(text: str, last_line: str, most_bytes: int) -> str:
    """Return the text and its last line within a number of bytes, cut between characters."""
    whole = f"{text}\n\n{last_line}"
    if len(whole.encode()) <= most_bytes:
        return whole
    end = f" …\n\n{last_line}"
    return text.encode()[: most_bytes - len(end.encode())].decode(errors="ignore") + end
