// The past of the signals in view: windows with their mean, least and greatest, all signals in one answer, kept a while.

import { ask, layout, stationPath } from "./dom.js";

// Whole minutes from one on, which the store has worked out beforehand. [ms, as the API says it]
const LADDER = [
  [1000, "1s"], [5000, "5s"], [15000, "15s"], [60000, "1m"], [120000, "2m"], [300000, "5m"], [600000, "10m"], [900000, "15m"],
  [1800000, "30m"], [3600000, "1h"], [7200000, "2h"], [14400000, "4h"], [43200000, "12h"], [86400000, "24h"],
];
const RAW_MS = 600000; // Ten minutes of a reading a second are 600 points a line.
const MOST_POINTS = 800; // A window is two pixels of a wide screen.
const MINUTE = LADDER.findIndex(([ms]) => ms === 60000);
const KEPT = 24; // Answers: a way into a month and back again.
const YOUNG_MS = 60000; // So long nobody asks again: late data shows within a minute.

let held = []; // What was answered, the newest first: {window, from, to, at, series}

/** Return how a range is asked for: {ms, every}, `every` null for every reading. */
export function windowFor(span) {
  if (span <= RAW_MS) return { ms: 1000, every: null };
  return stepAt(LADDER.findIndex(([ms]) => span / ms <= MOST_POINTS));
}

const stepAt = (at) => ({ ms: LADDER.at(at)[0], every: LADDER.at(at)[1] });

/**
 * Return at once what is held of a range: {data, whole}, null where nothing is. `data` is {from, to, window, series: Map
 * tag -> [[t, mean or last or null, least, greatest, quality]]}; `whole` says that asking would bring nothing new.
 */
export function heldOf(tags, range) {
  const wanted = windowFor(range[1] - range[0]);
  const covers = held.filter((one) => one.from <= range[0] && one.to + one.window.ms >= range[1] && tags.every((tag) => one.series.has(tag)));
  const best = covers.sort((one, other) => Math.abs(Math.log(one.window.ms / wanted.ms)) - Math.abs(Math.log(other.window.ms / wanted.ms)))[0];
  if (!best) return null;
  const same = best.window.every === wanted.every;
  return { data: within(best, tags, range), whole: same && performance.now() - best.at < YOUNG_MS };
}

/** Return the part of an answer that lies in a range. */
function within({ window, series }, tags, [from, to]) {
  const part = (rows) => rows.slice(Math.max(0, placeOf(rows, from - window.ms)), placeOf(rows, to));
  return { from, to, window, series: new Map(tags.map((tag) => [tag, part(series.get(tag))])) };
}

/** Ask for a range and keep the answer; returns data as `heldOf`. */
export async function loadRange(tags, [from, to], signal) {
  let window = windowFor(to - from);
  let series = await read(tags, [from, to], window, signal);
  if (window.ms < 60000 && tags.length && [...series.values()].every((rows) => !rows.length)) {
    window = stepAt(Math.max(MINUTE, LADDER.findIndex(([ms]) => (to - from) / ms <= MOST_POINTS))); // Readings have gone, minutes are there.
    series = await read(tags, [from, to], window, signal);
  }
  const data = { from, to, window, series };
  const kept = { ...data, at: performance.now() };
  held = [kept, ...held.filter((one) => one.window.every !== window.every || one.from < from || one.to > to || !tags.every((tag) => one.series.has(tag)))].slice(0, KEPT);
  return within(kept, tags, [from, to]);
}

async function read(tags, range, window, signal) {
  if (!tags.length) return new Map();
  const found = window.every ? await windows(tags, range, window, signal) : await readings(tags, range, signal);
  return new Map(tags.map((tag) => [tag, withGaps(found.get(tag), window, layout.signals[tag].stale_s * 1000)]));
}

const asked = (tags, [from, to]) => `${tags.map((tag) => `signal=${encodeURIComponent(tag)}`).join("&")}&start=${Math.floor(from)}&end=${Math.ceil(to)}`;

async function windows(tags, range, { every }, signal) {
  const { t, every_ms: step, series } = await ask(stationPath(`/trends?${asked(tags, range)}&every=${every}`), { signal, timeoutMs: 30000 });
  return new Map(series.map((one) => [one.signal, rowsOf(one, t, step)]));
}

function rowsOf({ mean, min, max, last, doubts }, t, step) {
  const [middle, least, greatest] = mean ? [mean, min, max] : [last, last, last];
  const rows = [];
  const texts = new Map(); // Of windows that are not good.
  for (const [first, count, text] of doubts) for (let at = first; at < first + count; at += 1) texts.set(at, text);
  for (let at = 0; at < middle.length; at += 1) {
    const text = texts.get(at);
    if (middle[at] !== null || text) rows.push([t + at * step, middle[at], least[at], greatest[at], text ?? "good"]);
  }
  return rows;
}

async function readings(tags, range, signal) {
  const found = new Map(tags.map((tag) => [tag, []]));
  let cursor = "";
  do {
    const path = `/readings?${asked(tags, range)}&aggregate=raw&limit=10000${cursor}`;
    const { series, next_cursor: next } = await ask(stationPath(path), { signal, timeoutMs: 30000 });
    for (const { signal: tag, points } of series) for (const [t, value, quality] of points) found.get(tag).push([t, value, value, value, quality]);
    cursor = next === null ? "" : `&cursor=${next}`;
  } while (cursor);
  return found;
}

/** Break the line where nothing came or nothing good: a gap is not drawn as if it had been a steady value. */
function withGaps(points, { ms }, staleMs) {
  const longest = Math.max(3 * ms, staleMs, 3 * usualStep(points));
  const rows = [];
  let last = null;
  for (const row of points) {
    if (last && row[0] - last[0] > longest) rows.push([last[0] + ms, null, null, null, "none"]);
    last = row[4].startsWith("bad") ? [row[0], null, null, null, row[4]] : row;
    rows.push(last);
  }
  return rows;
}

/** Return the median time between points: a history that was filled in by the minute is no row of gaps. */
function usualStep(points) {
  const steps = points.slice(1).map(([t], at) => t - points[at][0]).sort((one, other) => one - other);
  return steps[Math.floor(steps.length / 2)] ?? 0;
}

/** Put what the stream says behind the line. */
export function addNewest(data, tag, [value, quality, t]) {
  const rows = data.series.get(tag);
  if (!rows || t <= (rows.at(-1)?.[0] ?? 0)) return;
  rows.push(...withGaps([[t, value, value, value, quality]], data.window, 0));
}

/** Return the place of the first row later than a moment. */
export function placeOf(rows, t) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle][0] <= t) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Return the row that holds at a moment: the newest that began before, null in a gap or before all. */
export function rowAt(data, tag, t) {
  const rows = data?.series.get(tag) ?? [];
  const next = placeOf(rows, t);
  const row = rows[next - 1]; // Gaps have rows of their own; behind the last one a value holds until it is stale.
  const holds = next < rows.length || (row && t - row[0] <= Math.max(3 * data.window.ms, layout.signals[tag].stale_s * 1000));
  return row && holds && row[4] !== "none" ? row : null;
}
