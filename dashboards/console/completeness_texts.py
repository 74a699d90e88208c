"""Words of the completeness page."""

from __future__ import annotations

from typing import Final

from station.domain.plant import Text

COMPLETENESS_TEXTS: Final[dict[str, Text]] = {
    "page_completeness": Text("Data", "数据"),
    "completeness": Text("Completeness of the data", "数据完整性"),
    "completeness_day": Text("Station day", "站内日期"),
    "completeness_before": Text("Day before", "前一天"),
    "completeness_after": Text("Day after", "后一天"),
    "completeness_newest": Text("Last 24 h", "最近 24 小时"),
    "completeness_only": Text("Only units that lack something", "仅显示有缺失的设备"),
    "completeness_grid": Text("Messages of each unit in each hour", "各设备每小时报文"),
    "completeness_sum": Text(
        "{0} of {1} numbered messages came: {2} are missing. {3} came late, {4} twice, {5} were refused.",
        "应收编号报文 {1} 条，实收 {0} 条，缺失 {2} 条；迟到 {3} 条，重复 {4} 条，拒收 {5} 条。",
    ),
    "completeness_all": Text("No unit lacks anything.", "所有设备均无缺失。"),
    "completeness_full": Text("all came", "齐全"),
    "completeness_short": Text("% that came", "到达率 %"),
    "completeness_silent": Text("nothing came", "无报文"),
    "completeness_counted": Text("came, not numbered", "有报文，无编号"),
    "completeness_uncounted": Text("not counted: the service did not run", "未统计：服务未运行"),
    "completeness_cell_uncounted": Text(
        "{0} {1}: nothing was counted of any unit, before the service began or while it did not run",
        "{0} {1}：所有设备均无统计，服务尚未启动或未运行",
    ),
    "completeness_cell": Text("{0} {1}: {2} of {3}", "{0} {1}：{2} / {3}"),
    "completeness_cell_counted": Text("{0} {1}: {2}, not numbered", "{0} {1}：{2}，无编号"),
    "completeness_share": Text("Share", "到达率"),
    "completeness_received": Text("Received", "实收"),
    "completeness_expected": Text("Expected", "应收"),
    "completeness_missing": Text("Missing", "缺失"),
    "completeness_late": Text("Late", "迟到"),
    "completeness_duplicate": Text("Twice", "重复"),
    "completeness_refused": Text("Refused", "拒收"),
    "completeness_unnumbered": Text(
        "The device numbers nothing: nobody knows what is missing.", "该设备报文无编号，无法判断缺失。"
    ),
    "completeness_gaps": Text("Gaps", "缺口"),
    "completeness_no_gaps": Text("No gaps.", "无缺口。"),
    "completeness_choose": Text("Choose a unit to see its gaps.", "选择设备查看其缺口。"),
}
