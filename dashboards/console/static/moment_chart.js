// A signal around one moment as a plain drawing: its line, its limits, when the alarm began.

import { ask, draw, layout, make, minuteTime, stationPath, word } from "./dom.js";
import { shown, stationNow } from "./numbers.js";

const BEFORE_MS = 900000;
const AFTER_MS = 900000;
const WINDOW = "10s";
const NARROWEST = 300; // Of a place that is hidden when the answer comes.
const GAP_MS = 60000; // A line is not drawn over a longer silence.
const SIZE = { height: 220, left: 56, right: 64, top: 10, bottom: 26 };

/** Draw a signal from 15 min before to 15 min after a moment. */
export async function drawMoment(place, tag, at, alarm) {
  const key = `${alarm.id} ${at}`;
  place.dataset.key = key;
  const [start, end] = [Math.floor(at - BEFORE_MS), Math.floor(Math.min(at + AFTER_MS, stationNow()) + 1)];
  const how = layout.signals[tag].states ? "last" : "mean";
  try {
    const { series } = await ask(stationPath(`/readings?signal=${encodeURIComponent(tag)}&start=${start}&end=${Math.max(end, start + 1)}&every=${WINDOW}&aggregate=${how}`));
    if (place.dataset.key !== key) return;
    const points = series[0].points.filter(([, value, quality]) => value !== null && !quality.startsWith("bad"));
    place.replaceChildren(points.length ? picture(tag, points, at, alarm, Math.max(NARROWEST, place.clientWidth)) : make("p", { class: "muted" }, word("trend_empty")));
  } catch (error) {
    place.replaceChildren(make("p", { class: "problem" }, word("trend_failed", error.message)));
  }
}

function picture(tag, points, at, alarm, width) {
  const limits = Object.entries(layout.signals[tag].limits);
  const nearby = limits.filter(([name]) => name === alarm.condition).map(([, value]) => value);
  const scale = scaleOf(points, nearby, at, width);
  const name = word("moment_of", layout.signals[tag].name, minuteTime(at));
  const root = draw("svg", { width, height: SIZE.height, role: "img", "aria-label": name });
  root.append(...axes(tag, scale), ...limits.flatMap((one) => limitLine(tag, one, scale, alarm)));
  root.append(draw("path", { class: "line", d: pathOf(points, scale, Boolean(layout.signals[tag].states)) }));
  root.append(draw("line", { class: "moment", x1: scale.x(at), x2: scale.x(at), y1: SIZE.top, y2: SIZE.height - SIZE.bottom }));
  return root;
}

function scaleOf(points, limits, at, width) {
  const values = [...points.map(([, value]) => value), ...limits];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = Math.max(0.1 * (high - low), 0.01 * Math.abs(high), 0.01);
  const [bottom, top] = [low - margin, high + margin];
  const [start, end] = [at - BEFORE_MS, at + AFTER_MS];
  return {
    bottom, top, start, end, right: width - SIZE.right,
    x: (t) => SIZE.left + ((width - SIZE.left - SIZE.right) * (t - start)) / (end - start),
    y: (value) => SIZE.height - SIZE.bottom - ((SIZE.height - SIZE.top - SIZE.bottom) * (value - bottom)) / (top - bottom),
  };
}

function axes(tag, { x, y, bottom, top, start, end, right }) {
  const times = [start, (start + end) / 2, end].map((t) => draw("text", { x: x(t), y: SIZE.height - 6, "text-anchor": "middle" }, minuteTime(t)));
  const values = [0.1, 0.5, 0.9].map((share) => bottom + share * (top - bottom));
  const marks = values.flatMap((value) => [
    draw("line", { class: "grid", x1: SIZE.left, x2: right, y1: y(value), y2: y(value) }),
    draw("text", { x: SIZE.left - 6, y: y(value) + 5, "text-anchor": "end" }, layout.signals[tag].states ? shown(tag, Math.round(value)) : shown(tag, value, layout.signals[tag].digits + 1)),
  ]);
  return [...marks, ...times];
}

function limitLine(tag, [name, value], { y, bottom, top, right }, alarm) {
  if (value < bottom || value > top) return [];
  const kind = name === alarm.condition ? "limit mine" : "limit";
  return [
    draw("line", { class: kind, x1: SIZE.left, x2: right, y1: y(value), y2: y(value) }),
    draw("text", { class: kind, x: right + 4, y: y(value) + 5 }, `${name} ${value}`),
  ];
}

function pathOf(points, { x, y }, stepped) {
  let path = "";
  let last = -Infinity;
  for (const [t, value] of points) {
    const at = `${x(t).toFixed(1)} ${y(value).toFixed(1)}`;
    if (t - last > GAP_MS && !stepped) path += `M${at}`;
    else path += stepped && path ? `H${x(t).toFixed(1)}V${y(value).toFixed(1)}` : `${path ? "L" : "M"}${at}`;
    last = t;
  }
  return path;
}
