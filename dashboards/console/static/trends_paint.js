// Paints trends on a canvas: a panel a unit of measure, one time axis, bands from least to greatest, limits, alarms.

import { layout } from "./dom.js";
import { highEnd, lowEnd } from "./chart_axis.js";
import { PRIORITIES, SHAPES } from "./symbols.js";
import { placeOf } from "./trends_data.js";
import { labelFor, timeTicks, valueTicks } from "./trends_ticks.js";

const WIDE = { left: 76, right: 64, top: 22, bottom: 30, between: 30 };
const NARROW = { ...WIDE, left: 50, right: 60 };
const LEAST_HIGH = 120; // Of a panel, in pixels.
const FEW_LIMITS = 6; // Up to so many are drawn in a panel; of more only those of the chosen signal.
const LABEL = 84; // Pixels from one time to the next.
const ROW = 48; // Pixels from one number to the next.
// Okabe and Ito's colours, told apart by nearly all eyes, darkened where the ground is light; then the dashes change.
const COLOURS = {
  light: ["#005f93", "#a34700", "#00664a", "#8f3d70", "#15191c", "#7a6200", "#2878a8", "#6b4c9a"],
  dark: ["#56b4e9", "#f0a04b", "#3fd0a4", "#e49ac6", "#e6e9eb", "#f0e442", "#9cc0de", "#b294e0"],
};
const DASHES = { solid: [], dashed: [7, 4], dotted: [2, 3] };
const LINE = 13; // From one label of a limit to the next.
const RIGHT_TEXT = 56; // What there is for it beside the narrower picture.
const MARK = 18; // An alarm's symbol, in pixels.
const TAU = 2 * Math.PI;

/** Return how the line at a place of the list looks: {color, type}. */
export function lookOf(at) {
  const colours = COLOURS[document.documentElement.dataset.theme];
  const types = Object.keys(DASHES);
  return { color: colours[at % colours.length], type: types[Math.floor(at / colours.length) % types.length] };
}

export const sideOf = (width) => (width < 600 ? NARROW : WIDE);

/** Return the tags of each panel: one a unit of measure; every signal of states has one of its own. */
function panelsOf(tags) {
  const found = new Map();
  for (const tag of tags) {
    const { states, unit } = layout.signals[tag];
    const key = states ? tag : unit;
    found.set(key, [...(found.get(key) || []), tag]);
  }
  return [...found.values()];
}

/** Return how high the picture must be for its panels to be read. */
export const leastHeight = (tags) => panelsOf(tags).length * (LEAST_HIGH + WIDE.between) + WIDE.top;

/** Paint `scene` {tags, axis, data, alarms, chosen} on a canvas of some size; `colour(name)` says the page's colours. */
export function paint(pen, { width, height }, scene, { colour, family }) {
  const side = sideOf(width);
  const panels = panelsOf(scene.tags);
  const each = (height - side.top - side.bottom + side.between) / panels.length;
  const right = Math.max(side.left + 1, width - side.right);
  const ticks = timeTicks(scene.axis, (right - side.left) / LABEL);
  panels.forEach((panel, at) => {
    const top = side.top + at * each;
    const box = { left: side.left, right, top, bottom: top + Math.max(20, each - side.between) };
    const kit = kitOf(pen, box, panel, scene, { colour, family });
    frame(kit, panel, ticks, at === panels.length - 1);
    pen.save();
    pen.beginPath();
    pen.rect(box.left, box.top, right - box.left, box.bottom - box.top);
    pen.clip();
    for (const tag of panel) band(kit, tag);
    for (const tag of panel) line(kit, tag);
    for (const alarm of scene.alarms) if (panel.includes(alarm.tag)) mark(kit, alarm);
    pen.restore();
    limits(kit, panel);
  });
}

/** Return what every part of a panel is painted with: where a moment and a value are, and the rows in view. */
function kitOf(pen, box, panel, scene, { colour, family }) {
  const [from, to] = scene.axis;
  const [low, high] = endsOf(panel, scene.data);
  const across = (box.right - box.left) / (to - from);
  const up = (box.bottom - box.top) / (high - low);
  const rows = new Map(panel.map((tag) => [tag, inView(scene.data?.series.get(tag) || [], scene.axis)]));
  const [x, y] = [(t) => box.left + (t - from) * across, (value) => box.bottom - (value - low) * up];
  return { pen, box, scene, colour, rows, x, y, ends: [low, high], font: (size, weight = "") => `${weight} ${size}px ${family}` };
}

/** Return the ends of a panel's values: of its states, or round ones around all rows and the limits that are near. */
function endsOf(panel, data) {
  const { states } = layout.signals[panel[0]];
  if (states) return [-0.2, Math.max(1, states.length - 1) + 0.2];
  const held = { min: Infinity, max: -Infinity };
  for (const tag of panel) {
    for (const row of data?.series.get(tag) || []) {
      if (row[1] === null) continue;
      if (row[2] < held.min) held.min = row[2];
      if (row[3] > held.max) held.max = row[3];
    }
  }
  const near = panel.flatMap((tag) => Object.values(layout.signals[tag].limits));
  return [lowEnd(near, held), highEnd(near, held)];
}

/** Return the rows from the last before a range to the first behind it. */
function inView(rows, [from, to]) {
  return rows.slice(Math.max(0, placeOf(rows, from) - 1), placeOf(rows, to) + 1);
}

function frame({ pen, box, scene: { axis }, colour, x, y, ends, font }, panel, ticks, isLast) {
  const { states, unit } = layout.signals[panel[0]];
  const { values, digits } = states ? { values: states.map((_, at) => at), digits: 0 } : valueTicks(ends, (box.bottom - box.top) / ROW);
  pen.strokeStyle = colour("line");
  pen.lineWidth = 1;
  pen.globalAlpha = 0.6;
  pen.beginPath();
  const crisp = (pixels) => Math.round(pixels) + 0.5;
  for (const t of ticks) rule(pen, [crisp(x(t)), box.top], [crisp(x(t)), box.bottom]);
  for (const value of values) rule(pen, [box.left, crisp(y(value))], [box.right, crisp(y(value))]);
  pen.stroke();
  pen.globalAlpha = 1;
  pen.beginPath();
  rule(pen, [box.left, crisp(box.bottom)], [box.right, crisp(box.bottom)]);
  pen.stroke();
  pen.fillStyle = colour("text");
  pen.font = font(13);
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  const said = states ? (value) => states[value] : (value) => value.toFixed(digits);
  for (const value of values) pen.fillText(fitting(pen, said(value), box.left - 12), box.left - 8, y(value));
  pen.textAlign = "left";
  pen.fillText(fitting(pen, states ? panel[0] : unit, box.right - 6), 6, box.top - 12);
  if (!isLast) return;
  pen.textAlign = "center";
  pen.textBaseline = "top";
  const label = labelFor(axis[1] - axis[0]);
  for (const t of ticks) label(t).forEach((text, row) => pen.fillText(text, x(t), box.bottom + 5 + 13 * row));
}

function rule(pen, from, to) {
  pen.moveTo(...from);
  pen.lineTo(...to);
}

/** Return a text as far as it fits. */
function fitting(pen, text, width) {
  if (pen.measureText(text).width <= width) return text;
  let size = text.length;
  while (size > 1 && pen.measureText(`${text.slice(0, size)}…`).width > width) size -= 1;
  return `${text.slice(0, size)}…`;
}

function line({ pen, scene, rows, x, y }, tag) {
  const { color, type } = lookOf(scene.tags.indexOf(tag));
  const stepped = Boolean(layout.signals[tag].states);
  const mine = rows.get(tag);
  pen.strokeStyle = pen.fillStyle = color;
  pen.lineWidth = 1.8;
  pen.lineJoin = "round";
  pen.setLineDash(DASHES[type]);
  pen.beginPath();
  let before = null; // The height of the point before, null after a gap.
  for (const [t, value] of mine) {
    const at = x(t);
    if (stepped && before !== null) pen.lineTo(at, before);
    if (value !== null && before === null) pen.moveTo(at, y(value));
    else if (value !== null) pen.lineTo(at, y(value));
    before = value === null ? null : y(value);
  }
  pen.stroke();
  pen.setLineDash([]);
  mine.forEach(([t, value], place) => {
    if (isLonely(mine, place)) disc(pen, x(t), y(value));
  });
}

// A point between two gaps makes no line.
const isLonely = (rows, place) => rows[place][1] !== null && (rows[place - 1]?.[1] ?? null) === null && (rows[place + 1]?.[1] ?? null) === null;

function disc(pen, x, y) {
  pen.beginPath();
  pen.arc(x, y, 2.5, 0, TAU);
  pen.fill();
}

/** Paint from the least to the greatest of each window, one shape for each stretch without a gap. */
function band({ pen, scene, rows, x, y }, tag) {
  const mine = rows.get(tag);
  if (!mine.some((row) => row[2] !== row[3])) return;
  pen.fillStyle = lookOf(scene.tags.indexOf(tag)).color;
  pen.globalAlpha = 0.24;
  pen.beginPath();
  for (let begin = 0, end = 0; begin < mine.length; begin = end + 1) {
    end = begin;
    while (end < mine.length && mine[end][1] !== null) end += 1;
    if (end - begin < 2) continue;
    for (let at = begin; at < end; at += 1) pen[at === begin ? "moveTo" : "lineTo"](x(mine[at][0]), y(mine[at][3]));
    for (let at = end - 1; at >= begin; at -= 1) pen.lineTo(x(mine[at][0]), y(mine[at][2]));
    pen.closePath();
  }
  pen.fill();
  pen.globalAlpha = 1;
}

/** Paint an alarm: its time tinted from top to bottom, its priority's symbol where it began. */
function mark({ pen, box, colour, x, font }, { priority, from, to }) {
  const [begun, end] = [x(from), to === null ? box.right : x(to)];
  const left = Math.max(box.left, begun);
  pen.fillStyle = colour(priority);
  pen.globalAlpha = 0.12;
  if (end >= box.left && begun <= box.right) pen.fillRect(left, box.top, Math.max(1, Math.min(box.right, end) - left), box.bottom - box.top);
  pen.globalAlpha = 1;
  if (begun < box.left || begun > box.right) return;
  pen.save();
  pen.translate(begun - MARK / 2, box.top);
  pen.scale(MARK / 20, MARK / 20);
  pen.fill(new Path2D(SHAPES[priority]));
  pen.restore();
  pen.fillStyle = colour(`on-${priority}`);
  pen.font = font(11, "bold");
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(String(PRIORITIES.indexOf(priority) + 1), begun, box.top + MARK / 2);
}

function limits({ pen, box, scene, colour, y, ends, font }, panel) {
  const shown = limitsOf(panel, scene.chosen).filter(([, limit]) => limit >= ends[0] && limit <= ends[1]);
  for (const [name, limit] of shown) {
    const severe = name.length > 1;
    pen.strokeStyle = colour(severe ? "limit-severe" : "limit");
    pen.lineWidth = severe ? 2 : 1;
    pen.setLineDash([4, 4]);
    pen.beginPath();
    rule(pen, [box.left, y(limit)], [box.right, y(limit)]);
    pen.stroke();
  }
  pen.setLineDash([]);
  pen.font = font(12);
  pen.fillStyle = colour("text");
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  const labels = shown.map(([name, limit]) => ({ text: `${name} ${limit}`, at: y(limit) }));
  for (const { text, at } of apart(labels, box)) pen.fillText(fitting(pen, text, RIGHT_TEXT), box.right + 4, at);
}

/** Return labels from top to bottom with none upon another: each as near to its line as those above and below let it. */
export function apart(labels, { top, bottom }) {
  const placed = [...labels].sort((one, other) => one.at - other.at);
  placed.forEach((one, place) => (one.at = Math.max(one.at, place ? placed[place - 1].at + LINE : top)));
  let below = bottom + LINE;
  for (const one of placed.reverse()) below = one.at = Math.min(one.at, below - LINE);
  return placed;
}

/** Return [name, limit] of the limits that a panel shows. */
function limitsOf(panel, chosen) {
  const of = (tag) => Object.entries(layout.signals[tag].limits);
  const all = [...new Map(panel.flatMap(of).map((one) => [one.join(" "), one])).values()];
  if (panel.includes(chosen)) return of(chosen);
  return all.length <= FEW_LIMITS ? all : of(panel[0]);
}
