// What the station says now: the newest value of each signal, how good it is, and the station's clock.

import { layout } from "./dom.js";

const values = new Map(); // tag -> [value, quality, t]
let base = { t: 0, at: performance.now() };
let speed = 1;

/** Take a stream's values; returns the tags that changed. */
export function takeValues(news, whole) {
  if (whole) values.clear();
  for (const [tag, held] of Object.entries(news)) values.set(tag, held);
  return whole ? Object.keys(layout.signals) : Object.keys(news);
}

export const valueOf = (tag) => values.get(tag);

/** Set the station's clock: it was `t` just now. */
export function setClock(t, newSpeed = speed) {
  speed = newSpeed;
  base = { t, at: performance.now() };
}

export const speedNow = () => speed;
export const stationNow = () => base.t + (performance.now() - base.at) * speed;

/** Return "good", "uncertain", "bad", "stale" or "none" (never heard). */
export function qualityOf(tag) {
  const held = values.get(tag);
  if (!held) return "none";
  const kind = held[1].split(":", 1)[0];
  if (kind === "bad" || held[0] === null) return "bad";
  // At many times real speed a second of the stream is many of the station.
  if (stationNow() - held[2] > layout.signals[tag].stale_s * 1000 + 2000 * speed) return "stale";
  return kind;
}

const worst = ["good", "uncertain", "stale", "bad", "none"];
const worse = (one, other) => (worst.indexOf(one) > worst.indexOf(other) ? one : other);

/** Return a number with the signal's digits, or the name of its state. */
export function shown(tag, value, digits = layout.signals[tag].digits) {
  const { states } = layout.signals[tag];
  if (states) return states[value] ?? String(value);
  return value.toFixed(digits).replace(/^-(0(\.0+)?)$/, "$1"); // no "-0"
}

const BLANK = { text: "–", unit: "", quality: "good", abnormal: false };

/** Return what a row of a tile shows now: {text, unit, quality, abnormal, tag}. */
export function evaluate(row) {
  if (row.tags) return row.show === "max" ? highest(row) : anyOf(row);
  const held = values.get(row.tag);
  if (row.only && !row.only.states.includes(values.get(row.only.tag)?.[0])) return { ...BLANK, tag: row.tag };
  if (row.since) return given(row, held);
  if (!held || held[0] === null) return { ...BLANK, quality: qualityOf(row.tag), tag: row.tag };
  const [value] = held;
  const text = row.words ? (row.words[value] ?? String(value)) : shown(row.tag, value);
  const unit = row.words ? "" : layout.signals[row.tag].unit;
  const abnormal = (row.abnormal || layout.signals[row.tag].abnormal || []).includes(value);
  return { text, unit, quality: qualityOf(row.tag), abnormal, tag: row.tag, value };
}

function highest(row) {
  let top = null;
  let quality = "good";
  for (const tag of row.tags) {
    const held = values.get(tag);
    quality = worse(quality, qualityOf(tag));
    if (held && held[0] !== null && (top === null || held[0] > values.get(top)[0])) top = tag;
  }
  if (top === null) return { ...BLANK, quality: "none", tag: row.tags[0] };
  const { unit } = layout.signals[top];
  return { text: shown(top, values.get(top)[0]), unit, quality, abnormal: false, tag: top };
}

function anyOf(row) {
  let quality = "good";
  let tripped = null;
  for (const tag of row.tags) {
    quality = worse(quality, qualityOf(tag));
    if ((row.abnormal || []).includes(values.get(tag)?.[0])) tripped = tag;
  }
  if (quality === "none" && !tripped) return { ...BLANK, quality, tag: row.tags[0] };
  return { text: row.words[tripped ? 1 : 0], unit: "", quality, abnormal: tripped !== null, tag: tripped || row.tags[0] };
}

// A fill's kilograms are the rise of its counter since the truck was connected.
const begun = new Map(); // state tag -> {base: kg or null}

function given(row, held) {
  const state = values.get(row.since.tag)?.[0];
  if (!row.since.states.includes(state)) {
    begun.delete(row.tag);
    return { ...BLANK, tag: row.tag };
  }
  const { unit } = layout.signals[row.tag];
  if (!begun.has(row.tag)) begun.set(row.tag, fillStarts ? held?.[0] ?? null : null);
  const from = begun.get(row.tag);
  if (from === null || !held || held[0] === null) return { ...BLANK, quality: qualityOf(row.tag), tag: row.tag };
  return { text: shown(row.tag, Math.max(0, held[0] - from)), unit, quality: qualityOf(row.tag), abnormal: false, tag: row.tag };
}

let fillStarts = false; // Fills that were under way when the page came began before what it has heard.

/** Tell the counter at the start of fills under way; from now on every start is heard. */
export function setFillStarts(starts) {
  for (const [tag, kg] of Object.entries(starts)) begun.set(tag, kg);
  fillStarts = true;
}
