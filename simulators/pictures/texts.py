"""Every word of the pictures, in both languages."""

from __future__ import annotations

from typing import Final

from station.domain.plant import Text

TEXTS: Final[dict[str, Text]] = {
    "title": Text("{station}: {from_} to {to}", "{station}：{from_} 至 {to}"),
    "simulated": Text("SIMULATED", "模拟数据"),
    "made": Text("Made by jinma {version}; {origin}", "由 jinma {version} 生成；{origin}"),
    "of_scenario": Text("scenario {scenario}, seed {seed}", "场景 {scenario}，种子 {seed}"),
    "of_log": Text("log {file}", "日志 {file}"),
    "figures": Text("The day's figures", "当日指标"),
    "figure": Text("Figure", "指标"),
    "found": Text("Found", "实际值"),
    "expected": Text("Expected", "预期范围"),
    "in": Text("in", "范围内"),
    "out": Text("OUT", "超出"),
    "not_judged": Text("not a whole day", "不足一天"),
    "banks": Text("Bank pressures [MPa]", "储氢瓶组压力 [MPa]"),
    "trailers": Text("Trailer pressures [MPa]", "长管拖车压力 [MPa]"),
    "bays": Text("Unloading bays", "卸气柱状态"),
    "trains": Text("Compressor trains", "压缩机状态"),
    "flow": Text("Flow of the trains [kg/h]", "压缩机流量 [kg/h]"),
    "compression": Text(
        "Compression: pressures [MPa] and outlet temperatures [degC] of the first train",
        "首台压缩机压力 [MPa] 与排气温度 [℃]",
    ),
    "hoses": Text("Hoses", "加氢枪状态"),
    "queue": Text("Trucks at the gate; wait of each [min]", "排队车辆数；各车等待时间 [min]"),
    "waiting": Text("at the gate", "排队车辆"),
    "wait": Text("wait", "等待时间"),
    "fills": Text("Fills: minutes and kilograms, coloured by end SOC [%]", "加注：时长与质量，颜色为终了 SOC [%]"),
    "fill_temperature": Text(
        "End of each fill: gas temperature [degC] by start pressure [MPa]", "各次加注终了温度 [℃] 与起始压力 [MPa]"
    ),
    "curves_p": Text("Fill curves: tank pressure [MPa] over minutes", "加注曲线：车载瓶压力 [MPa]，横轴分钟"),
    "curves_t": Text("Fill curves: tank gas temperature [degC] over minutes", "加注曲线：车载瓶气体温度 [℃]，横轴分钟"),
    "hourly": Text("Dispensed each hour [kg]", "每小时加注量 [kg]"),
    "temperatures": Text("Temperatures [degC]", "温度 [℃]"),
    "delivery": Text("Delivery temperature while gas flows [degC]", "加注时出口气体温度 [℃]"),
    "power": Text("Power [kW]", "功率 [kW]"),
    "site": Text("site", "全站"),
    "all_trains": Text("trains", "压缩机合计"),
    "chillers": Text("chillers", "冷水机组合计"),
    "specific": Text("kWh/kg so far", "累计 kWh/kg"),
    "balance": Text("Kilograms unaccounted, from published values alone", "物料不平衡量 [kg]（仅据发布值）"),
    "unaccounted": Text("unaccounted", "不平衡量"),
    "budget": Text("instruments' error", "仪表误差限"),
    "detectors": Text("Gas detectors, highest of each place [%LEL]", "各区域可燃气体最高值 [%LEL]"),
    "ambient": Text("ambient", "环境"),
    "brine": Text("brine {unit}", "载冷剂 {unit}"),
    "limit": Text("limit", "限值"),
    "minutes": Text("minutes", "分钟"),
    "kilograms": Text("kg", "千克"),
    "own_account": Text("The plant's own account", "仿真真值核算"),
    "truth_trucks": Text("fills ended", "完成加注车次"),
    "truth_dispensed_kg": Text("dispensed [kg]", "加注量 [kg]"),
    "truth_received_kg": Text("received [kg]", "接收量 [kg]"),
    "truth_stock_change_kg": Text("change of stock [kg]", "库存变化 [kg]"),
    "truth_vented_kg": Text("vented and leaked [kg]", "放空与泄漏 [kg]"),
    "truth_returned_kg": Text("returned in trailers [kg]", "拖车返回余气 [kg]"),
    "truth_closure": Text("mass closure [share]", "质量闭合误差"),
    "truth_kwh": Text("electricity [kWh]", "用电量 [kWh]"),
    "truth_kwh_per_kg": Text("electricity [kWh/kg]", "单位电耗 [kWh/kg]"),
    "truth_compression_kwh": Text("work into the gas [kWh]", "压缩功 [kWh]"),
    "truth_precooling_kwh": Text("precooling heat [kWh]", "预冷热量 [kWh]"),
    "truth_energy_closure": Text("energy closure [share]", "能量闭合误差"),
}


def text(key: str, language: str, **parts: object) -> str:
    """Return a text in a language (`en` or `zh`) with its parts put in."""
    return TEXTS[key].in_language(language).format(**parts)
