"""The words of the trends page."""

from __future__ import annotations

from typing import Final

from station.domain.plant import Text

TREND_TEXTS: Final[dict[str, Text]] = {
    "page_trends": Text("Trends", "趋势"),
    "trends_add": Text("Add a signal (tag or name)", "添加信号（位号或名称）"),
    "trends_span": Text("Time span", "时间跨度"),
    "span_1m": Text("1 min", "1 分"),
    "span_15m": Text("15 min", "15 分"),
    "span_2h": Text("2 h", "2 小时"),
    "span_24h": Text("24 h", "24 小时"),
    "span_7d": Text("7 d", "7 天"),
    "span_30d": Text("30 d", "30 天"),
    "trends_live": Text("Live", "实时"),
    "trends_earlier": Text("Earlier", "向前"),
    "trends_later": Text("Later", "向后"),
    "trends_in": Text("Zoom in", "放大"),
    "trends_out": Text("Zoom out", "缩小"),
    "trends_view": Text("Saved views", "已存视图"),
    "trends_pick_view": Text("choose", "选择"),
    "trends_save": Text("Save view", "保存视图"),
    "trends_saved": Text("Saved as {0} in this browser.", "已在本浏览器中保存为 {0}。"),
    "trends_view_name": Text("Name of the view", "视图名称"),
    "trends_view_note": Text(
        "Kept in this browser, for the user {0}. The address of the page holds the view too: copy it to hand it on.",
        "保存在本浏览器中，供用户 {0} 使用。网页地址也包含该视图，可复制后转交他人。",
    ),
    "trends_forget": Text("Delete view", "删除视图"),
    "trends_csv": Text("CSV", "CSV"),
    "trends_csv_name": Text("What is seen, as CSV", "将所见数据存为 CSV"),
    "trends_png": Text("PNG", "PNG"),
    "trends_png_name": Text("What is seen, as a picture", "将所见图形存为 PNG"),
    "trends_log": Text("All readings", "全部读数"),
    "trends_log_name": Text(
        "Every reading of these signals in this range, as a log (ndjson)", "此时段内这些信号的全部读数（ndjson 日志）"
    ),
    "trends_chart": Text(
        "Chart. Left and right move through time, plus and minus zoom, End goes to now, comma and full stop move the "
        "cursor; the table holds the values.",
        "曲线图。左右键移动时间，加减号缩放，End 键回到当前，逗号和句号移动光标；数值见表格。",
    ),
    "trends_signals": Text("Signals", "信号"),
    "trends_none": Text("No signal chosen. Add one above.", "未选择信号，请在上方添加。"),
    "trends_full": Text("At most {0} signals in one view.", "一个视图最多 {0} 个信号。"),
    "trends_remove": Text("Remove {0}", "移除 {0}"),
    "trends_limits_of": Text("Show the limits of {0}", "显示 {0} 的限值"),
    "trends_signal": Text("Signal", "信号"),
    "trends_at": Text("At cursor", "光标处"),
    "trends_now": Text("Now", "当前"),
    "trends_least": Text("Min", "最小"),
    "trends_most": Text("Max", "最大"),
    "trends_means": Text("line: means of {0}, band: least to greatest", "曲线：{0} 均值，色带：最小至最大"),
    "trends_raw": Text("every reading", "全部读数"),
    "trends_alarms_cut": Text("alarms before {0} are not drawn: too many", "{0} 之前的报警过多，未绘出"),
    "trends_seconds": Text("{0} s", "{0} 秒"),
    "trends_loading": Text("loading", "正在读取"),
}
