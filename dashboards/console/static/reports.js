// The reports page: which days have a report, and the one that is chosen, as a page inside this one and as files.

import { ask, byId, context, fullTime, setText, stationPath, word } from "./dom.js";
import { problemOf } from "./dialog.js";
import { openFrame, refreshStation, startFrame } from "./frame.js";
import { buttonOf, noteOf, rowOf, tableOf } from "./sheet_table.js";
import { showNotes, startNotes } from "./shift_notes.js";

const FORMS = ["pdf", "html", "csv", "json"];
const MAKING_MS = 150000; // The server itself gives up after two minutes.
let chosen = new URLSearchParams(location.search).get("date");

startFrame({ values() {}, alarm() {}, capacity() {}, opened: refreshStation });
startNotes(() => load().then(() => draw(chosen)));
byId("make")?.addEventListener("click", makeAnew);
openFrame();
load();

const pathOf = (date, form) => stationPath(`/reports/daily/${date}?lang=${context.language}&format=${form}`);

/** Ask for the days and draw them; the newest one that is over is shown first. */
async function load() {
  const place = byId("day-rows");
  try {
    const { items } = await ask(stationPath("/reports/daily"));
    const heads = ["day", "kg", "trucks", "rest", "alarms", "data", "notes"].map((key) => word(`report_${key}`));
    place.replaceChildren(items.length ? tableOf(heads, items.map(drawn)) : noteOf(word("reports_none")));
    const known = items.find(({ date }) => date === chosen) || items.find(({ complete }) => complete) || items[0];
    if (known && byId("report").dataset.date !== known.date) show(known);
    mark();
  } catch (error) {
    place.replaceChildren(noteOf(problemOf(error), "problem"));
  }
}

const shown = (value, digits) => (value === null ? word("report_unknown") : value.toFixed(digits));

function drawn(day) {
  // Of today nothing is kept: its figures stand in the report, which is made when it is shown.
  const today = day.version === null;
  const cells = [
    [buttonOf(day.date, word("report_show_which", day.date), () => show(day)), today ? ` ${word("report_today")}` : ""],
    today ? "" : shown(day.kg, 0),
    today ? "" : shown(day.trucks, 0),
    today ? "" : shown(day.unaccounted_kg, 1),
    today ? "" : shown(day.alarms, 0),
    today ? "" : `${(100 * day.minutes_known).toFixed(1)} %`,
    String(day.notes),
  ];
  return rowOf(cells, { "data-date": day.date });
}

function mark() {
  for (const row of byId("day-rows").querySelectorAll("tr[data-date]")) {
    if (row.dataset.date === chosen) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

function show(day) {
  chosen = day.date;
  byId("report").dataset.date = day.date;
  history.replaceState(null, "", `?lang=${context.language}&date=${day.date}`);
  setText(byId("report-title"), word("report_of", day.date));
  setText(byId("report-version"), day.version === null ? word("report_today") : word("report_version", day.version, fullTime(day.made_at)));
  for (const form of FORMS) {
    byId(`take-${form}`).href = pathOf(day.date, form);
    byId(`take-${form}`).hidden = false;
  }
  byId("open").href = pathOf(day.date, "html");
  byId("open").hidden = byId("take").hidden = false;
  if (byId("make")) byId("make").hidden = false;
  setText(byId("report-note"), word("report_making"));
  draw(day.date);
  showNotes(day.date);
  mark();
}

/** Put the report's page into this one; a refusal is told in words, not as a page of JSON. */
async function draw(date) {
  const page = byId("report-page");
  page.hidden = true;
  try {
    await ask(stationPath(`/reports/daily/${date}`), { timeoutMs: MAKING_MS });
  } catch (error) {
    if (chosen === date) setText(byId("report-note"), problemOf(error));
    return;
  }
  if (chosen !== date) return;
  page.title = word("report_of", date);
  page.onload = () => setText(byId("report-note"), "");
  page.src = pathOf(date, "html");
  page.hidden = false;
}

async function makeAnew() {
  byId("make").disabled = true;
  setText(byId("report-note"), word("report_making"));
  try {
    const made = await ask(stationPath(`/reports/daily/${chosen}/make`), { method: "POST", timeoutMs: MAKING_MS });
    delete byId("report").dataset.date;
    await load();
    setText(byId("report-note"), word("report_made", made.version));
  } catch (error) {
    setText(byId("report-note"), problemOf(error));
  } finally {
    byId("make").disabled = false;
  }
}
