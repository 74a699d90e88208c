// The completeness page: a station day, or the last 24 hours, and the gaps of the unit that is chosen.

import { ask, byId, context, dayOf, dayStart, fullTime, localMs, make, setText, stationPath, word } from "./dom.js";
import { gridOf, keyOf, lacks, nameOf } from "./completeness_grid.js";
import { problemOf, startDialog } from "./dialog.js";
import { openFrame, refreshStation, startFrame } from "./frame.js";
import { setClock, stationNow } from "./numbers.js";
import { noteOf, rowOf, tableOf } from "./sheet_table.js";

const DAY_MS = 86400000;
const HOUR_MS = 3600000;
const AGAIN_MS = 60000; // Ingest tells the store its counts each minute.
let day = null; // null: the last 24 hours
let items = [];
let chosen = null;
let asked = 0;

startFrame({ values() {}, alarm() {}, capacity() {}, opened: refreshStation });
startDialog();
setClock(context.now, context.speed);
byId("completeness-form").addEventListener("submit", (event) => event.preventDefault());
byId("day").addEventListener("change", () => show(byId("day").value || null));
byId("day-before").addEventListener("click", () => step(-1));
byId("day-after").addEventListener("click", () => step(1));
byId("newest").addEventListener("click", () => show(null));
byId("only-short").addEventListener("change", drawGrid);
setInterval(() => day === null && load(), AGAIN_MS);
openFrame();
show(null);

function step(days) {
  const middle = localMs(`${day ?? dayOf(stationNow())}T12:00`) + days * DAY_MS;
  if (dayStart(middle) <= stationNow()) show(dayOf(middle));
}

function show(wanted) {
  day = wanted;
  byId("day").value = day ?? "";
  byId("newest").setAttribute("aria-pressed", String(day === null));
  load();
}

function range() {
  const now = Math.floor(stationNow());
  if (day === null) return [Math.ceil((now - DAY_MS) / HOUR_MS) * HOUR_MS, now];
  const start = dayStart(localMs(`${day}T12:00`));
  return [start, Math.min(start + DAY_MS, Math.max(now, start + 1))];
}

async function load() {
  asked += 1;
  const mine = asked;
  const [start, end] = range();
  if (!items.length) setText(byId("sum"), word("loading"));
  try {
    const answer = await ask(stationPath(`/completeness?start=${start}&end=${end}&every=1h`), { timeoutMs: 30000 });
    if (mine !== asked) return; // Another day was asked for meanwhile.
    items = answer.items;
    drawGrid();
    tellSum();
    choose(items.find((item) => keyOf(item) === chosen) ?? null);
  } catch (error) {
    setText(byId("sum"), "");
    byId("grid").replaceChildren(noteOf(problemOf(error), "problem"));
  }
}

function drawGrid() {
  const seen = byId("only-short").checked ? items.filter(lacks) : items;
  byId("grid").replaceChildren(seen.length ? gridOf(seen, items, open) : noteOf(word("completeness_all")));
  mark();
}

function tellSum() {
  const numbered = items.filter(({ expected }) => expected !== null);
  const sum = (rows, name) => rows.reduce((total, row) => total + row[name], 0);
  const [received, expected] = [sum(numbered, "received"), sum(numbered, "expected")];
  setText(byId("sum"), word("completeness_sum", received, expected, Math.max(0, expected - received), sum(items, "late"), sum(items, "duplicate"), sum(items, "refused")));
}

function open(item) {
  choose(item);
  byId("detail").focus({ preventScroll: true });
  byId("detail").scrollIntoView({ block: "nearest" }); // Below the grid, which is longer than a screen.
}

function choose(item) {
  if (!item) return;
  chosen = keyOf(item);
  mark();
  setText(byId("detail-title"), `${nameOf(item)} · ${word("completeness_gaps")}`);
  const missing = item.expected === null ? "–" : Math.max(0, item.expected - item.received);
  const figures = [["received", item.received], ["expected", item.expected ?? "–"], ["missing", missing], ["late", item.late], ["duplicate", item.duplicate], ["refused", item.refused]];
  const list = make("dl", { class: "figures" }, ...figures.map(([name, value]) => make("div", { class: "figure" }, make("dt", {}, word(`completeness_${name}`)), make("dd", {}, make("b", { class: "big" }, String(value))))));
  byId("detail-body").replaceChildren(list, gapsOf(item));
}

function gapsOf({ expected, gaps }) {
  if (expected === null) return noteOf(word("completeness_unnumbered"));
  if (!gaps.length) return noteOf(word("completeness_no_gaps"));
  const heads = [word("column_from"), word("column_to"), word("completeness_missing")];
  const rows = [...gaps].reverse().map(({ from, to, missing }) => rowOf([fullTime(from), fullTime(to), String(missing)]));
  return make("div", { class: "rows" }, tableOf(heads, rows));
}

function mark() {
  for (const row of byId("grid").querySelectorAll("tr[data-unit]")) row.classList.toggle("chosen", row.dataset.unit === chosen);
}
