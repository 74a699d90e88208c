// How an alarm is said and in which order: time, value against limit, what it still needs.

import { clockTime, dayOf, layout, minuteTime, word } from "./dom.js";
import { shown, stationNow } from "./numbers.js";
import { PRIORITIES } from "./symbols.js";

const HIDDEN = new Set(["SUPPRESSED", "SHELVED", "OUT_OF_SERVICE"]);
export const isHidden = (alarm) => HIDDEN.has(alarm.state);
export const needsAck = (alarm) => !alarm.acked && ["UNACK", "RTNUN", "LATCHED"].includes(alarm.state);

/** Compare two alarms: what is to be looked at first comes first. */
export function order(one, other) {
  const normal = Number(one.state === "NORM") - Number(other.state === "NORM"); // It only waits for a second person.
  const unacked = Number(needsAck(other)) - Number(needsAck(one));
  const priority = PRIORITIES.indexOf(one.priority) - PRIORITIES.indexOf(other.priority);
  return normal || priority || unacked || newest(one, other);
}

export const newest = (one, other) => Date.parse(other.raised_at || 0) - Date.parse(one.raised_at || 0);

/** Return a value of the alarm's signal with its unit. */
export function valueOfSignal(tag, value) {
  const { unit } = layout.signals[tag];
  return `${shown(tag, value)}${unit && ` ${unit}`}`;
}

/** Return "46.5 MPa, limit 46.0", empty where there is no value. */
export function valueAndLimit(alarm) {
  const signal = layout.signals[alarm.signal];
  if (!signal || alarm.value === null) return "";
  const value = valueOfSignal(alarm.signal, alarm.value);
  return alarm.limit === null || signal.states ? value : word("value_limit", value, shown(alarm.signal, alarm.limit));
}

/** Return when an alarm was raised: today's by the second. */
export function raisedAt(alarm) {
  const t = Date.parse(alarm.raised_at);
  if (Number.isNaN(t)) return "";
  return dayOf(t) === dayOf(stationNow()) ? clockTime(t) : `${dayOf(t).slice(5)} ${minuteTime(t)}`;
}
