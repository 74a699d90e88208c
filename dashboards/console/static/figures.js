// How good the alarms are: the figures of ISA-18.2 with their targets, what to look at, and advice.

import { ask, byId, context, dayOf, fullTime, make, minuteTime, stationPath, word } from "./dom.js";
import { problemOf } from "./dialog.js";
import { drawBuckets } from "./buckets.js";
import { stationNow } from "./numbers.js";
import { noteOf, rowOf, tableOf } from "./sheet_table.js";
import { PRIORITIES, symbol } from "./symbols.js";

const SPANS = { hour: 86400000, day: 30 * 86400000, month: 365 * 86400000 };
const RATES = ["per_day", "per_hour", "per_10_min"];
const SHARE_TARGETS = { low: 80, medium: 15, high: 5, critical: 1 };
let by = "hour";

/** Begin: by hour over the last day. */
export function startFigures() {
  for (const button of byId("figures-by").children) button.addEventListener("click", () => {
    by = button.dataset.by;
    openFigures();
  });
}

/** Load and show. */
export async function openFigures() {
  for (const button of byId("figures-by").children) button.setAttribute("aria-pressed", String(button.dataset.by === by));
  const place = byId("figures-body");
  const now = Math.floor(stationNow()) + 1;
  try {
    const found = await ask(stationPath(`/alarms/figures?by=${by}&start=${now - SPANS[by]}&end=${now}`), { timeoutMs: 30000 });
    place.replaceChildren(...partsOf(found));
  } catch (error) {
    place.replaceChildren(noteOf(problemOf(error), "problem"));
  }
}

function partsOf(found) {
  return [
    make("p", { class: "muted" }, word("figures_range", fullTime(found.start), fullTime(found.end), found.alarms, found.late)),
    make("dl", { class: "figures" }, ...tiles(found)),
    block(word("figures_course"), drawBuckets(courseOf(found), byId("figures-body"))),
    make("div", { class: "columns" }, ...tables(found)),
    block(word("figures_advice"), advice(found.advice)),
  ];
}

const block = (title, ...parts) => make("section", {}, make("h3", {}, title), ...parts);
const number = (value) => (value === null ? "–" : String(Math.round(value * 100) / 100));

function tile(label, value, sub, met) {
  const level = met === false ? "bad" : "";
  return make("div", { class: "figure", "data-level": level }, make("dt", {}, label), make("dd", {}, make("b", { class: "big" }, value), make("span", { class: "sub" }, sub)));
}

function tiles({ rates, top_ten_percent: top, floods, stale, chattering, fleeting }) {
  const many = (name) => tile(word(`rate_${name}`), number(rates[name].value), word("target_most_worst", rates[name].target, rates[name].most, number(rates[`${name}_worst`].value)), rates[name].met);
  const over = rates.periods_over_10_percent;
  const count = (label, list, target) => tile(word(label), String(list.length), word("target_under", target), list.length < target || list.length === 0);
  return [
    ...RATES.map(many),
    tile(word("rate_flooded"), `${number(over.value)} %`, word("target_under", "1 %"), over.met),
    tile(word("top_ten_share"), top.value === null ? "–" : `${number(top.value)} %`, word("target_under", "5 %"), top.met),
    tile(word("floods"), String(floods.length), word("target_none"), floods.length === 0),
    tile(word("chattering"), String(chattering.length), word("target_none"), chattering.length === 0),
    tile(word("fleeting"), String(fleeting.length), word("target_none"), fleeting.length === 0),
    count("stale_alarms", stale, 5),
  ];
}

const table = (title, heads, rows) => block(title, rows.length ? make("div", { class: "rows" }, tableOf(heads, rows.map((cells) => rowOf(cells)))) : noteOf(word("nothing")));

const named = (priority) => make("span", { class: "weight" }, symbol(priority), make("span", {}, word(priority)));

function tables({ top_ten: top, priority_percent: shares, acknowledged, floods, chattering, fleeting, stale }) {
  const [alarm, count] = [word("column_alarm"), word("column_count")];
  const minutes = (value) => (value === null ? "–" : `${number(value)}`);
  return [
    table(word("top_ten"), [alarm, count, "%"], top.map((one) => [one.alarm, String(one.count), number(one.percent)])),
    table(word("by_priority"), [word("priority"), "%", word("column_target")], PRIORITIES.map((one) => [named(one), number(shares[one] ?? null), `${one === "critical" ? "< " : ""}${SHARE_TARGETS[one]}`])),
    table(word("ack_times"), [word("priority"), count, word("column_median"), "p90", word("column_target")], acknowledged.map((one) => [named(one.priority), String(one.acknowledged), minutes(one.median_min), minutes(one.p90_min), minutes(one.target_min)])),
    table(word("floods"), [word("column_from"), word("column_to"), count, word("first_out")], floods.map((one) => [fullTime(one.start), one.end ? fullTime(one.end) : word("lasts"), String(one.count), one.first])),
    table(word("chattering"), [alarm, count], chattering.map((one) => [one.alarm, String(one.count)])),
    table(word("fleeting"), [alarm, count], fleeting.map((one) => [one.alarm, String(one.count)])),
    table(word("stale_alarms"), [alarm], stale.map((one) => [one])),
  ];
}

function advice(rows) {
  if (!rows.length) return noteOf(word("no_advice"));
  return make("ul", {}, ...rows.map((one) => make("li", {}, make("b", {}, one.alarm), ` ${one.text[context.language]}`)));
}

const STEPS = { hour: 3600000, day: 86400000, month: 86400000 };
const keyOf = { hour: (t) => `${dayOf(t)} ${minuteTime(t).slice(0, 2)}:00`, day: dayOf, month: (t) => dayOf(t).slice(0, 7) };

/** Return every hour, day or month of the range, quiet ones too: the API names only those with alarms. */
function courseOf({ start, end, buckets }) {
  const known = new Map(buckets.map((one) => [keyOf[by](Date.parse(one.start)), one]));
  const keys = new Set();
  for (let t = Date.parse(start); t < Date.parse(end); t += STEPS[by]) keys.add(keyOf[by](t));
  keys.add(keyOf[by](Date.parse(end)));
  return [...keys].map((key) => ({ label: key.slice(by === "hour" ? 11 : by === "day" ? 5 : 0), alarms: 0, by_priority: {}, ...known.get(key) }));
}
