"""The words of the replay page, in both languages."""

from __future__ import annotations

from typing import Final

from station.domain.plant import Text

REPLAY_TEXTS: Final[dict[str, Text]] = {
    "replay_new": Text("Replay a stretch of the past", "回放历史时段"),
    "replay_begin": Text("Replay", "回放"),
    "replay_range": Text("A range of the store", "已存储的时段"),
    "replay_log": Text("A log file", "日志文件"),
    "replay_file": Text(
        "Log (ndjson, csv, lp, parquet; also .gz .zst)", "日志（ndjson、csv、lp、parquet，可为 .gz .zst）"
    ),
    "replay_upload": Text("Upload and replay", "上传并回放"),
    "replay_uploading": Text("Uploading {0} %", "正在上传 {0} %"),
    "replay_forecasts": Text("with the capacity forecast", "包含供氢能力预测"),
    "replay_open": Text("Open replays", "已打开的回放"),
    "replay_none": Text("No replay is open.", "没有打开的回放。"),
    "replay_show": Text("Show", "显示"),
    "replay_show_which": Text("Show the replay {0}", "显示回放 {0}"),
    "replay_end": Text("End", "结束"),
    "replay_end_which": Text("End the replay {0}", "结束回放 {0}"),
    "replay_watch": Text(
        "To begin or steer a replay needs the role operator; you may look on.",
        "开始或控制回放需要操作员角色；您可以观看。",
    ),
    "replay_flag": Text("REPLAY", "回放"),
    "replay_playing": Text("playing", "播放中"),
    "replay_paused": Text("paused", "已暂停"),
    "replay_ended": Text("ended", "已结束"),
    "replay_loading": Text("making ready, {0} %", "准备中，{0} %"),
    "replay_play": Text("Play", "播放"),
    "replay_pause": Text("Pause", "暂停"),
    "replay_bar": Text("Moment of the replay", "回放时刻"),
    "step_minute": Text("1 min", "1 分"),
    "step_second": Text("1 s", "1 秒"),
    "replay_steps": Text("Steps", "步进"),
    "replay_before": Text("Alarm before", "上一报警"),
    "replay_after": Text("Alarm after", "下一报警"),
    "replay_go": Text("Go to", "跳转到"),
    "replay_speed": Text("Speed", "速度"),
    "replay_max": Text("as fast as it goes", "最快"),
    "replay_share": Text("Copy a link to this moment", "复制此刻链接"),
    "replay_shared": Text("The link is copied.", "链接已复制。"),
    "replay_link": Text("Link: {0}", "链接：{0}"),
    "replay_refused": Text(
        "{0} lines or values of the log were refused; the first: {1}", "日志中有 {0} 处被拒绝；首处：{1}"
    ),
    "replay_gone": Text("This replay is open no more.", "此回放已关闭。"),
    "replay_problem": Text("The replay stands still: {0}", "回放已停止：{0}"),
    "replay_alarms": Text("Alarms at this moment", "此刻报警"),
    "replay_no_alarms": Text("No alarm at this moment", "此刻无报警"),
    "replay_forecast": Text("Forecast at this moment", "此刻预测"),
    "replay_no_forecast": Text(
        "None yet: the first comes within 5 minutes of station time.", "尚无：站时 5 分钟内给出。"
    ),
    "replay_forecasts_off": Text("This replay makes no forecasts.", "此回放不做预测。"),
    "replay_values": Text("Values at this moment", "此刻数值"),
    "replay_unit": Text("Unit", "设备"),
    "replay_compared": Text("Alarms then, and by today's limits", "当时报警与按现行限值的报警"),
    "replay_compared_none": Text("No alarm, then or now.", "当时与现在均无报警。"),
    "replay_compared_note": Text(
        "Then: the journal. Now: this replay, as far as it was played.", "当时：历史记录。现在：本次回放已播放部分。"
    ),
    "replay_then": Text("Then", "当时"),
    "replay_now": Text("By today's limits", "按现行限值"),
    "replay_verdict": Text("Compared", "对比"),
    "verdict_same": Text("= the same", "= 相同"),
    "verdict_changed": Text("≠ otherwise", "≠ 不同"),
    "verdict_only_then": Text("− then only", "− 仅当时"),
    "verdict_only_now": Text("+ now only", "+ 仅现在"),
    "verdict_not_played": Text("? not played", "? 未播放"),
    "replay_stands": Text("still active", "仍持续"),
}
