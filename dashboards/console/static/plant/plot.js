// Plots above each other over one time axis, with one cursor through all of them.
//
// A panel is {title, unit, digits, lines: [{name, kind, points: [[t, value or null]], bars}], limits: [[name, value]],
// floor, top}. `kind` is the line's style: main, second, third, limit.

import { clockTime, dayOf, draw, make, minuteTime, setText } from "../dom.js";

const EDGE = { left: 50, right: 12, top: 8, bottom: 22 };
const NARROWEST = 280;
const last = new WeakMap(); // place -> what it shows, to be drawn again at another width

/** Draw panels from `start` to `end`; a line is broken where nothing came for `gapMs`. */
export function drawPlots(place, wanted) {
  const isNew = !last.has(place);
  last.set(place, wanted);
  redraw(place);
  if (!isNew) return;
  new ResizeObserver(() => Math.abs(place.clientWidth - Number(place.dataset.width)) > 2 && redraw(place)).observe(place);
  place.addEventListener("pointermove", (event) => follow(place, event));
  place.addEventListener("pointerleave", () => forget(place));
}

function redraw(place) {
  place.dataset.width = place.clientWidth;
  const wanted = { ...last.get(place), width: Math.max(NARROWEST, place.clientWidth) };
  wanted.x = (t) => EDGE.left + ((wanted.width - EDGE.left - EDGE.right) * (t - wanted.start)) / (wanted.end - wanted.start);
  const drawn = wanted.panels.map((panel) => panelOf(panel, wanted));
  place.drawn = { wanted, drawn };
  place.replaceChildren(...drawn.map(({ node }) => node));
}

function panelOf(panel, wanted) {
  const { width, x } = wanted;
  const height = panel.height || 170;
  const scale = scaleOf(panel);
  const y = (value) => height - EDGE.bottom - ((height - EDGE.top - EDGE.bottom) * (value - scale.low)) / (scale.high - scale.low);
  const root = draw("svg", { width, height, role: "img", "aria-label": `${panel.title} ${panel.unit}` });
  root.append(...valueAxis(scale, y, width), ...timeAxis(wanted, height));
  for (const [name, value] of panel.limits || []) if (value > scale.low && value < scale.high) root.append(...limitOf(name, value, y, width));
  for (const line of panel.lines) root.append(line.bars ? barsOf(line, x, y) : draw("path", { class: `line ${line.kind}`, d: pathOf(line.points, x, y, wanted.gapMs) }));
  const cursor = draw("line", { class: "cursor", y1: EDGE.top, y2: height - EDGE.bottom, visibility: "hidden" });
  root.append(cursor);
  const said = make("span", { class: "readout" });
  const head = make("div", { class: "plot-head" }, make("h3", {}, panel.title, make("span", { class: "muted" }, panel.unit && ` ${panel.unit}`)), ...panel.lines.map(keyOf), said);
  return { node: make("div", { class: "plot" }, head, root), cursor, said, panel };
}

function keyOf({ name, kind }) {
  const sample = draw("svg", { width: 26, height: 10, "aria-hidden": "true" }, draw("path", { class: `line ${kind}`, d: "M0 5H26" }));
  return make("span", { class: "key small" }, sample, ` ${name}`);
}

function scaleOf(panel) {
  const values = panel.lines.flatMap(({ points }) => points.map(([, value]) => value)).filter((value) => value !== null);
  if (!values.length) return { low: panel.floor ?? 0, high: panel.top ?? 1, step: 0.5 };
  let [low, high] = [Math.min(...values), Math.max(...values)];
  const reach = Math.max(high - low, 0.1 * Math.abs(high), 1e-3);
  for (const [, value] of panel.limits || []) if (value >= low - reach && value <= high + reach) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const margin = 0.06 * Math.max(high - low, 0.02 * Math.abs(high), 1e-3);
  low = panel.floor ?? low - margin;
  high += margin;
  const step = niceStep((high - low) / 5);
  return { low: Math.floor(low / step) * step, high: Math.ceil(high / step) * step, step };
}

function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 2.5, 5, 10].map((by) => by * power).find((step) => step >= rough);
}

function valueAxis({ low, high, step }, y, width) {
  const parts = [];
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9) + (String(step / 10 ** Math.floor(Math.log10(step))).startsWith("2.5") ? 1 : 0));
  for (let at = low; at <= high + step / 1000; at += step) {
    parts.push(draw("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y(at), y2: y(at) }));
    parts.push(draw("text", { x: EDGE.left - 6, y: y(at) + 5, "text-anchor": "end" }, at.toFixed(digits).replace(/^-(0(\.0+)?)$/, "$1")));
  }
  return parts;
}

const STEPS_MS = [60000, 120000, 300000, 600000, 1800000, 3600000, 7200000, 14400000, 21600000, 43200000, 86400000, 172800000, 432000000];

function timeAxis({ start, end, width, x, offsetMs = 0 }, height) {
  const room = (width - EDGE.left - EDGE.right) / 64;
  const step = STEPS_MS.find((one) => (end - start) / one <= room) || STEPS_MS.at(-1);
  const parts = [];
  for (let t = Math.ceil((start + offsetMs) / step) * step - offsetMs; t <= end; t += step) {
    const text = step >= 86400000 ? dayOf(t).slice(5) : minuteTime(t);
    const anchor = x(t) > width - 34 ? "end" : x(t) < EDGE.left + 20 ? "start" : "middle";
    parts.push(draw("line", { class: "grid", x1: x(t), x2: x(t), y1: height - EDGE.bottom, y2: height - EDGE.bottom + 4 }));
    parts.push(draw("text", { x: Math.min(x(t), width - 2), y: height - 4, "text-anchor": anchor }, text));
  }
  return parts;
}

function limitOf(name, value, y, width) {
  return [
    draw("line", { class: "limit", x1: EDGE.left, x2: width - EDGE.right, y1: y(value), y2: y(value) }),
    draw("text", { class: "limit", x: width - EDGE.right - 4, y: y(value) - 4, "text-anchor": "end" }, `${name} ${value}`),
  ];
}

function barsOf({ points, bars, kind }, x, y) {
  const group = draw("g", { class: `bars ${kind}` });
  for (const [t, value] of points) {
    if (value === null) continue;
    group.append(draw("rect", { x: x(t) + 2, y: y(value), width: Math.max(1, x(t + bars) - x(t) - 4), height: Math.max(0, y(0) - y(value)) }));
  }
  return group;
}

function pathOf(points, x, y, gapMs) {
  let path = "";
  let before = -Infinity;
  for (const [t, value] of points) {
    if (value === null) continue;
    path += `${t - before > gapMs ? "M" : "L"}${x(t).toFixed(1)} ${y(value).toFixed(1)}`;
    before = t;
  }
  return path;
}

function follow(place, event) {
  const { wanted, drawn } = place.drawn;
  const share = (event.clientX - place.getBoundingClientRect().left - EDGE.left) / (wanted.width - EDGE.left - EDGE.right);
  const t = wanted.start + share * (wanted.end - wanted.start);
  if (t < wanted.start || t > wanted.end) return forget(place);
  for (const { cursor, said, panel } of drawn) {
    cursor.setAttribute("visibility", "visible");
    cursor.setAttribute("x1", wanted.x(t));
    cursor.setAttribute("x2", wanted.x(t));
    const values = panel.lines.map(({ name, points, bars }) => `${name} ${textAt(points, t, panel, bars || wanted.gapMs)}`);
    setText(said, `${clockTime(t)}  ${values.join(", ")}`);
  }
  return undefined;
}

function textAt(points, t, { digits = 1 }, reach) {
  const before = points.findLast(([at, value]) => at <= t && value !== null);
  return before && t - before[0] <= reach ? before[1].toFixed(digits) : "–";
}

function forget(place) {
  for (const { cursor, said } of place.drawn.drawn) {
    cursor.setAttribute("visibility", "hidden");
    setText(said, "");
  }
}
