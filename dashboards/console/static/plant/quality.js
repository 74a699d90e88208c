// Gas quality: each analyser against its limits, now and over the last days.

import { ask, byId, duration, layout, make, setText, stationPath, word } from "../dom.js";
import { problemOf } from "../dialog.js";
import { qualityOf, stationNow, valueOf } from "../numbers.js";
import { rowOf, tableOf } from "../sheet_table.js";
import { showFigures } from "./figures.js";
import { gaugeOf } from "./gauge.js";
import { drawPlots } from "./plot.js";
import { startSheet } from "./sheet.js";

const RANGES = { "24h": [86400000, "10m", 600000], "7d": [604800000, "1h", 3600000], "30d": [2592000000, "4h", 14400000] };
const tags = Object.keys(layout.signals);
const gauges = new Map();
let range = "24h";
let mine = 0;

drawRows();
startSheet({ values: refresh, opened: load, second: refresh });
for (const button of byId("ranges").children) button.addEventListener("click", () => {
  range = button.dataset.range;
  load();
});
setInterval(() => !document.hidden && load(), 300000);

function drawRows() {
  const heads = ["column_signal", "column_now", "column_bar", "column_age", "column_highest"].map((key) => word(key));
  byId("quality-rows").replaceChildren(tableOf(heads, tags.map(rowOfSignal)));
}

function rowOfSignal(tag) {
  const gauge = gaugeOf(tag);
  const highest = make("span");
  gauges.set(tag, { ...gauge, highest });
  const limits = Object.entries(layout.signals[tag].limits).map(([name, at]) => `${name} ${at}`).join("  ");
  const name = [layout.signals[tag].name, make("span", { class: "muted small named" }, ` ${tag}`)];
  return rowOf([name, gauge.value, [gauge.bar, make("span", { class: "muted small ends" }, limits)], gauge.age, highest], { "data-tag": tag });
}

function refresh() {
  for (const { refresh: again } of gauges.values()) again();
  showSum();
}

function showSum() {
  const known = layout.impurities.map((tag) => [valueOf(tag)?.[0] ?? null, qualityOf(tag)]);
  const good = known.filter(([value, quality]) => value !== null && quality !== "bad");
  const total = good.length === known.length && known.length ? good.reduce((sum, [value]) => sum + Math.max(0, value), 0) : null;
  const over = layout.impurities.filter((tag) => (valueOf(tag)?.[0] ?? 0) > (layout.signals[tag].limits.HH ?? Infinity));
  const worst = total === null ? "" : total > 300 ? "bad" : "";
  const text = (value, digits) => (value === null ? "–" : value.toFixed(digits));
  showFigures(byId("quality-figures"), [
    [word("quality_sum"), `${text(total, 1)} µmol/mol`, word("quality_sum_limit"), worst],
    [word("quality_purity"), `${text(total === null ? null : 100 - total / 10000, 4)} %`, word("quality_purity_limit"), worst],
    [word("quality_over"), String(over.length), over.map((tag) => layout.signals[tag].name).join(", "), over.length ? "bad" : ""],
  ]);
}

async function load() {
  const asked = ++mine;
  for (const button of byId("ranges").children) button.setAttribute("aria-pressed", String(button.dataset.range === range));
  const [lengthMs, every, everyMs] = RANGES[range];
  const end = Math.floor(stationNow()) + 1;
  const start = end - lengthMs;
  setText(byId("course-note"), word("loading"));
  try {
    const names = tags.map((tag) => `signal=${encodeURIComponent(tag)}`).join("&");
    const { series } = await ask(stationPath(`/readings?${names}&start=${start}&end=${end}&every=${every}&aggregate=max`), { timeoutMs: 60000 });
    if (asked !== mine) return;
    setText(byId("course-note"), word("quality_highest_each", duration(everyMs / 60000)));
    show(series, start, end, everyMs);
  } catch (error) {
    if (asked === mine) setText(byId("course-note"), problemOf(error));
  }
}

function show(series, start, end, everyMs) {
  const panels = series.map(({ signal, points }) => {
    const { name, unit, limits } = layout.signals[signal];
    const known = points.filter(([, value]) => value !== null);
    const highest = known.length ? Math.max(...known.map(([, value]) => value)) : null;
    const over = highest !== null && highest > (limits.HH ?? Infinity);
    gauges.get(signal).highest.replaceChildren(highest === null ? "–" : `${over ? "! " : ""}${highest.toFixed(layout.signals[signal].digits + 1)} ${unit}`);
    return { title: name, unit, digits: 2, height: 140, limits: Object.entries(limits), lines: [{ name: word("column_highest"), kind: "main", points: points.map(([t, value]) => [t, value]) }] };
  });
  drawPlots(byId("course-plots"), { start, end, panels, gapMs: Math.max(3 * everyMs, 1800000) });
}
