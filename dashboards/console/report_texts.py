"""The words of the reports page, in both languages."""

from __future__ import annotations

from typing import Final

from station.domain.plant import Text

REPORT_TEXTS: Final[dict[str, Text]] = {
    "reports": Text("Daily reports", "日报"),
    "reports_none": Text("There is no report yet.", "尚无日报。"),
    "report_of": Text("Report of {0}", "{0} 日报"),
    "report_today": Text("today, so far", "当日，截至目前"),
    "report_version": Text("version {0}, made {1}", "版本 {0}，生成于 {1}"),
    "report_show_which": Text("Show the report of {0}", "查看 {0} 日报"),
    "report_open": Text("On a page of its own", "单独打开"),
    "report_take": Text("Take along:", "下载："),
    "report_make": Text("Make anew", "重新生成"),
    "report_making": Text("Being made ..", "正在生成……"),
    "report_made": Text("Version {0} is kept.", "已保存版本 {0}。"),
    "report_day": Text("Day", "日期"),
    "report_kg": Text("Dispensed, kg", "加注 kg"),
    "report_trucks": Text("Trucks", "车辆"),
    "report_rest": Text("Unaccounted, kg", "不平衡 kg"),
    "report_alarms": Text("Alarms", "报警"),
    "report_data": Text("Data", "数据"),
    "report_notes": Text("Notes", "记录"),
    "report_unknown": Text("not known", "未知"),
    "notes_title": Text("Shift notes", "交接班记录"),
    "notes_none_yet": Text("No note of this day yet.", "当日尚无记录。"),
    "note_text": Text("What the next shift should know", "告知下一班的事项"),
    "note_said": Text("Note", "内容"),
    "note_kind": Text("Kind", "类型"),
    "note_note": Text("note", "记录"),
    "note_handover": Text("hand-over, signed", "交班签字"),
    "note_write": Text("Write it down", "保存记录"),
    "note_rule": Text(
        "Kept with your name and the time. It can never be changed, only followed by another.",
        "保存时附姓名和时间；不可修改，只能追加。",
    ),
    "note_at": Text("At", "时间"),
    "note_who": Text("Who", "人员"),
    "note_saved": Text("Written down.", "已保存。"),
    "notes_operators": Text("Operators write notes.", "操作员可填写记录。"),
}
