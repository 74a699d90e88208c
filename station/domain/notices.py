"""A notice: what somebody is told of an alarm, in both languages, with what to do."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from station.domain.alarm_views import AlarmView, alarm_view_json
from station.domain.plant import Text
from station.domain.words import AREA_WORDS, PRIORITY_WORDS

RAISED, WORSE, CLEARED, ESCALATED, FLOOD, TEST = "raised", "worse", "cleared", "escalated", "flood", "test"
REPORT = "report"
_WORDS = {
    RAISED: Text("ALARM", "报警"),
    WORSE: Text("ALARM, worse", "报警升级"),
    CLEARED: Text("Returned to normal", "恢复正常"),
    ESCALATED: Text("NOT ACKNOWLEDGED", "未确认"),
    TEST: Text("Test", "测试"),
}
_MANY = {
    FLOOD: Text("alarms at once", "同时出现 {} 条报警"),
    CLEARED: Text("alarms returned to normal", "{} 条报警恢复正常"),
    ESCALATED: Text("alarms NOT ACKNOWLEDGED", "{} 条报警未确认"),
}
_NAMED_IN_FLOOD = 10


@dataclass(frozen=True, slots=True)
class Place:
    """Which station, and how it is to be spoken of.

    Attributes:
        simulated: Its data are simulated: every notice says so first.
    """

    station: str
    label: Text
    timezone: ZoneInfo
    simulated: bool


def notice_body(kind: str, view: AlarmView, place: Place) -> dict[str, object]:
    """Return the notice of one alarm: title and text in both languages, and the alarm itself."""
    return {
        "kind": kind,
        "station": place.station,
        "simulated": place.simulated,
        "title": {"en": _title(kind, view, place, "en"), "zh": _title(kind, view, place, "zh")},
        "text": {"en": _text(view, place, "en"), "zh": _text(view, place, "zh")},
        "alarm": alarm_view_json(view),
    }


def flood_body(kind: str, views: Sequence[tuple[AlarmView, str]], place: Place) -> dict[str, object]:
    """Return one notice of many alarms.

    Args:
        kind: `flood` of new ones, `cleared` or `escalated`.
        views: The alarms with their areas, in the order raised.
        place: The station.
    """
    counts = Counter(area for _, area in views).most_common()
    named = [view for view, _ in views[:_NAMED_IN_FLOOD]]
    lines = {n: [f"{_at(v.raised_at, place)} {v.text.in_language(n)}" for v in named] for n in ("en", "zh")}
    more = len(views) - len(named)
    if more > 0:
        lines["en"].append(f"and {more} more")
        lines["zh"].append(f"另有 {more} 条")
    prefix, said = _prefix(place), _MANY[kind]
    areas = {
        "en": ", ".join(f"{area} {count}" for area, count in counts),
        "zh": "，".join(f"{AREA_WORDS[area].zh if area in AREA_WORDS else area} {count}" for area, count in counts),
    }
    return {
        "kind": kind,
        "station": place.station,
        "simulated": place.simulated,
        "title": {
            "en": f"{prefix.en}{place.label.en}: {len(views)} {said.en}",
            "zh": f"{prefix.zh}{place.label.zh}：{said.zh.format(len(views))}",
        },
        "text": {name: "\n".join([areas[name], *lines[name]]) for name in ("en", "zh")},
        "alarms": [alarm_view_json(view) for view, _ in views],
    }


def trial_body(place: Place, who: str) -> dict[str, object]:
    """Return a notice that only shows that notices arrive."""
    prefix = _prefix(place)
    return {
        "kind": TEST,
        "station": place.station,
        "simulated": place.simulated,
        "title": {"en": f"{prefix.en}{place.label.en}: test notice", "zh": f"{prefix.zh}{place.label.zh}：测试通知"},
        "text": {
            "en": f"Sent by {who}. Nothing is wrong, nothing is to be done.",
            "zh": f"由 {who} 发送，无报警，无需处理。",
        },
    }


def report_body(place: Place, date: dt.date, text: Text) -> dict[str, object]:
    """Return a notice of a day's report: its figures in some lines."""
    prefix, day = _prefix(place), date.isoformat()
    return {
        "kind": REPORT,
        "station": place.station,
        "simulated": place.simulated,
        "title": {
            "en": f"{prefix.en}{place.label.en}: daily report of {day}",
            "zh": f"{prefix.zh}{place.label.zh}：{day} 日报",
        },
        "text": {"en": text.en, "zh": text.zh},
    }


def _prefix(place: Place) -> Text:
    return Text("[SIMULATED] ", "【仿真】") if place.simulated else Text("", "")


def _title(kind: str, view: AlarmView, place: Place, language: str) -> str:
    word, priority = _WORDS[kind].in_language(language), PRIORITY_WORDS[view.priority].in_language(language)
    mark = "（{}）" if language == "zh" else " ({})"
    label, colon = place.label.in_language(language), "：" if language == "zh" else ": "
    said = view.text.in_language(language)
    return f"{_prefix(place).in_language(language)}{word}{mark.format(priority)} {label}{colon}{said}"


def _text(view: AlarmView, place: Place, language: str) -> str:
    zh = language == "zh"
    lines = []
    if view.value is not None:
        limit = "" if view.limit is None else (f"，限值 {view.limit:g}" if zh else f", limit {view.limit:g}")
        lines.append(f"{'数值' if zh else 'Value'} {view.value:g}{limit} ({view.signal or view.id})")
    times = [("自" if zh else "Since", view.raised_at), ("恢复" if zh else "Normal since", view.cleared_at)]
    lines += [f"{name} {_at(t_ms, place)}" for name, t_ms in times if t_ms is not None]
    parts = [("原因" if zh else "Cause", view.cause), ("后果" if zh else "Consequence", view.consequence)]
    parts.append(("措施" if zh else "Do", view.action))
    return "\n".join([*lines, *(f"{name}{'：' if zh else ': '}{text.in_language(language)}" for name, text in parts)])


def _at(t_ms: int | None, place: Place) -> str:
    if t_ms is None:
        return "-"
    return dt.datetime.fromtimestamp(t_ms / 1000.0, dt.UTC).astimezone(place.timezone).strftime("%m-%d %H:%M:%S")
