// Alarm priorities drawn by shape, number and colour together, and which alarm stands at which signal or unit.

import { draw, layout, word } from "./dom.js";

export const PRIORITIES = ["critical", "high", "medium", "low"];
/** Each priority's outline in a square of 20. */
export const SHAPES = {
  critical: "M1 1h18v18h-18z",
  high: "M10 0.5L19.5 19H0.5z",
  medium: "M0.5 1H19.5L10 19.5z",
  low: "M10 0.5L19.5 10L10 19.5L0.5 10z",
};
const TEXT_Y = { critical: 15, high: 17, medium: 12.5, low: 14.5 };

/** Return the symbol of a priority: full and flashing until acknowledged. */
export function symbol(priority, acked = true) {
  const number = draw("text", { x: 10, y: TEXT_Y[priority], "text-anchor": "middle" }, String(PRIORITIES.indexOf(priority) + 1));
  const shape = draw("path", { d: SHAPES[priority] });
  const title = draw("title", {}, word(priority));
  return draw("svg", { class: `symbol ${priority} ${acked ? "acked" : "unacked"}`, viewBox: "0 0 20 20", role: "img", "aria-label": word(priority) }, title, shape, number);
}

const bySignal = new Map();
const byUnit = new Map();

/** Return a number that is lower for what is to be looked at first. */
export const weight = (alarm) => PRIORITIES.indexOf(alarm.priority) * 2 + (alarm.acked ? 1 : 0);

/** Take the alarms that stand now. */
export function takeStanding(alarms) {
  bySignal.clear();
  byUnit.clear();
  for (const alarm of alarms) {
    const signal = layout.signals[alarm.signal];
    if (!signal || !alarm.active) continue;
    keep(bySignal, alarm.signal, alarm);
    keep(byUnit, signal.at, alarm);
  }
}

function keep(map, key, alarm) {
  const held = map.get(key);
  if (!held || weight(alarm) < weight(held)) map.set(key, alarm);
}

const first = (map, keys) =>
  keys.map((key) => map.get(key)).filter(Boolean).sort((one, other) => weight(one) - weight(other))[0];

export const alarmOf = (tags) => first(bySignal, tags);
export const alarmAt = (units) => first(byUnit, units);
