// A unit's page: each signal with bar, age and its last hours; alarms; facts; maintenance.

import { ask, byId, context, fullTime, layout, make, setText, stationPath, word } from "../dom.js";
import { problemOf } from "../dialog.js";
import { evaluate, stationNow } from "../numbers.js";
import { noteOf, rowOf, tableOf } from "../sheet_table.js";
import { takeAlarm } from "../standing.js";
import { factTable, loadFacts } from "./facts.js";
import { gaugeOf } from "./gauge.js";
import { startSheet } from "./sheet.js";
import { spanOf, sparkOf } from "./spark.js";
import { loadUnitAlarms, marksOf, onUnitAlarms, startUnitAlarms } from "./unit_alarms.js";
import { symbol } from "../symbols.js";

const HOURS = 4;
const STEP_MS = 120000;
const AGAIN_MS = 60000;
const { unit } = layout;
const gauges = new Map(); // tag -> {refresh, mark, spark, least, most}

drawSignals();
startUnitAlarms();
onUnitAlarms(showMarks);
byId("other-unit").addEventListener("change", (event) => location.assign(`/console/units/${event.target.value}?lang=${context.language}`));
startSheet({ values, alarm: takeAlarm, opened: loadUnitAlarms, second: refreshAll });
loadSparks();
loadMaintenance();
loadFacts(`unit=${encodeURIComponent(unit.name)}`).then((facts) => byId("fact-rows").replaceChildren(factTable(facts)), refused);
setInterval(() => !document.hidden && loadSparks(), AGAIN_MS);
setInterval(() => !document.hidden && loadMaintenance(), AGAIN_MS);

function refused(error) {
  byId("fact-rows").replaceChildren(noteOf(problemOf(error), "problem"));
}

function drawSignals() {
  const heads = ["column_signal", "column_now", "column_bar", "column_age", "column_hours"].map((key) => word(key, HOURS));
  byId("signal-rows").replaceChildren(tableOf(heads, unit.tags.map(rowOfSignal)));
}

function rowOfSignal(tag) {
  const only = unit.only[tag] && unit.state ? { tag: unit.state, states: unit.only[tag] } : null;
  const gauge = gaugeOf(tag, only);
  const mark = make("span", { class: "mark" });
  const spark = make("span", { class: "spark-place" });
  const span = make("span", { class: "muted small" });
  gauges.set(tag, { ...gauge, mark, spark, span });
  const name = [layout.signals[tag].name, make("span", { class: "muted small named" }, ` ${tag}`)];
  const ends = layout.signals[tag].states ? [] : [make("span", { class: "muted small ends" }, limitsText(tag))];
  return rowOf([name, [mark, gauge.value], [gauge.bar, ...ends], gauge.age, [spark, span]], { "data-tag": tag });
}

function limitsText(tag) {
  return Object.entries(layout.signals[tag].limits).map(([name, at]) => `${name} ${at}`).join("  ");
}

function values(tags) {
  for (const tag of tags) gauges.get(tag)?.refresh();
  showState();
}

function refreshAll() {
  for (const { refresh } of gauges.values()) refresh();
  showState();
}

function showState() {
  if (!unit.state) return;
  const { text, abnormal, quality, value } = evaluate({ tag: unit.state });
  const kind = abnormal ? "abnormal" : layout.signals[unit.state].working?.includes(value) ? "working" : "resting";
  const chip = byId("unit-state");
  setText(chip, `${abnormal ? "✕ " : ""}${text}`);
  const name = `state ${kind}${quality === "good" ? "" : ` q-${quality}`}`;
  if (chip.className !== name) chip.className = name;
}

function showMarks() {
  for (const [tag, { mark }] of gauges) {
    const alarm = marksOf(tag);
    const key = alarm ? `${alarm.priority} ${alarm.acked}` : "";
    if (mark.dataset.key === key) continue;
    mark.dataset.key = key;
    mark.replaceChildren(...(alarm ? [symbol(alarm.priority, alarm.acked)] : []));
  }
}

async function loadSparks() {
  const end = Math.floor(stationNow()) + 1;
  const start = end - HOURS * 3600000;
  const states = unit.tags.filter((tag) => layout.signals[tag].states);
  const others = unit.tags.filter((tag) => !layout.signals[tag].states);
  await Promise.all([[states, "last"], [others, "mean"]].map(([tags, how]) => loadSome(tags, how, start, end)));
}

async function loadSome(tags, how, start, end) {
  if (!tags.length) return;
  const names = tags.map((tag) => `signal=${encodeURIComponent(tag)}`).join("&");
  const { series } = await ask(stationPath(`/readings?${names}&start=${start}&end=${end}&every=${STEP_MS / 1000}s&aggregate=${how}`)).catch(() => ({ series: [] }));
  for (const { signal, points } of series) showSpark(signal, points, start, end);
}

function showSpark(tag, rows, start, end) {
  const { states, stale_s: staleS, name, digits, unit: measure } = layout.signals[tag];
  const points = rows.map(([t, value, quality]) => [t, quality.startsWith("bad") ? null : value]);
  const gapMs = Math.max(3 * STEP_MS, staleS * 1000);
  gauges.get(tag).spark.replaceChildren(sparkOf(points, { start, end, gapMs, isState: Boolean(states), name }));
  const ends = spanOf(points);
  setText(gauges.get(tag).span, ends === null ? word("trend_empty") : states ? "" : `${ends[0].toFixed(digits)} … ${ends[1].toFixed(digits)} ${measure}`);
}

async function loadMaintenance() {
  const { items } = await ask(stationPath("/maintenance")).catch(() => ({ items: [] }));
  const mine = items.filter(({ area, unit: name }) => unit.keys.includes(`${area}/${name}`));
  byId("maintenance-now").hidden = mine.length === 0;
  setText(byId("maintenance-now"), mine.map(({ until, who }) => word("in_maintenance", until ? fullTime(until) : "–", who)).join(" "));
}
