// The picture: a panel a unit of measure, one time axis, bands from least to greatest, limits, alarms where they began.

import { byId, clockTime, dayOf, layout, minuteTime, word } from "./dom.js";
import { highEnd, local, lowEnd, real } from "./chart_axis.js";
import { PRIORITIES, SHAPES } from "./symbols.js";

const WIDE = { left: 76, right: 56, top: 22, bottom: 30, between: 30 };
const NARROW = { ...WIDE, left: 50, right: 46 };
const LEAST_HIGH = 120; // Of a panel, in pixels.
const FEW_LIMITS = 6; // Up to so many are drawn in a panel; of more only those of the chosen signal.
const DAY_MS = 86400000;
const FOR_EVER = 8e15; // An alarm that stands still: beyond any range.
// Okabe and Ito's colours, told apart by nearly all eyes, darkened where the ground is light; then the dashes change.
const COLOURS = {
  light: ["#005f93", "#a34700", "#00664a", "#8f3d70", "#15191c", "#7a6200", "#2878a8", "#6b4c9a"],
  dark: ["#56b4e9", "#f0a04b", "#3fd0a4", "#e49ac6", "#e6e9eb", "#f0e442", "#9cc0de", "#b294e0"],
};
const DASHES = ["solid", "dashed", "dotted"];
const MARK = 18; // An alarm's symbol, in pixels.

let echarts = null;
let chart = null;
let panels = [];
let side = WIDE;
let onCursor = () => {};

/** Load the library and begin; `cursor(t or null)` is told where the pointer is. */
export async function startChart(cursor) {
  onCursor = cursor;
  ({ echarts } = await import("nicegui-echart"));
  chart = echarts.init(byId("trends-chart"), null, { renderer: "canvas" });
  chart.on("updateAxisPointer", ({ axesInfo }) => onCursor(axesInfo?.length ? real(axesInfo[0].value) : null));
  chart.getZr().on("globalout", () => onCursor(null));
  new ResizeObserver(() => chart.resize()).observe(byId("trends-chart"));
  return chart;
}

/** Return how the line at a place of the list looks: {color, type}. */
export function lookOf(at) {
  const colours = COLOURS[document.documentElement.dataset.theme];
  return { color: colours[at % colours.length], type: DASHES[Math.floor(at / colours.length) % DASHES.length] };
}

/** Return [[unit, tags]]: a panel each; every signal of states has one of its own. */
function panelsOf(tags) {
  const found = new Map();
  for (const tag of tags) {
    const { states, unit } = layout.signals[tag];
    const key = states ? tag : unit;
    found.set(key, [...(found.get(key) || []), tag]);
  }
  return [...found.values()];
}

/** Return the pixels of a moment, and the moment at pixels, along the time axis. */
export function timeAt(pixels) {
  const { left, width } = areaOf();
  const [from, to] = axis;
  return from + ((pixels - left) / width) * (to - from);
}

export const areaOf = () => ({ left: side.left, width: Math.max(1, byId("trends-chart").clientWidth - side.left - side.right) });

let axis = [0, 1];

/** Move the time axis alone: what is drawn already moves at once, the new readings follow. */
export function moveAxis([from, to]) {
  axis = [from, to];
  if (!panels.length) return;
  chart.setOption({ xAxis: panels.map(() => ({ min: local(from), max: local(to), axisLabel: { formatter: labelFor(to - from) } })) }, { lazyUpdate: true });
}

/** Follow the present: the axis moves and the lines grow, all else stays. */
export function extendTrends(tags, range, data) {
  moveAxis(range);
  chart.setOption({ series: tags.map((tag) => ({ id: `line ${tag}`, data: pointsOf(data.series.get(tag) || []) })) });
}

const pointsOf = (rows) => rows.map(([t, middle]) => [local(t), middle]);

/** Draw signals: `data` of trends_data, `alarms` [{tag, id, priority, from, to}], the signal whose limits are wanted. */
export function drawTrends(tags, [from, to], data, alarms, chosen) {
  axis = [from, to];
  panels = panelsOf(tags);
  side = byId("trends-chart").clientWidth < 600 ? NARROW : WIDE;
  const high = Math.max(0, panels.length * (LEAST_HIGH + side.between) + side.top);
  byId("trends-chart").style.minHeight = `${high}px`;
  if (chart.getHeight() !== byId("trends-chart").clientHeight) chart.resize();
  const style = getComputedStyle(byId("console"));
  chart.setOption(optionsOf(tags, data, alarms, chosen, (name) => style.getPropertyValue(`--${name}`).trim()), { notMerge: true });
}

function optionsOf(tags, data, alarms, chosen, colour) {
  const text = { color: colour("text"), fontSize: 13 };
  const each = (make) => panels.map((panel, at) => make(panel, at));
  return {
    animation: false,
    useUTC: true,
    aria: { enabled: false }, // The table beside it says the values.
    grid: each((_, at) => placeOf(at)),
    axisPointer: { link: [{ xAxisIndex: "all" }], label: { show: false }, lineStyle: { color: colour("text") } },
    tooltip: { trigger: "axis", showContent: false, axisPointer: { animation: false } },
    xAxis: each((_, at) => timeAxis(at, text, colour)),
    yAxis: each((panel, at) => valueAxis(panel, at, text, colour)),
    series: each((panel, at) => [
      ...panel.flatMap((tag) => linesOf(tag, tags.indexOf(tag), at, data)),
      ...marksOf(panel, at, alarms, chosen, colour),
    ]).flat(),
  };
}

function placeOf(at) {
  const all = chart.getHeight() - side.top - side.bottom + side.between;
  const one = all / panels.length;
  return { left: side.left, right: side.right, top: side.top + at * one, height: Math.max(20, one - side.between) };
}

function timeAxis(at, text, colour) {
  const last = at === panels.length - 1;
  const label = { ...text, show: last, hideOverlap: true, formatter: labelFor(axis[1] - axis[0]) };
  const lines = { show: true, lineStyle: { color: colour("line"), opacity: 0.6 } };
  return { type: "time", gridIndex: at, min: local(axis[0]), max: local(axis[1]), axisLabel: label, axisLine: { onZero: false, lineStyle: { color: colour("line") } }, splitLine: lines };
}

function labelFor(span) {
  if (span > 10 * DAY_MS) return (t) => dayOf(real(t)).slice(5);
  if (span > DAY_MS) return (t) => `${dayOf(real(t)).slice(5)}\n${minuteTime(real(t))}`;
  if (span > 600000) return (t) => minuteTime(real(t));
  return (t) => clockTime(real(t));
}

function valueAxis(panel, at, text, colour) {
  const { states, unit } = layout.signals[panel[0]];
  const axisLine = { splitLine: { lineStyle: { color: colour("line"), opacity: 0.6 } }, nameTextStyle: { ...text, align: "left", padding: [0, 0, 0, 6 - side.left] } };
  if (states) return { ...axisLine, type: "value", gridIndex: at, name: panel[0], min: -0.2, max: Math.max(1, states.length - 1) + 0.2, interval: 1, axisLabel: { ...text, showMinLabel: false, showMaxLabel: false, width: side.left - 12, overflow: "truncate", formatter: (number) => states[number] ?? "" } };
  const limits = panel.flatMap((tag) => Object.values(layout.signals[tag].limits));
  return { ...axisLine, type: "value", scale: true, gridIndex: at, name: unit, splitNumber: 4, axisLabel: text, min: (held) => lowEnd(limits, held), max: (held) => highEnd(limits, held) };
}

function linesOf(tag, place, at, data) {
  const { color, type } = lookOf(place);
  const rows = data?.series.get(tag) || [];
  const common = { xAxisIndex: at, yAxisIndex: at, silent: true, animation: false };
  const line = {
    ...common, id: `line ${tag}`, name: tag, type: "line", step: layout.signals[tag].states ? "end" : false, connectNulls: false, z: 3,
    showSymbol: false, lineStyle: { color, type, width: 1.8 }, itemStyle: { color }, data: pointsOf(rows),
  };
  const lonely = { ...common, id: `points ${tag}`, type: "scatter", symbolSize: 5, z: 3, itemStyle: { color }, data: line.data.filter((_, place) => isLonely(rows, place)) };
  return [...(rows.some((row) => row[2] !== row[3]) ? [bandOf(tag, rows, color, common)] : []), line, lonely];
}

// A point between two gaps makes no line.
const isLonely = (rows, place) => rows[place][1] !== null && [place - 1, place + 1].every((other) => (rows[other]?.[1] ?? null) === null);

/** Draw from the least to the greatest of each window, one shape for each stretch without a gap. */
function bandOf(tag, rows, color, common) {
  const data = rows.map(([t, , least, greatest]) => [local(t), least, greatest]);
  const renderItem = (params, api) => {
    if (params.dataIndexInside > 0) return null; // All of it is drawn at once.
    const shapes = stretches(data).map((part) => {
      const points = [...part.map(([t, , top]) => api.coord([t, top])), ...part.map(([t, low]) => api.coord([t, low])).reverse()];
      return { type: "polygon", shape: { points }, style: { fill: color, opacity: 0.24 } };
    });
    return { type: "group", children: shapes };
  };
  return { ...common, id: `band ${tag}`, type: "custom", renderItem, clip: true, z: 2, data, encode: { x: 0, y: [1, 2] }, progressive: 0 };
}

function stretches(data) {
  const parts = [[]];
  for (const row of data) {
    if (row[1] === null) parts.push([]);
    else parts.at(-1).push(row);
  }
  return parts.filter((part) => part.length > 1);
}

function marksOf(panel, at, alarms, chosen, colour) {
  const common = { xAxisIndex: at, yAxisIndex: at, silent: true, animation: false };
  const mine = alarms.filter(({ tag }) => panel.includes(tag));
  const data = mine.map(({ from, to }) => [local(from), local(to ?? FOR_EVER)]);
  return [
    { ...common, id: `limits ${at}`, type: "scatter", data: [], markLine: { silent: true, symbol: "none", data: limitLines(panel, chosen, colour), animation: false } },
    { ...common, id: `alarms ${at}`, type: "custom", z: 4, clip: true, data, encode: { x: 0 }, dimensions: ["from", "to"], renderItem: (params, api) => markOf(params, api, mine[params.dataIndex].priority, colour) },
  ];
}

/** Draw an alarm: its time tinted from top to bottom, its priority's symbol where it began. */
function markOf({ coordSys: { x: left, y: top, width, height } }, api, priority, colour) {
  const pixels = (t) => Math.min(left + width, Math.max(left, api.coord([t, 0])[0]));
  const [from, to] = [pixels(api.value(0)), pixels(api.value(1))];
  const begun = api.coord([api.value(0), 0])[0];
  const box = { x: begun - MARK / 2, y: top, width: MARK, height: MARK };
  const text = { text: String(PRIORITIES.indexOf(priority) + 1), x: begun, y: top + MARK / 2, align: "center", verticalAlign: "middle", fill: colour(`on-${priority}`), font: "bold 11px sans-serif" };
  const tint = { type: "rect", shape: { x: from, y: top, width: Math.max(1, to - from), height }, style: { fill: colour(priority), opacity: 0.12 } };
  const symbol = [{ type: "path", shape: { pathData: SHAPES[priority], ...box }, style: { fill: colour(priority) } }, { type: "text", style: text }];
  return { type: "group", children: begun < left || begun > left + width ? [tint] : [tint, ...symbol] };
}

function limitLines(panel, chosen, colour) {
  const of = (tag) => Object.entries(layout.signals[tag].limits).map(([name, limit]) => `${name} ${limit}`);
  const all = [...new Set(panel.flatMap(of))];
  const wanted = panel.includes(chosen) ? of(chosen) : all.length <= FEW_LIMITS ? all : of(panel[0]);
  return wanted.map((text) => {
    const [name, limit] = text.split(" ");
    const severe = name.length > 1;
    const line = { type: "dashed", width: severe ? 2 : 1, color: colour(severe ? "limit-severe" : "limit") };
    return { yAxis: Number(limit), label: { formatter: text, color: colour("text"), position: severe ? "insideEndTop" : "end", fontSize: 12 }, lineStyle: line };
  });
}

/** Return the picture as an image that can be drawn, with the ground's colour. */
export const pictureUrl = (ground) => chart.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: ground });

/** Say of a window how wide it is. */
export const windowText = ({ every }) => (every ? word("trends_means", every) : word("trends_raw"));
