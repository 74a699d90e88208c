// The table beside the picture: which line is which, its value at the cursor or now, its least and greatest in view.

import { byId, draw, layout, make, setText, word } from "./dom.js";
import { qualityOf, shown, valueOf } from "./numbers.js";
import { rowAt } from "./trends_data.js";
import { lookOf } from "./trends_paint.js";

const DASH = { solid: "none", dashed: "7 4", dotted: "2 3" };
const cells = new Map(); // tag -> {at, least, most}
let head = null;

/** Draw the rows; `choose(tag)` shows a signal's limits, `remove(tag)` takes it out. */
export function drawLegend(tags, chosen, { choose, remove }) {
  byId("trends-none").hidden = tags.length > 0;
  cells.clear();
  head = make("th", { scope: "col", class: "number" }, word("trends_now"));
  const heads = [make("th", { scope: "col" }, word("trends_signal")), head, ...["trends_least", "trends_most"].map((key) => make("th", { scope: "col", class: "number" }, word(key))), make("td")];
  const rows = tags.map((tag, place) => rowOf(tag, place, tag === chosen, { choose, remove }));
  byId("trends-rows").replaceChildren(...(tags.length ? [make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows))] : []));
}

function rowOf(tag, place, chosen, { choose, remove }) {
  const { name, unit } = layout.signals[tag];
  const { color, type } = lookOf(place);
  const line = draw("line", { x1: 1, x2: 33, y1: 6, y2: 6, stroke: color, "stroke-width": 3, "stroke-dasharray": DASH[type] });
  const pick = make("button", { type: "button", class: "tag", "aria-pressed": String(chosen), title: word("trends_limits_of", tag) }, tag);
  pick.addEventListener("click", () => choose(chosen ? null : tag));
  const drop = make("button", { type: "button", "aria-label": word("trends_remove", tag), title: word("trends_remove", tag) }, "✕");
  drop.addEventListener("click", () => remove(tag));
  const mine = Object.fromEntries(["at", "least", "most"].map((key) => [key, make("td", { class: "number", "data-value": key })]));
  cells.set(tag, mine);
  const swatch = draw("svg", { width: 34, height: 12, "aria-hidden": "true" }, line);
  return make("tr", { "data-tag": tag }, make("th", { scope: "row" }, swatch, pick, make("span", { class: "name" }, ` ${name}${unit && ` [${unit}]`}`)), mine.at, mine.least, mine.most, make("td", {}, drop));
}

/** Fill in the numbers: at a moment, or now where `t` is null. */
export function fillLegend(data, t) {
  if (head) setText(head, word(t === null ? "trends_now" : "trends_at"));
  for (const [tag, { at, least, most }] of cells) {
    const now = valueOf(tag);
    const row = t === null ? now && [now[2], now[0], null, null, now[1]] : rowAt(data, tag, t);
    const quality = t === null ? qualityOf(tag) : (row?.[4].split(":", 1)[0] ?? "none");
    setText(at, textOf(tag, row?.[1] ?? null));
    at.className = quality === "good" || quality === "none" ? "number" : `number q-${quality}`;
    at.title = quality === "good" || quality === "none" ? "" : word(quality);
    const [low, high] = endsOf(data, tag);
    setText(least, textOf(tag, low));
    setText(most, textOf(tag, high));
  }
}

function endsOf(data, tag) {
  if (layout.signals[tag].states) return [null, null];
  let [low, high] = [null, null];
  for (const [, , least, greatest] of data?.series.get(tag) || []) {
    if (least === null) continue;
    if (low === null || least < low) low = least;
    if (high === null || greatest > high) high = greatest;
  }
  return [low, high];
}

const textOf = (tag, value) => (value === null ? "–" : shown(tag, value, layout.signals[tag].digits + 1));
