// Alarms by hour, day or month as stacked bars: the most serious stand at the bottom, and each names itself.

import { draw, make, word } from "./dom.js";
import { PRIORITIES, symbol } from "./symbols.js";

const SIZE = { height: 200, left: 40, right: 10, top: 10, bottom: 24 };
const LABEL_PX = 90;
const NARROWEST = 300; // Of a place that is hidden when the answer comes.

/** Return the drawing and its legend, as wide as its place. */
export function drawBuckets(buckets, place) {
  const width = Math.max(NARROWEST, place.clientWidth);
  const top = Math.max(4, ...buckets.map(({ alarms }) => alarms));
  const step = (width - SIZE.left - SIZE.right) / buckets.length;
  const y = (count) => SIZE.height - SIZE.bottom - ((SIZE.height - SIZE.top - SIZE.bottom) * count) / top;
  const root = draw("svg", { class: "buckets", width, height: SIZE.height, role: "img", "aria-label": word("figures_course") });
  for (const count of [0, Math.round(top / 2), top]) {
    root.append(draw("line", { class: "grid", x1: SIZE.left, x2: width - SIZE.right, y1: y(count), y2: y(count) }), draw("text", { x: SIZE.left - 6, y: y(count) + 5, "text-anchor": "end" }, String(count)));
  }
  const every = Math.ceil((buckets.length * LABEL_PX) / width);
  for (const [at, bucket] of buckets.entries()) {
    const x = SIZE.left + at * step;
    root.append(...barOf(bucket, x, Math.min(step * 0.8, 60), y));
    if (at % every === 0) root.append(draw("text", { x: x + Math.min(step * 0.8, 60) / 2, y: SIZE.height - 6, "text-anchor": "middle" }, bucket.label));
  }
  const legend = make("p", { class: "legend" }, ...PRIORITIES.map((one) => make("span", { class: "count" }, symbol(one), ` ${word(one)}`)));
  return make("div", {}, root, legend);
}

function barOf({ label, by_priority: counts, alarms }, x, width, y) {
  const parts = [];
  let below = 0;
  for (const priority of PRIORITIES) {
    const count = counts[priority] || 0;
    if (!count) continue;
    const bar = draw("rect", { class: `bar-${priority}`, x, width, y: y(below + count), height: y(below) - y(below + count) });
    bar.append(draw("title", {}, `${label} · ${word(priority)} ${count} / ${alarms}`));
    parts.push(bar);
    below += count;
  }
  return parts;
}
