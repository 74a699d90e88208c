// What stood at the moment of the replay: alarms, the forecast, values of a unit; and alarms then beside alarms now.

import { byId, clockTime, context, dayOf, hasWord, layout, make, setText, word } from "./dom.js";
import { order, valueAndLimit } from "./alarm_words.js";
import { shown } from "./numbers.js";
import { noteOf, rowOf, tableOf } from "./sheet_table.js";
import { symbol } from "./symbols.js";
import { verdictOf } from "./verdict.js";

const values = new Map(); // tag -> [value, quality, t]
let goTo = () => {};
const full = (ms) => `${dayOf(ms)} ${clockTime(ms)}`;

/** Begin; `onGoTo(ms)` moves the replay. */
export function startTables(onGoTo) {
  goTo = onGoTo;
  const units = Object.entries(layout.units).map(([key, name]) => make("option", { value: key }, name));
  byId("replay-unit").append(...units);
  byId("replay-unit").addEventListener("change", drawValues);
}

/** Show the alarms of the moment. */
export function showAlarms(alarms) {
  const rows = alarms.sort(order).map((alarm) => {
    const named = make("span", { class: "named" }, symbol(alarm.priority, true), `${alarm.id}${alarm.first_out ? ` (${word("first_out")})` : ""}`);
    const state = hasWord(`state_${alarm.state}`) ? word(`state_${alarm.state}`) : alarm.state;
    return rowOf([named, alarm.text[context.language], valueAndLimit(alarm), momentButton(alarm.raised_at), state], { "data-alarm": alarm.id });
  });
  const heads = ["column_alarm", "column_event", "column_value", "column_from", "status"].map((key) => word(key));
  byId("replay-alarms").replaceChildren(rows.length ? tableOf(heads, rows) : noteOf(word("replay_no_alarms")));
}

function momentButton(text) {
  const t = Date.parse(text);
  if (Number.isNaN(t)) return "";
  const button = make("button", { type: "button", class: "goto", disabled: !context.may_operate }, full(t));
  button.addEventListener("click", () => goTo(t));
  return button;
}

/** Show a forecast at `now`; null where there is none yet, or none is made. */
export function showForecast(forecast, now, made = true) {
  const said = forecast ? verdictOf(forecast, now) : null;
  setText(byId("replay-verdict"), said ? `${said.text} ${said.when}` : word(made ? "replay_no_forecast" : "replay_forecasts_off"));
  setText(byId("replay-advice"), forecast ? forecast.advice[context.language] : "");
}

/** Take values of the moment; `whole` where they are all that is known. */
export function showValues(news, whole) {
  if (whole) values.clear();
  for (const [tag, held] of Object.entries(news)) values.set(tag, held);
  drawValues();
}

function drawValues() {
  const unit = byId("replay-unit").value;
  const tags = Object.keys(layout.signals).filter((tag) => layout.signals[tag].at === unit);
  const rows = tags.map((tag) => {
    const { name, unit: measured } = layout.signals[tag];
    const held = values.get(tag);
    const text = !held || held[0] === null ? "–" : `${shown(tag, held[0])} ${measured}`;
    const quality = held?.[1].split(":", 1)[0] ?? "";
    return rowOf([tag, name, text, hasWord(quality) ? word(quality) : "", held ? clockTime(held[2]) : ""], { "data-signal": tag });
  });
  const heads = [word("trend_pick"), word("name"), word("column_value"), word("column_note"), word("column_time")];
  byId("replay-values").replaceChildren(tableOf(heads, rows));
}

/** Show alarms then and now side by side. */
export function showCompared({ items, counts }) {
  const heads = [word("column_alarm"), word("replay_then"), word("replay_now"), word("replay_verdict")];
  const rows = items.map((item) => rowOf([item.id, occurrence(item.then), occurrence(item.now), word(`verdict_${item.verdict}`)], { "data-verdict": item.verdict }));
  byId("compared-rows").replaceChildren(rows.length ? tableOf(heads, rows) : noteOf(word("replay_compared_none")));
  setText(byId("compared-counts"), Object.entries(counts).map(([verdict, count]) => `${word(`verdict_${verdict}`)}: ${count}`).join(" · "));
}

function occurrence(one) {
  if (!one) return "–";
  const cleared = one.cleared_at ? clockTime(Date.parse(one.cleared_at)) : word("replay_stands");
  return [make("span", { class: "named" }, symbol(one.priority, true), momentButton(one.raised_at), ` → ${cleared}`)];
}
