// Whether today's trucks can be fuelled: the forecast in figures, and the day's kilograms against the plan.

import { loadGiven, loadPlan, givenNow } from "./day.js";
import { ask, byId, context, dayOf, dayStart, draw, duration, minuteTime, setText, stationPath, unbroken, word } from "./dom.js";
import { stationNow } from "./numbers.js";
import { OLD_MS, chanceLevel, verdictOf } from "./verdict.js";

let forecast = context.forecast ?? null; // The page brings the newest one, so that it is painted at once.
let plan = null; // {date, trucks: [{time, kg}], trailers: [{id, eta, kg}]} with times in ms
let past = []; // [t, kg dispensed since midnight]
let countersAtStart = null; // tag -> kg at the start of the day

/** Load the forecast, the plan and the day so far. */
export async function loadCapacity() {
  const newest = newestForecast().then((found) => {
    forecast = found ?? forecast;
    showCapacity();
  });
  await Promise.allSettled([newest, renewPlan(), loadPast()]);
  showCapacity();
}

/** Return the newest forecast, null before the first: a young station is no error. */
async function newestForecast() {
  for (const backMs of [OLD_MS, 86400000]) {
    const { items } = await ask(stationPath(`/capacity/history?start=${Math.floor(stationNow()) - backMs}`));
    if (items.length) return items.at(-1);
  }
  return null;
}

/** Take a new forecast. */
export function takeForecast(news) {
  forecast = news;
  showCapacity();
  renewPlan().then(showCapacity, () => {}); // An ETA may have been corrected.
}

async function renewPlan() {
  plan = (await loadPlan(dayOf(stationNow()))) ?? plan;
}

async function loadPast() {
  const given = await loadGiven(dayStart(stationNow()));
  if (given) ({ past, counters: countersAtStart } = given);
}

function figure(id, big, sub = "", level = "") {
  const node = byId(id);
  setText(node.querySelector(".big"), unbroken(big));
  setText(node.querySelector(".sub"), unbroken(sub));
  if (node.dataset.level !== level) node.dataset.level = level;
}

/** Show the forecast and what has been dispensed; call it each second. */
export function showCapacity() {
  const now = stationNow();
  if (plan && plan.date !== dayOf(now)) dayChanged();
  showDispensed(now);
  if (!forecast) return;
  setText(byId("forecast-at"), word("forecast_of", minuteTime(Date.parse(forecast.at))));
  showVerdict();
  const { trucks_servable: servable, plan: day, done } = forecast;
  figure("trucks", `${round(done.trucks)} / ${round(day.trucks)}`);
  const toCome = word("trucks_to_come", Math.max(0, round(day.trucks - done.trucks)));
  figure("servable", `${round(servable.p50)}`, `${word("p_range", round(servable.p10), round(servable.p90))} · ${toCome}`);
  const chance = forecast.shortfall_probability;
  figure("chance", `${Math.round(chance * 100)} %`, "", chanceLevel(chance));
  const { p50, p90 } = forecast.shortfall_kg;
  figure("kg-short", `${round(p50)} / ${round(p90)}`, "", p50 >= 40 ? "bad" : p90 >= 40 ? "warn" : "");
  const none = forecast.bottleneck === "none";
  figure("bottleneck", none ? word("bottleneck_none") : word(sectionOf(forecast.bottleneck)), "", none ? "" : "warn");
  showTrailer(now);
  showQueue();
}

const round = (value) => Math.round(value);
const sectionOf = (bottleneck) => ({ trailers: "trailer" })[bottleneck] || bottleneck;

function dayChanged() {
  plan = null;
  past = [];
  countersAtStart = null;
  loadCapacity();
}

function showDispensed(now) {
  const planned = plan ? plan.trucks.reduce((sum, { time, kg }) => sum + (time <= now ? kg : 0), 0) : null;
  const total = forecast ? forecast.plan.kg : plan?.trucks.reduce((sum, { kg }) => sum + kg, 0);
  const done = givenNow(countersAtStart) ?? forecast?.done.kg;
  if (done === undefined || done === null) return;
  const sub = planned === null ? "" : `${word("plan_now")} ${round(planned)} kg`;
  figure("kg", `${round(done)} / ${total ? round(total) : "–"} kg`, sub);
  drawCurve(now, done, total || 0);
}

function showVerdict() {
  const { level, text, when } = verdictOf(forecast, stationNow());
  byId("verdict").dataset.level = level;
  setText(byId("verdict-text"), text);
  setText(byId("verdict-when"), when);
  setText(byId("advice"), level === "invalid" ? "" : forecast.advice[context.language]);
}

function showTrailer(now) {
  const neededBy = forecast.trailer_needed_by ? Date.parse(forecast.trailer_needed_by) : null;
  const need = neededBy === null ? word("not_needed") : word("needed_by", minuteTime(neededBy));
  const overdue = forecast.trailers_overdue || [];
  if (overdue.length) {
    const longest = Math.max(...overdue.map(({ minutes }) => minutes)) + (now - Date.parse(forecast.at)) / 60000;
    figure("next-trailer", word("overdue", duration(longest)), need, "bad");
    return;
  }
  const next = (plan?.trailers || []).find(({ eta }) => eta > now);
  if (!next) {
    figure("next-trailer", word("no_trailer"), need, neededBy === null ? "" : "warn");
    return;
  }
  const tooLate = neededBy !== null && next.eta > neededBy;
  figure("next-trailer", `${minuteTime(next.eta)}${tooLate ? ` ${word("too_late")}` : ""}`, need, tooLate ? "bad" : "");
}

function showQueue() {
  const input = forecast.inputs.find(({ signal }) => signal === "queue/gate");
  const { p50, p90 } = forecast.queue_wait_minutes;
  const length = input && input.value !== null ? String(round(input.value)) : "–";
  const inferred = input && input.quality !== "good" ? ` (${word("queue_inferred")})` : "";
  figure("queue", length + inferred, word("wait", round(p50), round(p90)), p90 >= 30 ? "warn" : "");
}

const EDGE = { left: 46, right: 10, top: 8, bottom: 22 };

function drawCurve(now, done, total) {
  const place = byId("curve");
  const width = place.clientWidth;
  const height = place.clientHeight;
  const key = `${width} ${height} ${Math.floor(now / 30000)} ${round(done / 5)} ${total} ${past.length} ${plan?.trucks.length}`;
  if (width < 60 || place.dataset.key === key) return;
  place.dataset.key = key;
  const start = dayStart(now);
  const top = niceTop(Math.max(total, done, 1));
  const x = (t) => EDGE.left + ((width - EDGE.left - EDGE.right) * (t - start)) / 86400000;
  const y = (kg) => height - EDGE.bottom - ((height - EDGE.top - EDGE.bottom) * kg) / top;
  const picture = draw("svg", { width, height, role: "img", "aria-label": word("curve") });
  picture.append(...axes(start, top, x, y, width), draw("path", { class: "planned", d: planPath(start, x, y) }));
  const points = [[start, 0], ...past.filter(([t]) => t < now), [now, done]];
  picture.append(draw("path", { class: "done", d: `M${points.map(([t, kg]) => `${x(t).toFixed(1)} ${y(kg).toFixed(1)}`).join("L")}` }));
  picture.append(draw("line", { class: "now", x1: x(now), x2: x(now), y1: EDGE.top, y2: height - EDGE.bottom }), ...legend());
  place.replaceChildren(picture);
}

const niceTop = (value) => Math.ceil(value / 1000) * 1000;

function axes(start, top, x, y, width) {
  const parts = [];
  for (let kg = 0; kg <= top; kg += top / (top > 4000 ? 2 : top / 1000)) {
    parts.push(draw("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y(kg), y2: y(kg) }));
    parts.push(draw("text", { x: EDGE.left - 6, y: y(kg) + 5, "text-anchor": "end" }, String(kg)));
  }
  for (let hour = 0; hour <= 24; hour += 6) {
    const anchor = hour === 24 ? "end" : hour === 0 ? "start" : "middle";
    parts.push(draw("text", { x: x(start + hour * 3600000), y: y(0) + 18, "text-anchor": anchor }, `${String(hour).padStart(2, "0")}:00`));
  }
  return parts;
}

function planPath(start, x, y) {
  let kg = 0;
  let path = `M${x(start)} ${y(0)}`;
  for (const truck of plan?.trucks || []) {
    kg += truck.kg;
    path += `L${x(Math.max(start, truck.time)).toFixed(1)} ${y(kg).toFixed(1)}`;
  }
  return plan ? `${path}H${x(start + 86400000).toFixed(1)}` : path;
}

function legend() {
  const left = EDGE.left + 10;
  return [
    draw("line", { class: "done", x1: left, x2: left + 24, y1: EDGE.top + 12, y2: EDGE.top + 12 }),
    draw("text", { x: left + 30, y: EDGE.top + 17 }, word("curve_done")),
    draw("line", { class: "planned", x1: left, x2: left + 24, y1: EDGE.top + 32, y2: EDGE.top + 32 }),
    draw("text", { x: left + 30, y: EDGE.top + 37 }, word("curve_plan")),
  ];
}
