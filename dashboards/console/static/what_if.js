// What if: the forecast as it is beside the forecast with units away, trailers later, more trucks, heat, another day's plan.

import { ask, byId, context, dayOf, make, minuteTime, setText, stationPath, word } from "./dom.js";
import { loadPlan } from "./day.js";
import { stationNow } from "./numbers.js";
import { figuresOf } from "./outlook_figures.js";
import { verdictOf } from "./verdict.js";

/** Begin. */
export function startWhatIf() {
  byId("what-if-form").addEventListener("submit", compare);
}

async function compare(event) {
  event.preventDefault();
  const note = byId("what-if-note");
  note.className = "muted";
  setText(note, word("comparing"));
  const began = performance.now();
  try {
    const body = await changes(new FormData(event.target));
    const { base, what_if: then } = await ask(stationPath("/capacity/what-if"), { method: "POST", body, timeoutMs: 20000 });
    showTable(base, then);
    setText(note, word("compared", ((performance.now() - began) / 1000).toFixed(2)));
  } catch (error) {
    note.className = "problem";
    setText(note, word("failed", error.message));
  }
}

async function changes(form) {
  const body = {};
  const number = (name) => (form.get(name) === "" ? null : Number(form.get(name)));
  if (form.getAll("remove").length) body.remove = form.getAll("remove");
  if (number("delay")) body.delay_trailers_min = number("delay");
  if (number("add")) body.add_trucks = number("add");
  if (number("ambient") !== null) body.ambient_c = number("ambient");
  if (form.get("day")) body.plan = await otherPlan(form.get("day"));
  return body;
}

/** Return another day's plan, moved to today. */
async function otherPlan(date) {
  const plan = await loadPlan(date);
  if (!plan) throw new Error(word("what_if_no_plan", date));
  const shift = Date.parse(dayOf(stationNow())) - Date.parse(date);
  return {
    trucks: plan.trucks.map(({ id, time, kg }) => ({ id, time: time + shift, kg })),
    trailers: plan.trailers.map(({ id, eta, kg, bay }) => ({ id, eta: eta + shift, kg, bay })),
  };
}

/** Return [[label, text, level]] of a forecast, as it was to be judged at `now`. */
export function forecastRows(forecast, now) {
  const figures = figuresOf(forecast, now);
  const { level, text } = verdictOf(forecast, now);
  const { p50, p90 } = forecast.shortfall_kg;
  const row = (label, name) => [word(label), [figures[name].big, figures[name].sub].filter(Boolean).join(" · "), figures[name].level];
  return [
    [word("row_answer"), text, level === "good" ? "" : level],
    row("probability", "chance"),
    [word("row_short"), `${Math.round(p50)} / ${Math.round(p90)}`, p50 >= 40 ? "bad" : ""],
    [word("row_short_at"), forecast.shortfall_at ? minuteTime(Date.parse(forecast.shortfall_at)) : word("never"), ""],
    row("by_close", "by-close"),
    row("trucks_servable", "servable"),
    row("bottleneck", "bottleneck"),
    row("next_trailer", "next-trailer"),
    row("n_minus_1", "reserve"),
    row("queue_wait", "queue"),
    [word("row_advice"), forecast.advice[context.language], ""],
  ];
}

function showTable(base, then) {
  const now = Date.parse(base.at);
  const others = forecastRows(then, Date.parse(then.at));
  const rows = forecastRows(base, now).map(([label, value, level], at) => {
    const [, other, otherLevel] = others[at];
    return make("tr", {}, make("th", { scope: "row" }, label), cell(value, level), cell(other, otherLevel, value !== other));
  });
  const top = make("tr", {}, make("td"), make("th", { scope: "col" }, word("as_is")), make("th", { scope: "col" }, word("then")));
  byId("what-if-table").replaceChildren(make("thead", {}, top), make("tbody", {}, ...rows));
  byId("what-if-table").hidden = false;
}

const cell = (text, level, changed = false) => make("td", { "data-level": level || "", class: changed ? "changed" : null }, text);
