// The day in kilograms: the plan, what was given, and what is expected by close with its 80 % band.

import { byId, minuteTime, word } from "./dom.js";
import { local, real } from "./chart_axis.js";

const DAY_MS = 86400000;
const STEP_MS = 900000;
let echarts = null;
let chart = null;
let shown = null;

/** Load the chart library and begin. */
export async function startDay() {
  ({ echarts } = await import("nicegui-echart"));
  chart = echarts.init(byId("day-curve"), null, { renderer: "canvas" });
  new ResizeObserver(() => chart.resize()).observe(byId("day-curve")); // It is as high as what stands beside it.
  document.addEventListener("theme", () => drawDay(shown));
}

/** Draw a day: {now, start, plan, past, done, forecast}. */
export function drawDay(day) {
  shown = day;
  if (!chart || !day) return;
  chart.setOption(options(day, getComputedStyle(byId("console"))), true);
}

const points = (rows) => rows.map(([t, kg]) => [local(t), Math.round(kg)]);

function planned({ start, plan }) {
  if (!plan) return [];
  let kg = 0;
  const rows = plan.trucks.map(({ time, kg: asked }) => [Math.max(start, time), (kg += asked)]);
  return [[start, 0], ...rows, [start + DAY_MS, kg]];
}

/** Return [[t, p10, p50, p90]] from now to close: the kilograms by close, spread as the bookings are. */
export function band({ now, start, plan, done, forecast }) {
  const close = forecast?.kg_by_close;
  const end = start + DAY_MS;
  if (!close || done === null || now >= end) return [];
  const rest = (plan?.trucks || []).filter(({ time }) => time > now);
  const total = rest.reduce((sum, { kg }) => sum + kg, 0);
  const rows = [];
  for (let t = now; ; t = Math.min(end, t + STEP_MS)) {
    const share = total > 0 ? rest.reduce((sum, { time, kg }) => sum + (time <= t ? kg : 0), 0) / total : (t - now) / (end - now);
    const at = (kg) => done + Math.max(0, kg - done) * share;
    rows.push([t, at(close.p10), at(close.p50), at(close.p90)]);
    if (t >= end) return rows;
  }
}

function options(day, style) {
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const text = { color: colour("text"), fontSize: 14 };
  const fan = band(day);
  const line = (name, data, look, more = {}) => ({ name, type: "line", data, showSymbol: false, lineStyle: look, itemStyle: { color: look.color }, ...more });
  const given = day.done === null ? day.past : [[day.start, 0], ...day.past, [day.now, day.done]];
  const names = { plan: word("curve_plan"), done: word("curve_done"), expected: word("curve_expected"), band: word("curve_band") };
  const now = { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: colour("text"), type: "dotted" }, data: [{ xAxis: local(day.now) }] };
  const none = { color: "transparent", width: 0 };
  return {
    animation: false,
    useUTC: true,
    aria: { enabled: true },
    grid: { left: 56, right: 18, top: byId("day-curve").clientWidth < 500 ? 62 : 40, bottom: 28 }, // On a phone the legend has two lines.
    legend: { top: 4, textStyle: text, data: Object.values(names) },
    tooltip: { trigger: "axis", confine: true, formatter: tip(names) },
    xAxis: { type: "time", min: local(day.start), max: local(day.start + DAY_MS), axisLabel: { ...text, hideOverlap: true, formatter: (t) => (t >= local(day.start + DAY_MS) ? "24:00" : minuteTime(real(t))) }, axisLine: { lineStyle: { color: colour("line") } } },
    yAxis: { type: "value", min: 0, axisLabel: text, splitLine: { lineStyle: { color: colour("line") } } },
    series: [
      line("p10", points(fan.map(([t, p10]) => [t, p10])), none, { stack: "band", silent: true }),
      line(names.band, points(fan.map(([t, p10, , p90]) => [t, p90 - p10])), none, { stack: "band", areaStyle: { color: colour("fill"), opacity: 0.35 }, itemStyle: { color: colour("fill") } }),
      line(names.plan, points(planned(day)), { color: colour("muted"), width: 2, type: "dashed" }, { step: "end" }),
      line(names.done, points(given), { color: colour("ink"), width: 3 }, { markLine: now }),
      line(names.expected, points(fan.map(([t, , p50]) => [t, p50])), { color: colour("ink"), width: 2, type: "dotted" }),
    ],
  };
}

const tip = (names) => (rows) => {
  if (!rows.length) return "";
  const low = rows.find(({ seriesName }) => seriesName === "p10")?.data[1];
  const said = rows.filter(({ seriesName }) => seriesName !== "p10").map(({ seriesName, data, marker }) => {
    const value = seriesName === names.band && low !== undefined ? `${low} – ${low + data[1]}` : data[1];
    return `${marker}${seriesName} <b>${value}</b> kg`;
  });
  return [minuteTime(real(rows[0].axisValue)), ...said].join("<br>");
};
