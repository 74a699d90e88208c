// Looking back: what was known at a moment, and what a day's forecasts were worth.

import { ask, byId, clockTime, context, dayOf, duration, localMs, localText, make, minuteTime, stationPath, word } from "./dom.js";
import { stationNow } from "./numbers.js";
import { forecastRows } from "./what_if_table.js";

const DAY_MS = 86400000;
const HOUR_MS = 3600000;

/** Begin: an hour ago, and yesterday. */
export function startLookBack() {
  byId("known-at").value = localText(stationNow() - HOUR_MS);
  byId("score-day").value = dayOf(stationNow() - DAY_MS);
  byId("known").addEventListener("submit", (event) => answer(event, showKnown, byId("known-answer")));
  byId("score").addEventListener("submit", (event) => answer(event, showScore, byId("score-answer")));
  showYesterday().catch(() => {});
}

/** Show yesterday's scorecard where that day has any forecast: a new station has none, which is no error. */
async function showYesterday() {
  const start = localMs(`${byId("score-day").value}T00:00`);
  const { items } = await ask(stationPath(`/capacity/history?start=${start}&end=${start + DAY_MS}&limit=1`));
  if (items.length) await showScore(byId("score-answer"));
  else byId("score-answer").replaceChildren(make("p", { class: "muted" }, word("score_none")));
}

async function answer(event, show, place) {
  event.preventDefault();
  try {
    await show(place);
  } catch (error) {
    place.replaceChildren(make("p", { class: "problem" }, word("failed", error.message)));
  }
}

const unlessNone = (error) => {
  if (error.status !== 404) throw error;
  return null;
};

async function showKnown(place) {
  const at = localMs(byId("known-at").value);
  const forecast = await ask(stationPath(`/capacity/known?at=${at}`)).catch(unlessNone);
  if (!forecast) {
    place.replaceChildren(make("p", { class: "muted" }, word("known_none")));
    return;
  }
  const made = Date.parse(forecast.at);
  const rows = forecastRows(forecast, made).map(([label, value]) => make("div", {}, make("dt", {}, label), make("dd", {}, value)));
  place.replaceChildren(make("h3", {}, word("known_of", `${dayOf(made)} ${clockTime(made)}`)), make("dl", { class: "facts" }, ...rows));
}

async function showScore(place) {
  const card = await ask(stationPath(`/capacity/scorecard/${byId("score-day").value}`)).catch(unlessNone);
  if (!card) {
    place.replaceChildren(make("p", { class: "muted" }, word("score_none")));
    return;
  }
  const rows = scoreRows(card).map(([label, value]) => make("div", {}, make("dt", {}, label), make("dd", {}, value)));
  place.replaceChildren(make("p", {}, make("b", {}, card.text[context.language])), make("dl", { class: "facts" }, ...rows));
}

function scoreRows(card) {
  const { plan, done, first_alert: first } = card;
  const share = card.in_band_share;
  const lead = first?.real_lead_minutes;
  const time = first && minuteTime(Date.parse(first.at));
  return [
    [word("score_plan"), word("score_value", done.trucks, plan.trucks, Math.round(done.kg), Math.round(plan.kg))],
    ...card.checks.map(checkRow),
    [word("score_brier"), card.brier === null ? "–" : card.brier.toFixed(3)],
    [word("score_bands"), share === null ? "–" : `${Math.round(share * 100)} %`],
    [word("score_first"), !first ? word("none") : lead > 0 ? word("score_lead", time, duration(lead)) : time],
    [word("score_alerts"), card.alerts.map(({ id, raised, cleared }) => `${id} ${raised} / ${cleared}`).join("; ") || word("none")],
    [word("bottleneck"), card.bottleneck_text[context.language]],
  ];
}

function checkRow({ at, expected_kg: band, error_percent: error, in_band: held }) {
  const kg = Math.round(band.p50);
  const said = error === null ? word("score_open", kg) : word("score_check", kg, `${error > 0 ? "+" : ""}${error.toFixed(1)}`, word(held ? "held" : "missed"));
  return [word("score_at", minuteTime(Date.parse(at))), said];
}
