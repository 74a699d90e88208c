// The station's picture: sections of tiles, each tile a unit with its state, its main value, a bar with limits, rows.

import { byId, draw, layout, make, setText, word } from "./dom.js";
import { evaluate, qualityOf, valueOf } from "./numbers.js";
import { drawPipes } from "./pipes.js";
import { alarmAt, alarmOf, symbol } from "./symbols.js";

const cells = []; // {row, node, value, unit, mark, last}
const byTag = new Map(); // tag -> Set of things with refresh()
let onPick = () => {};

/** Draw every section; `pick(tag)` is called when a value is chosen. */
export function drawMimic(pick) {
  onPick = pick;
  const place = byId("mimic");
  for (const section of layout.sections) {
    const tiles = section.tiles.map(tileOf);
    const list = make("div", { class: "tiles" }, ...tiles);
    place.append(make("section", { class: `area area-${section.key}` }, make("h2", {}, section.title), list));
  }
  drawPipes(add);
  refreshAll();
}

/** Show what these signals say now. */
export function refresh(tags) {
  const due = new Set();
  for (const tag of tags) for (const cell of byTag.get(tag) || []) due.add(cell);
  for (const cell of due) cell.refresh();
}

/** Show everything anew: values grow stale while nothing comes. */
export function refreshAll() {
  for (const cell of cells) cell.refresh();
}

function add(cell, tags) {
  cells.push(cell);
  for (const tag of tags) {
    if (!byTag.has(tag)) byTag.set(tag, new Set());
    byTag.get(tag).add(cell);
  }
}

function tileOf(tile) {
  const mark = make("span", { class: "mark" });
  const head = make("h3", {}, make("span", { class: "name" }, tile.name), mark);
  const node = make("article", { class: `tile ${tile.shape}`, "data-unit": tile.units[0] }, head);
  add({ refresh: () => showMark(mark, alarmAt(tile.units)) }, []);
  if (tile.state) head.append(stateChip(tile.state));
  const body = make("div", { class: "body" });
  if (tile.bar) body.append(tile.shape.includes("tall") ? tallBar(tile.bar) : flatBar(tile.bar));
  if (tile.main) body.append(make("p", { class: "main" }, valueButton(tile.main)));
  node.append(body);
  if (tile.rows.length) node.append(make("dl", {}, ...tile.rows.map(rowOf)));
  return node;
}

function stateChip(tag) {
  const chip = make("button", { type: "button", class: "state", "data-tag": tag });
  chip.addEventListener("click", () => onPick(tag));
  const cell = {
    refresh() {
      const { text, quality, abnormal, value } = evaluate({ tag });
      const kind = abnormal ? "abnormal" : layout.signals[tag].working?.includes(value) ? "working" : "resting";
      setText(chip, `${abnormal ? "✕ " : ""}${text}`);
      dress(chip, `state ${kind}`, quality, tag);
    },
  };
  add(cell, [tag]);
  return chip;
}

function rowOf(row) {
  return make("div", {}, make("dt", {}, row.label), make("dd", {}, valueButton(row)));
}

function valueButton(row) {
  const value = make("b");
  const unit = make("i");
  const mark = make("span", { class: "mark" });
  const button = make("button", { type: "button", class: "value" }, mark, value, unit);
  const cell = {
    tag: row.tag || row.tags[0],
    refresh() {
      const now = evaluate(row);
      cell.tag = now.tag;
      if (button.dataset.tag !== now.tag) button.dataset.tag = now.tag;
      setText(value, now.text);
      setText(unit, now.unit && ` ${now.unit}`);
      dress(button, `value${now.abnormal ? " abnormal" : ""}`, now.quality, now.tag);
      showMark(mark, alarmOf(row.tags || [row.tag]));
    },
  };
  button.addEventListener("click", () => onPick(cell.tag));
  const others = [row.only?.tag, row.since?.tag].filter(Boolean);
  add(cell, [...(row.tags || [row.tag]), ...others]);
  return button;
}

/** Set an element's class and name by the quality of what it shows; a bad value is never drawn as a good one. */
function dress(element, name, quality, tag) {
  const full = quality === "good" ? name : `${name} q-${quality}`;
  if (element.className !== full) element.className = full;
  const said = quality === "good" ? "" : quality === "none" ? word("no_data_yet") : word(quality);
  const title = `${layout.signals[tag].name} (${tag})${said && `: ${said}`}`;
  if (element.title !== title) element.title = title;
}

function showMark(element, alarm) {
  const key = alarm ? `${alarm.priority} ${alarm.acked}` : "";
  if (element.dataset.key === key) return;
  element.dataset.key = key;
  element.replaceChildren(...(alarm ? [symbol(alarm.priority, alarm.acked)] : []));
}

function share(bar, value) {
  const [low, high] = bar.span;
  return Math.min(1, Math.max(0, (value - low) / (high - low)));
}

const inside = (bar) => Object.entries(layout.signals[bar.tag].limits).filter(([, at]) => at > bar.span[0] && at < bar.span[1]);

/** A horizontal bar; its limits are ticks above it. */
function flatBar(bar) {
  const fill = draw("rect", { class: "fill", x: 0, y: 2, height: 8, width: 0 });
  const ticks = inside(bar).map(([name, at]) => draw("rect", { class: `tick ${name}`, x: 100 * share(bar, at) - 0.4, y: 0, width: 0.8, height: 12 }));
  const track = draw("rect", { class: "track", x: 0, y: 2, height: 8, width: 100 });
  const picture = draw("svg", { class: "bar", viewBox: "0 0 100 12", preserveAspectRatio: "none", "aria-hidden": "true" }, track, fill, ...ticks);
  add({ refresh: () => fillTo(bar, picture, fill, "width", 100) }, [bar.tag]);
  return picture;
}

const TALL = "wall" in document.documentElement.dataset ? 380 : 200; // A wall screen has more height a bank.

/** An upright bar with its limits named beside it. */
function tallBar(bar) {
  const track = draw("rect", { class: "track", x: 2, y: 0, width: 34, height: TALL });
  const fill = draw("rect", { class: "fill", x: 2, y: 0, width: 34, height: 0 });
  const marks = inside(bar).flatMap(([name, at]) => {
    const y = TALL * (1 - share(bar, at));
    const text = draw("text", { class: "limit", x: name.length > 1 ? 68 : 43, y: Math.min(TALL - 1, Math.max(10, y + 4)) }, name);
    return [draw("rect", { class: `tick ${name}`, x: 0, y: y - 0.8, width: 40, height: 1.6 }), text];
  });
  const picture = draw("svg", { class: "bar", viewBox: `0 -2 92 ${TALL + 4}`, "aria-hidden": "true" }, track, fill, ...marks);
  add(
    {
      refresh() {
        fillTo(bar, picture, fill, "height", TALL);
        fill.setAttribute("y", TALL - Number(fill.getAttribute("height")));
      },
    },
    [bar.tag],
  );
  return picture;
}

function fillTo(bar, picture, fill, side, full) {
  const held = valueOf(bar.tag);
  const length = held && held[0] !== null ? share(bar, held[0]) * full : 0;
  fill.setAttribute(side, length.toFixed(1));
  const quality = qualityOf(bar.tag);
  picture.classList.toggle("doubtful", quality === "bad" || quality === "stale");
}
