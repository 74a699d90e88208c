// Where the axes of a trend have their lines, and what is written there.

import { clockTime, dayOf, minuteTime } from "./dom.js";
import { local, real } from "./chart_axis.js";

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60000, 3600000, 86400000];
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 3, 7, 14].map((count) => count * DAY),
];
const MONTHS = [1, 2, 3, 6, 12];
const MONTH = 30.44 * DAY;
const MONDAY = 4 * DAY; // The epoch began on a Thursday.

/** Return moments within [from, to] at round times of the station's clock, at most `most` of them where that can be. */
export function timeTicks([from, to], most) {
  const step = STEPS.find((one) => (to - from) / one <= most);
  if (!step) return monthTicks([from, to], MONTHS.find((one) => (to - from) / (one * MONTH) <= most) ?? 12);
  const ticks = [];
  const base = step < 7 * DAY ? 0 : MONDAY;
  for (let at = base + Math.ceil((local(from) - base) / step) * step; at <= local(to); at += step) ticks.push(real(at));
  return ticks;
}

function monthTicks([from, to], step) {
  const begin = new Date(local(from));
  const ticks = [];
  for (let month = begin.getUTCMonth() - (begin.getUTCMonth() % step); ; month += step) {
    const t = real(Date.UTC(begin.getUTCFullYear(), month, 1));
    if (t > to) return ticks;
    if (t >= from) ticks.push(t);
  }
}

/** Return what writes a moment of an axis that is `span` long, as lines. */
export function labelFor(span) {
  if (span > 400 * DAY) return (t) => [dayOf(t).slice(0, 7)];
  if (span > 10 * DAY) return (t) => [dayOf(t).slice(5)];
  if (span > DAY) return (t) => [dayOf(t).slice(5), minuteTime(t)];
  if (span > 10 * MINUTE) return (t) => [minuteTime(t)];
  return (t) => [clockTime(t)];
}

/** Return {values, digits}: round numbers within [low, high], about `wanted` of them, and the digits they need. */
export function valueTicks([low, high], wanted) {
  const rough = (high - low) / Math.max(1, wanted);
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find((one) => one * unit >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const values = [];
  for (let at = first; at * step <= high + 1e-9 * step; at += 1) values.push(at * step);
  return { values, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}
