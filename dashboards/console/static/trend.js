// The trend of any signal: history from the API, extended by what the stream says, limits as dashed lines.

import { ask, byId, clockTime, dayOf, layout, make, minuteTime, setText, stationPath, word } from "./dom.js";
import { highEnd, local, lowEnd, real } from "./chart_axis.js";
import { qualityOf, shown, stationNow, valueOf } from "./numbers.js";

const RANGES = {
  "15m": { ms: 900000, every: "5s", everyMs: 5000 },
  "2h": { ms: 7200000, every: "30s", everyMs: 30000 },
  "24h": { ms: 86400000, every: "5m", everyMs: 300000 },
};
const KEPT = "jinma_trend"; // What was chosen outlives a reload of the page.

let tag = null;
let range = "2h";
let points = []; // [t, value or null]
let chart = null;
let echarts = null;
let asked = 0;

/** Begin with what was chosen last, else with the station's first bank or first signal. */
export async function startTrend() {
  fillList();
  const kept = JSON.parse(sessionStorage.getItem(KEPT) || "{}");
  range = RANGES[kept.range] ? kept.range : range;
  for (const button of byId("trend-ranges").children) button.addEventListener("click", () => pickRange(button.dataset.range));
  byId("trend-signal").addEventListener("change", (event) => pickText(event.target.value));
  byId("trend-signal").addEventListener("focus", (event) => event.target.select());
  ({ echarts } = await import("nicegui-echart"));
  new ResizeObserver(() => chart?.resize()).observe(byId("trend-chart")); // What stands above it grows and shrinks, too.
  document.addEventListener("theme", () => drawChart());
  await pick(layout.signals[kept.tag] ? kept.tag : usual());
}

function usual() {
  const storage = layout.sections.find(({ key }) => key === "storage");
  return storage?.tiles.map((tile) => tile.main?.tag).filter(Boolean).at(-1) || Object.keys(layout.signals)[0];
}

function fillList() {
  const options = Object.entries(layout.signals).map(([id, { name }]) => make("option", { value: id }, name));
  byId("trend-signals").append(...options);
}

/** Show a signal's trend. */
export async function pick(id) {
  tag = id;
  byId("trend-signal").value = `${id}  ${layout.signals[id].name}`;
  await load();
}

function pickText(text) {
  const wish = text.trim().toLowerCase();
  const all = Object.entries(layout.signals);
  const exact = all.find(([id]) => wish.split(/\s/)[0] === id.toLowerCase());
  const near = exact || all.find(([id, { name }]) => id.toLowerCase().includes(wish) || name.toLowerCase().includes(wish));
  if (near && wish) pick(near[0]);
  else setText(byId("trend-note"), word("trend_unknown"));
}

function pickRange(name) {
  range = name;
  load();
}

/** Load the history anew. */
export async function load() {
  if (!tag || !echarts) return;
  sessionStorage.setItem(KEPT, JSON.stringify({ tag, range }));
  for (const button of byId("trend-ranges").children) button.setAttribute("aria-pressed", String(button.dataset.range === range));
  const mine = ++asked;
  const { ms, every } = RANGES[range];
  const end = Math.floor(stationNow()) + 1;
  const aggregate = layout.signals[tag].states ? "last" : "mean";
  const query = `signal=${encodeURIComponent(tag)}&start=${end - ms}&end=${end}&every=${every}&aggregate=${aggregate}`;
  try {
    const { series } = await ask(stationPath(`/readings?${query}`));
    if (mine !== asked) return;
    points = withGaps(series[0].points.map(([t, value, quality]) => [t, quality.startsWith("bad") ? null : value]));
    setText(byId("trend-note"), points.length ? "" : word("trend_empty"));
  } catch (error) {
    if (mine !== asked) return;
    points = [];
    setText(byId("trend-note"), word("trend_failed", error.message));
  }
  drawChart();
}

/** Break the line where nothing came: a gap is not drawn as if it had been a steady value. */
function withGaps(rows) {
  const { everyMs } = RANGES[range];
  const longest = Math.max(3 * everyMs, layout.signals[tag].stale_s * 1000);
  const out = [];
  for (const [at, row] of rows.entries()) {
    if (at > 0 && row[0] - rows[at - 1][0] > longest) out.push([rows[at - 1][0] + everyMs, null]);
    out.push(row);
  }
  return out;
}

/** Extend the line by what the stream says; call it each second. */
export function extend() {
  if (!chart || !tag) return;
  const held = valueOf(tag);
  showValue(held);
  const newest = points.at(-1)?.[0] ?? 0;
  if (held && held[2] > newest && qualityOf(tag) !== "bad") points.push([held[2], held[0]]);
  const start = stationNow() - RANGES[range].ms;
  while (points.length && points[0][0] < start) points.shift();
  if (points.length > 2500) load();
  chart.setOption({ series: [{ data: points.map(localPoint) }], xAxis: span() });
}

function showValue(held) {
  const quality = qualityOf(tag);
  const { unit } = layout.signals[tag];
  const text = held && held[0] !== null ? `${shown(tag, held[0], fine())}${unit && ` ${unit}`}` : "–";
  setText(byId("trend-value"), quality === "good" || quality === "none" ? text : `${text} (${word(quality)})`);
}

const fine = () => layout.signals[tag].digits + 1;

const localPoint = ([t, value]) => [local(t), value];
const span = () => ({ min: local(stationNow() - RANGES[range].ms), max: local(stationNow()) });

function drawChart() {
  if (!echarts) return;
  const place = byId("trend-chart");
  if (!chart) chart = echarts.init(place, null, { renderer: "canvas" });
  chart.setOption(options(getComputedStyle(byId("console"))), true);
  showValue(valueOf(tag));
}

function options(style) {
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const signal = layout.signals[tag];
  const text = { color: colour("text"), fontSize: 14 };
  return {
    animation: false,
    useUTC: true,
    aria: { enabled: true },
    grid: { left: 64, right: 64, top: 18, bottom: 24 },
    xAxis: { type: "time", ...span(), axisLabel: { ...text, hideOverlap: true, formatter: (t) => minuteTime(real(t)) }, axisLine: { lineStyle: { color: colour("line") } } },
    yAxis: valueAxis(signal, text, colour),
    tooltip: { trigger: "axis", confine: true, formatter: tip },
    series: [series(signal, colour)],
  };
}

function valueAxis(signal, text, colour) {
  const axis = { type: "value", scale: true, axisLabel: text, splitLine: { lineStyle: { color: colour("line") } } };
  if (!signal.states) return { ...axis, name: "", splitNumber: 3, min: (at) => lowEnd(Object.values(signal.limits), at), max: (at) => highEnd(Object.values(signal.limits), at) };
  const names = { ...text, formatter: (number) => signal.states[number] ?? "" };
  return { ...axis, min: 0, max: Math.max(1, signal.states.length - 1), interval: 1, axisLabel: names };
}


function series(signal, colour) {
  const severe = (name) => name.length > 1;
  const lines = Object.entries(signal.limits).map(([name, at]) => ({
    yAxis: at,
    label: { formatter: `${name} ${at}`, color: colour("text"), position: severe(name) ? "insideEndTop" : "end", fontSize: 13 },
    lineStyle: { type: "dashed", width: severe(name) ? 2 : 1, color: colour(severe(name) ? "limit-severe" : "limit") },
  }));
  return {
    type: "line",
    step: signal.states ? "end" : false,
    data: points.map(localPoint),
    showSymbol: false,
    connectNulls: false,
    lineStyle: { color: colour("ink"), width: 2 },
    itemStyle: { color: colour("ink") },
    markLine: signal.states ? undefined : { silent: true, symbol: "none", data: lines },
  };
}

function tip([first]) {
  if (!first) return "";
  const [t, value] = first.data;
  const when = `${dayOf(real(t))} ${clockTime(real(t))}`;
  return `${when}<br><b>${value === null ? "–" : shown(tag, value, fine())}</b> ${layout.signals[tag].unit}`;
}
