"""What a station file's keys are called, in both languages; a key without a name here is shown as the file has it."""

from __future__ import annotations

from typing import Final

from station.domain.plant import Text

FACT_TEXTS: Final[dict[str, Text]] = {
    # Supply
    "fact_bays": Text("unloading bays", "卸气位"),
    "fact_volume_m3": Text("water volume", "水容积"),
    "fact_fill_pressure_mpa": Text("pressure of a full trailer", "满车压力"),
    "fact_fill_temperature_c": Text("temperature of a full trailer", "满车温度"),
    "fact_floor_mpa": Text("lowest pressure used", "最低使用压力"),
    "fact_swap": Text("change of a trailer takes", "换车时间"),
    "fact_delivery_kg": Text("net mass of a delivery", "每车净供氢量"),
    "fact_on_call_below_kg": Text("one more is sent below", "低于此量加派"),
    "fact_lateness_median": Text("lateness, median", "晚点中位数"),
    "fact_lateness_p95": Text("lateness, 95 %", "晚点95 %分位"),
    "fact_delivery_times": Text("usual deliveries", "常规到货时间"),
    # Trains
    "fact_rated_kg_h": Text("rated flow", "额定流量"),
    "fact_rated_suction_mpa": Text("suction of the rated flow", "额定流量吸气压力"),
    "fact_floor_suction_mpa": Text("lowest suction", "最低吸气压力"),
    "fact_max_discharge_mpa": Text("highest discharge", "最高排气压力"),
    "fact_intercool_c": Text("gas after a cooler", "冷却后温度"),
    "fact_efficiency_gas_path": Text("efficiency of the gas path", "气路效率"),
    "fact_efficiency_shaft": Text("efficiency at the shaft", "轴效率"),
    "fact_efficiency_motor": Text("efficiency of the motor", "电机效率"),
    "fact_min_off": Text("least standstill", "最短停机时间"),
    "fact_mtbf_h": Text("mean time between failures", "平均无故障时间"),
    "fact_mttr_median_h": Text("repair, median", "修复时间中位数"),
    # Banks
    "fact_working_mpa": Text("working pressure", "工作压力"),
    "fact_design_mpa": Text("design pressure", "设计压力"),
    "fact_relief_mpa": Text("relief valve lifts at", "安全阀起跳压力"),
    "fact_recharge_start_mpa": Text("recharge starts below", "补气启动压力"),
    "fact_recharge_stop_mpa": Text("recharge stops at", "补气停止压力"),
    "fact_recharge_rank": Text("turn in recharging", "补气次序"),
    "fact_draw_rank": Text("turn in being drawn", "取气次序"),
    # Chillers, hoses
    "fact_duty_kw": Text("cooling duty", "制冷量"),
    "fact_brine_supply_c": Text("brine supply", "载冷剂供液温度"),
    "fact_dispenser": Text("dispenser", "加氢机"),
    "fact_max_flow_g_s": Text("highest flow", "最大流量"),
    # Fill rules
    "fact_cooled_gas_c": Text("cooled gas at the nozzle", "枪口冷却气温度"),
    "fact_mean_flow_g_s": Text("mean flow of a fill", "加注平均流量"),
    "fact_ramp_cooled_mpa_min": Text("ramp, cooled", "冷却升压速率"),
    "fact_ramp_uncooled_mpa_min": Text("ramp, uncooled", "未冷却升压速率"),
    "fact_end_soc": Text("end state of charge", "终了SOC"),
    "fact_stop_temperature_c": Text("stops at a gas temperature of", "停止加注气体温度"),
    "fact_source_margin_mpa": Text("source over the vehicle", "气源高于车辆压力"),
    "fact_end_margin_mpa": Text("high bank over the end pressure", "高压组高于终压"),
    "fact_heating_cooled_k": Text("heating of the tank, cooled", "冷却加注温升"),
    "fact_heating_uncooled_k": Text("heating of the tank, uncooled", "未冷却加注温升"),
    # Fleet
    "fact_trucks_per_day": Text("trucks a day", "日加注车次"),
    "fact_mean_fill_kg": Text("mean fill", "平均加注量"),
    "fact_arrival_soc_mean": Text("state of charge on arrival, mean", "到站SOC均值"),
    "fact_arrival_soc_sd": Text("its standard deviation", "到站SOC标准差"),
    "fact_handling": Text("handling at the hose", "枪位操作时间"),
    "fact_handling_sigma": Text("its log-standard deviation", "操作时间对数标准差"),
    "fact_patience": Text("a driver waits at most", "司机最长等候"),
    "fact_day_factor_cv": Text("spread of a day's demand", "日需求变异系数"),
    "fact_weekday_factor": Text("factor of each weekday", "星期系数"),
    "fact_season_amplitude": Text("swing through the year", "季节幅度"),
    "fact_season_peak": Text("busiest day of the year", "需求高峰日"),
    "fact_types": Text("kinds of trucks", "车型"),
    "fact_hourly_share": Text("share of each hour", "逐时占比"),
}
