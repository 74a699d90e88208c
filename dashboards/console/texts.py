"""Every word of the console's pages, in both languages. What the station file or the API words is not here."""

from __future__ import annotations

from typing import Final

from dashboards.console.alarm_texts import ALARM_TEXTS
from dashboards.console.capacity_texts import CAPACITY_TEXTS
from dashboards.console.completeness_texts import COMPLETENESS_TEXTS
from dashboards.console.people_texts import PEOPLE_TEXTS
from dashboards.console.plant.fact_texts import FACT_TEXTS
from dashboards.console.plant.plant_texts import PLANT_TEXTS
from dashboards.console.replay_texts import REPLAY_TEXTS
from dashboards.console.report_texts import REPORT_TEXTS
from dashboards.console.trend_texts import TREND_TEXTS
from station.domain.plant import Text
from station.domain.words import PRIORITY_WORDS

TEXTS: Final[dict[str, Text]] = {
    **CAPACITY_TEXTS,
    **ALARM_TEXTS,
    **PEOPLE_TEXTS,
    **REPLAY_TEXTS,
    **REPORT_TEXTS,
    **COMPLETENESS_TEXTS,
    **TREND_TEXTS,
    **PLANT_TEXTS,
    **FACT_TEXTS,
    "pages": Text("Pages", "页面"),
    "page_overview": Text("Overview", "总览"),
    "page_capacity": Text("Capacity", "供氢能力"),
    "page_alarms": Text("Alarms", "报警"),
    "page_replay": Text("Replay", "回放"),
    "page_reports": Text("Reports", "日报"),
    "page_people": Text("People", "人员"),
    "title": Text("Station console", "站控台"),
    "other_language": Text("中文", "English"),
    "other_language_name": Text("Show this page in Chinese", "以英文显示本页"),
    "simulated": Text("SIMULATED", "模拟数据"),
    "speed": Text("Speed {0}x", "{0}倍速"),
    "theme": Text("Dark or light", "深色或浅色"),
    "keys_title": Text("Keys", "快捷键"),
    "keys_go": Text("Open {0}", "打开 {0}"),
    "keys_theme": Text("Dark or light", "深色或浅色"),
    "keys_horn": Text("Silence or hear the horn here", "本机喇叭静音或恢复"),
    "keys_wall": Text("Wall screen: larger, without buttons", "大屏模式：放大，无按钮"),
    "keys_this": Text("This list", "本列表"),
    "keys_here": Text("On this page", "本页"),
    "to_acknowledge": Text("{0} to acknowledge", "{0} 条待确认"),
    "log_out": Text("Log out", "退出"),
    "skip": Text("To the alarms", "转到报警"),
    "calendar": Text("{0}: calendar", "{0}：日历"),
    "date_wrong": Text("“{0}” is no date: write {1}", "“{0}”不是日期，请按 {1} 填写"),
    # Connection
    "connecting": Text("Connecting", "正在连接"),
    "live": Text("Live", "实时"),
    "data_age": Text("data {0} s old", "数据 {0} 秒前"),
    "no_data_since": Text("No data since {0}", "自 {0} 起无数据"),
    "no_data_yet": Text("No data yet", "尚无数据"),
    "reconnecting": Text("reconnecting", "正在重连"),
    "waiting_for_data": Text("connected, waiting", "已连接，等待数据"),
    "session_over": Text("The session is over. Log in again.", "会话已结束，请重新登录。"),
    # Login
    "login_title": Text("Log in", "登录"),
    "user": Text("User", "用户名"),
    "password": Text("Password", "密码"),
    "or": Text("or", "或"),
    "token": Text("Access token", "访问令牌"),
    "token_hint": Text(
        "The first start printed it and wrote it to admin.token in the data directory; later ones come from "
        "“jinma token create”.",
        "首次启动时显示在终端，并写入数据目录的 admin.token 文件；之后用“jinma token create”创建。",
    ),
    "enter": Text("Enter", "进入"),
    "login_wrong": Text("Name, password or token is wrong, or no longer valid.", "用户名、密码或令牌错误，或已失效。"),
    "login_wait": Text("Too many wrong tries. Wait a minute.", "错误次数过多，请稍候一分钟。"),
    "login_failed": Text("The server does not answer.", "服务器无响应。"),
    # The sections of the picture
    "mimic": Text("Station", "全站"),
    "trailer": Text("Tube trailers", "长管拖车"),
    "compression": Text("Compression", "压缩"),
    "storage": Text("Storage", "储氢"),
    "cooling": Text("Pre-cooling", "预冷"),
    "dispensing": Text("Dispensing", "加注"),
    "safety": Text("Gas, fire, shutdown", "气体、火灾与急停"),
    "utilities": Text("Utilities", "公用工程"),
    # The labels in the picture
    "pressure": Text("pressure", "压力"),
    "temperature": Text("temp.", "温度"),
    "flow": Text("flow", "流量"),
    "suction": Text("suction", "吸气"),
    "discharge": Text("discharge", "排气"),
    "inlet": Text("inlet", "进气阀"),
    "outlet": Text("outlet", "出气阀"),
    "relief": Text("relief", "安全阀"),
    "return": Text("brine back", "回液"),
    "level": Text("level", "液位"),
    "filter": Text("filter", "过滤器压差"),
    "soc": Text("SOC", "SOC"),
    "dispensed": Text("given", "已加"),
    "highest_gas": Text("highest", "最高"),
    "flame": Text("flame", "火焰"),
    "smoke": Text("smoke", "烟雾"),
    "button": Text("buttons", "按钮"),
    "vent_flow": Text("flow", "放空"),
    "power": Text("power", "功率"),
    "ambient": Text("ambient", "气温"),
    "air": Text("instr. air", "仪表风"),
    "water": Text("cooling water", "冷却水"),
    "open": Text("open", "开"),
    "closed": Text("closed", "关"),
    "lifted": Text("LIFTED", "起跳"),
    "seated": Text("seated", "正常"),
    "detected": Text("DETECTED", "报警"),
    "clear": Text("clear", "无"),
    "flowing": Text("FLOW", "放空中"),
    "none": Text("none", "无"),
    "pressed": Text("PRESSED", "已按下"),
    "released": Text("released", "正常"),
    "on": Text("on", "开"),
    "off": Text("off", "关"),
    # Quality
    "stale": Text("stale", "过期"),
    "bad": Text("bad", "坏值"),
    "uncertain": Text("uncertain", "存疑"),
    # Capacity
    "capacity": Text("Can today's trucks be fuelled?", "今日车辆能否全部加注？"),
    "no_forecast": Text("No forecast yet: the first comes within 5 minutes.", "尚无预测：5分钟内给出首次预测。"),
    "forecast_invalid": Text(
        "Too many inputs are missing: do not act on this forecast.", "缺失的输入过多：请勿依此预测操作。"
    ),
    "forecast_old": Text("This forecast is old: no new one came.", "预测已过时：没有新的预测。"),
    "enough": Text("Enough for today", "今日供应充足"),
    "at_risk": Text("Shortfall possible", "可能短缺"),
    "short": Text("Short {0} kg", "短缺 {0} kg"),
    "short_from": Text("from {0}, in {1}", "自 {0} 起，{1}后"),
    "dispensed_plan": Text("Dispensed / plan of the day", "已加注 / 全日计划"),
    "plan_now": Text("plan by now", "此刻计划"),
    "trucks_done": Text("Trucks done / plan", "已加车辆 / 计划"),
    "trucks_servable": Text("Trucks still serviceable", "尚可加注车辆"),
    "p_range": Text("p10 {0} · p90 {1}", "p10 {0} · p90 {1}"),
    "trucks_to_come": Text("to come by plan: {0}", "计划剩余：{0}"),
    "probability": Text("Chance of shortfall", "短缺概率"),
    "kg_short": Text("kg short p50 / p90", "短缺 kg p50 / p90"),
    "bottleneck": Text("Bottleneck", "瓶颈"),
    "bottleneck_none": Text("none", "无"),
    "next_trailer": Text("Next trailer", "下一车"),
    "needed_by": Text("needed by {0}", "最迟 {0}"),
    "not_needed": Text("none needed today", "今日不需要"),
    "no_trailer": Text("none announced", "未预报"),
    "overdue": Text("OVERDUE by {0}", "逾期 {0}"),
    "too_late": Text("TOO LATE", "过迟"),
    "queue": Text("Queue at the gate", "门口排队"),
    "queue_inferred": Text("inferred", "推算"),
    "wait": Text("wait p50 {0} · p90 {1} min", "等待 p50 {0} · p90 {1} 分"),
    "forecast_of": Text("forecast of {0}", "{0} 的预测"),
    "curve": Text("Kilograms dispensed today against the plan", "今日加注量与计划对比"),
    "curve_plan": Text("plan", "计划"),
    "curve_done": Text("dispensed", "已加注"),
    "minutes": Text("{0} min", "{0} 分钟"),
    "hours": Text("{0} h {1} min", "{0} 小时 {1} 分"),
    "whole_hours": Text("{0} h", "{0} 小时"),
    # Alarms
    "alarms": Text("Alarms", "报警"),
    "no_unacked": Text("No unacknowledged alarm", "无未确认报警"),
    "no_alarms": Text("No active alarm", "无活动报警"),
    "more_alarms": Text("{0} more", "还有 {0} 条"),
    "hidden_alarms": Text("{0} hidden (shelved, suppressed or out of service)", "另有 {0} 条被搁置、抑制或停用"),
    "acknowledge": Text("Acknowledge", "确认"),
    "acknowledge_which": Text("Acknowledge {0}", "确认 {0}"),
    "reset": Text("Reset", "复位"),
    "reset_which": Text("Reset {0}", "复位 {0}"),
    "comment": Text("Comment", "备注"),
    "cancel": Text("Cancel", "取消"),
    "help_cause": Text("Cause", "原因"),
    "help_consequence": Text("Consequence", "后果"),
    "help_action": Text("Action", "措施"),
    **PRIORITY_WORDS,
    "state_UNACK": Text("active", "未确认"),
    "state_ACKED": Text("acknowledged", "已确认"),
    "state_RTNUN": Text("cleared, unack.", "恢复未确认"),
    "state_LATCHED": Text("latched", "锁存"),
    "first_out": Text("first", "首出"),
    "act_failed": Text("Not done: {0}", "未执行：{0}"),
    "value_limit": Text("{0}, limit {1}", "{0}，限值 {1}"),
    # Trend
    "trend": Text("Trend", "趋势"),
    "trend_pick": Text("Signal (tag or name)", "信号（位号或名称）"),
    "last_15m": Text("15 min", "15 分"),
    "last_2h": Text("2 h", "2 小时"),
    "last_24h": Text("24 h", "24 小时"),
    "trend_range": Text("Time range", "时间范围"),
    "trend_unknown": Text("No such signal", "无此信号"),
    "trend_empty": Text("No readings in this range", "此时段无数据"),
    "trend_failed": Text("Readings cannot be had: {0}", "读取数据失败：{0}"),
}


def text_of(key: str, language: str) -> str:
    """Return one text.

    Raises:
        KeyError: There is no such text; a raw key is never shown.
    """
    return TEXTS[key].in_language(language)


def texts_of(language: str) -> dict[str, str]:
    """Return every text in one language, for the page's script."""
    return {key: text.in_language(language) for key, text in TEXTS.items()}
