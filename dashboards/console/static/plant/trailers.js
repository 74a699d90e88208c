// Trailers: what stands at the bays, who comes and when, and the day's stays.

import { ask, byId, clockTime, context, draw, duration, fullTime, layout, make, minuteTime, setText, stationPath, word } from "../dom.js";
import { evaluate, stationNow } from "../numbers.js";
import { noteOf, rowOf, tableOf } from "../sheet_table.js";
import { showFigures } from "./figures.js";
import { numberOf, queryOf, startDay, startSheet } from "./sheet.js";

const FAR_KG = 25; // Two weighings on a scale of 20 kg steps, and the gas by pressure and temperature, agree within this.
const cards = new Map(); // bay -> elements
let now = null;
const { forecast } = context;

drawCards();
startSheet({ values: refresh, second: refresh });
startDay(load);

async function load(day, { today, isNewest }) {
  const found = await ask(stationPath(`/trailers${queryOf(day)}`), { timeoutMs: 60000 });
  if (!isNewest()) return;
  if (today) {
    now = found;
    showNow();
  }
  showStays(found.items);
}

function drawCards() {
  const made = Object.entries(layout.bays).map(([bay, name]) => {
    const state = make("span", { class: "state" });
    const fill = draw("rect", { class: "fill", x: 0, y: 0, width: 0, height: 14 });
    const bar = draw("svg", { class: "bar", viewBox: "0 0 200 14", preserveAspectRatio: "none", "aria-hidden": "true" }, draw("rect", { class: "track", x: 0, y: 0, width: 200, height: 14 }), fill);
    const [pressure, mass, flow] = [make("b"), make("span"), make("span", { class: "muted" })];
    const link = make("a", { href: `/console/units/trailer/${encodeURIComponent(bay)}?lang=${context.language}` }, name);
    cards.set(bay, { state, fill, pressure, mass, flow });
    return make("article", { class: "card", "data-bay": bay }, make("h3", {}, link, state), make("p", { class: "big-value" }, pressure), bar, make("p", {}, mass), flow);
  });
  byId("bay-cards").replaceChildren(...made);
}

function refresh() {
  for (const [bay, card] of cards) {
    const { state, pressure, flow } = layout.places[bay];
    const [said, level, gas] = [state, pressure, flow].map((tag) => evaluate({ tag }));
    setText(card.state, said.text);
    const isThere = said.value !== 0;
    const kind = `state ${layout.signals[state].working?.includes(said.value) ? "working" : "resting"}${said.quality === "good" ? "" : ` q-${said.quality}`}`;
    if (card.state.className !== kind) card.state.className = kind;
    setText(card.pressure, isThere && level.text !== "–" ? `${level.text} MPa` : "–");
    const share = isThere && level.value !== undefined ? Math.min(1, Math.max(0, (level.value - layout.floor_mpa) / (layout.full_mpa - layout.floor_mpa))) : 0;
    card.fill.setAttribute("width", (200 * share).toFixed(0));
    setText(card.flow, isThere && gas.text !== "–" ? `${word("flow")} ${gas.text} ${gas.unit}` : "");
  }
}

function showNow() {
  for (const { bay, kg, usable_kg: usable, since } of now.bays) {
    const card = cards.get(bay);
    if (card) setText(card.mass, kg === null ? word("since_time", minuteTime(Date.parse(since))) : `${numberOf(kg, 0)} kg, ${word("usable_kg", numberOf(usable, 0))}`);
  }
  const usable = now.bays.reduce((sum, { usable_kg: kg }) => sum + (kg ?? 0), 0);
  const next = now.expected[0];
  const overdue = now.expected.filter(({ overdue: late }) => late).length;
  const needed = forecast?.trailer_needed_by;
  showFigures(byId("trailer-figures"), [
    [word("trailer_usable"), `${numberOf(usable, 0)} kg`, word("at_bays", now.bays.filter(({ kg }) => kg !== null).length)],
    [word("trailer_yard"), now.yard === null ? "–" : String(now.yard), ""],
    [word("next_trailer"), next ? minuteTime(Date.parse(next.eta)) : "–", next ? countdown(next) : word("no_trailer"), overdue ? "bad" : ""],
    [word("trailer_needed"), needed ? minuteTime(Date.parse(needed)) : "–", needed ? "" : word("not_needed")],
  ]);
  const heads = ["trailer_id", "trailer_eta", "trailer_when", "trailer_kg"].map((key) => word(key));
  byId("expected-rows").replaceChildren(now.expected.length ? tableOf(heads, now.expected.map(expectedRow)) : noteOf(word("no_trailer")));
}

function countdown({ eta, late_minutes: late }) {
  const minutes = (Date.parse(eta) - stationNow()) / 60000;
  return minutes >= 0 ? word("trailer_in", duration(minutes)) : word("late_by", duration(Math.max(late, -minutes)));
}

function expectedRow(one) {
  const when = one.overdue ? make("span", { class: "odd" }, `! ${countdown(one)}`) : countdown(one);
  return rowOf([one.id, fullTime(one.eta).slice(0, 16), when, `${numberOf(one.kg, 0)} kg`], { "data-id": one.id });
}

function showStays(stays) {
  const heads = ["stay_bay", "stay_announced", "stay_weighed", "stay_late", "stay_open", "stay_left", "stay_brought", "stay_gas", "stay_scale", "stay_meter"].map((key) => word(key));
  byId("stay-rows").replaceChildren(stays.length ? tableOf(heads, stays.map(stayRow)) : noteOf(word("stays_none")));
}

const timeOf = (text) => (text ? clockTime(Date.parse(text)).slice(0, 5) : "–");

function stayRow(stay) {
  const far = stay.scale_kg !== null && stay.given_kg !== null && Math.abs(stay.scale_kg - stay.given_kg) > FAR_KG;
  const late = stay.late_minutes === null ? "–" : stay.late_minutes >= 1 ? `+${duration(stay.late_minutes)}` : stay.late_minutes <= -1 ? `−${duration(-stay.late_minutes)}` : word("on_time");
  const scale = numberOf(stay.scale_kg, 0);
  return rowOf([
    layout.bays[stay.bay] ?? stay.bay, timeOf(stay.announced), timeOf(stay.weighed ?? stay.docked), stay.late_minutes > 30 ? make("span", { class: "odd" }, `! ${late}`) : late,
    timeOf(stay.open), stay.left ? timeOf(stay.left) : word("still_here"), numberOf(stay.brought_kg, 0), numberOf(stay.given_kg, 0),
    far ? make("span", { class: "odd" }, `! ${scale}`) : scale, numberOf(stay.metered_kg, 0),
  ]);
}
