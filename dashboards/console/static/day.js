// The station's day in kilograms: its plan, and what the dispensers' counters say was given.

import { ask, layout, stationPath } from "./dom.js";
import { stationNow, valueOf } from "./numbers.js";

const STEP_MS = 600000;

/** Return a time of the API in ms: it may be a text or a number. */
export const momentOf = (text) => (typeof text === "number" ? text : Date.parse(text));

/** Return a day's plan with times in ms, each list by time; null where there is none. */
export async function loadPlan(date) {
  const body = await ask(stationPath(`/plan/${date}`)).catch(() => null);
  if (body === null) return null;
  const trucks = body.trucks.map(({ id, time, kg }) => ({ id, time: momentOf(time), kg })).sort((one, other) => one.time - other.time);
  const trailers = body.trailers.map(({ id, eta, kg, bay }) => ({ id, eta: momentOf(eta), kg, bay })).sort((one, other) => one.eta - other.eta);
  return { date, source: body.source, trucks, trailers };
}

/** Return {past: [[t, kg since start]], counters: tag -> kg at the start}, null where nothing counts. */
export async function loadGiven(start) {
  if (!layout.totals.length) return null;
  const query = layout.totals.map((tag) => `signal=${encodeURIComponent(tag)}`).join("&");
  const end = Math.floor(stationNow()) + 1;
  const body = await ask(stationPath(`/readings?${query}&start=${start - STEP_MS}&end=${end}&every=10m&aggregate=last`));
  const sums = new Map();
  const counters = {};
  for (const { signal, points } of body.series) {
    const known = points.filter(([, value]) => value !== null);
    if (!known.length) continue;
    counters[signal] = known[0][1];
    addSteps(sums, known, start, end);
  }
  return { past: [...sums].sort(([one], [other]) => one - other), counters };
}

/** Add a counter's rise to the sum at the end of each window; a window without a reading keeps the last one. */
function addSteps(sums, known, start, end) {
  let at = 0;
  for (let t = start; t < end; t += STEP_MS) {
    while (at + 1 < known.length && known[at + 1][0] + STEP_MS <= t) at += 1;
    sums.set(t, (sums.get(t) || 0) + Math.max(0, known[at][1] - known[0][1]));
  }
}

/** Return kilograms since the start by the counters as they stand now, null where they are not known. */
export function givenNow(counters) {
  if (!counters) return null;
  let kg = 0;
  for (const [tag, start] of Object.entries(counters)) kg += Math.max(0, (valueOf(tag)?.[0] ?? start) - start);
  return kg;
}
