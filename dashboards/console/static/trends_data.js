// The past of the signals in view: means in windows, with the least and the greatest of each window behind them.

import { ask, layout, stationPath } from "./dom.js";

// Whole minutes from one on, which the store has worked out beforehand. [ms, as the API says it]
const LADDER = [
  [1000, "1s"], [5000, "5s"], [15000, "15s"], [60000, "1m"], [120000, "2m"], [300000, "5m"], [600000, "10m"], [900000, "15m"],
  [1800000, "30m"], [3600000, "1h"], [7200000, "2h"], [14400000, "4h"], [43200000, "12h"], [86400000, "24h"],
];
const RAW_MS = 600000; // Ten minutes of a reading a second are 600 points a line.
const MOST_POINTS = 800; // A window is two pixels of a wide screen.
const MINUTE = LADDER.findIndex(([ms]) => ms === 60000);

/** Return how a range is asked for: {ms, every}, `every` null for every reading. */
export function windowFor(span) {
  if (span <= RAW_MS) return { ms: 1000, every: null };
  return stepAt(LADDER.findIndex(([ms]) => span / ms <= MOST_POINTS));
}

const stepAt = (at) => ({ ms: LADDER.at(at)[0], every: LADDER.at(at)[1] });

/**
 * Load a range: `lines(data)` is told the lines first and then again with their bands; data is
 * {from, to, window, series: Map tag -> [[t, mean or null, least, greatest, quality]]}.
 */
export async function loadRange(tags, [from, to], signal, lines) {
  let window = windowFor(to - from);
  let series = await middles(tags, [from, to], window, signal);
  if (window.ms < 60000 && tags.length && [...series.values()].every((rows) => !rows.length)) {
    window = stepAt(Math.max(MINUTE, LADDER.findIndex(([ms]) => (to - from) / ms <= MOST_POINTS))); // Readings have gone, minutes are there.
    series = await middles(tags, [from, to], window, signal);
  }
  const data = { from, to, window, series };
  await lines(data);
  const wide = window.every ? tags.filter((tag) => !layout.signals[tag].states && series.get(tag).length) : [];
  if (!wide.length) return;
  const [least, greatest] = await Promise.all(["min", "max"].map((name) => query(wide, [from, to], window, name, signal)));
  for (const tag of wide) spread(series.get(tag), least.get(tag), greatest.get(tag));
  await lines(data);
}

async function middles(tags, range, window, signal) {
  const stepped = tags.filter((tag) => layout.signals[tag].states);
  const others = tags.filter((tag) => !layout.signals[tag].states);
  const how = (name) => (window.every ? name : "raw");
  const [some, more] = await Promise.all([query(others, range, window, how("mean"), signal), query(stepped, range, window, how("last"), signal)]);
  return new Map(tags.map((tag) => [tag, withGaps(some.get(tag) ?? more.get(tag), window, layout.signals[tag].stale_s * 1000)]));
}

async function query(tags, [from, to], { every }, aggregate, signal) {
  if (!tags.length) return new Map();
  const named = tags.map((tag) => `signal=${encodeURIComponent(tag)}`).join("&");
  const found = new Map(tags.map((tag) => [tag, []]));
  let cursor = "";
  do {
    const path = `/readings?${named}&start=${Math.floor(from)}&end=${Math.ceil(to)}&aggregate=${aggregate}&limit=10000${every ? `&every=${every}` : ""}${cursor}`;
    const { series, next_cursor: next } = await ask(stationPath(path), { signal, timeoutMs: 30000 });
    for (const { signal: tag, points } of series) found.set(tag, found.get(tag).concat(points));
    cursor = next === null ? "" : `&cursor=${next}`;
  } while (cursor);
  return found;
}

/** Break the line where nothing came or nothing good: a gap is not drawn as if it had been a steady value. */
function withGaps(points, { ms }, staleMs) {
  const longest = Math.max(3 * ms, staleMs, 3 * usualStep(points));
  const rows = [];
  for (const [t, value, quality] of points) {
    const last = rows.at(-1);
    if (last && t - last[0] > longest) rows.push([last[0] + ms, null, null, null, "none"]);
    const good = quality.startsWith("bad") ? null : value;
    rows.push([t, good, good, good, quality]);
  }
  return rows;
}

/** Return the median time between points: a history that was filled in by the minute is no row of gaps. */
function usualStep(points) {
  const steps = points.slice(1).map(([t], at) => t - points[at][0]).sort((one, other) => one - other);
  return steps[Math.floor(steps.length / 2)] ?? 0;
}

function spread(rows, least, greatest) {
  const [low, high] = [least, greatest].map((points) => new Map(points.map(([t, value]) => [t, value])));
  for (const row of rows) {
    if (row[1] === null) continue;
    row[2] = low.get(row[0]) ?? row[1];
    row[3] = high.get(row[0]) ?? row[1];
  }
}

/** Put what the stream says behind the line. */
export function addNewest(data, tag, [value, quality, t]) {
  const rows = data.series.get(tag);
  if (!rows || t <= (rows.at(-1)?.[0] ?? 0)) return;
  rows.push(...withGaps([[t, value, quality]], data.window, 0));
}

/** Return the row that holds at a moment: the newest that began before, null in a gap or before all. */
export function rowAt(data, tag, t) {
  const rows = data?.series.get(tag) ?? [];
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle][0] <= t) low = middle + 1;
    else high = middle;
  }
  const row = rows[low - 1]; // Gaps have rows of their own; behind the last one a value holds until it is stale.
  const holds = low < rows.length || (row && t - row[0] <= Math.max(3 * data.window.ms, layout.signals[tag].stale_s * 1000));
  return row && holds && row[4] !== "none" ? row : null;
}
