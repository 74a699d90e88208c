// The journal: what happened to alarms and who did it, newest first, page by page, and the whole range as a file.

import { ask, byId, context, fullTime, hasWord, layout, localMs, localText, make, stationPath, word } from "./dom.js";
import { valueOfSignal } from "./alarm_words.js";
import { problemOf } from "./dialog.js";
import { stationNow } from "./numbers.js";
import { addRows, noteOf, rowOf, tableOf } from "./sheet_table.js";

const PAGE = 100;
const RANGES = { "1h": 3600000, "24h": 86400000, "7d": 604800000 };
let cursor = null;
let begun = false;

/** Begin: the last day. */
export function startJournal() {
  setRange("24h");
  byId("journal-form").addEventListener("submit", (event) => {
    event.preventDefault();
    load();
  });
  byId("journal-more").addEventListener("click", more);
  for (const button of document.querySelectorAll("[data-journal-range]")) button.addEventListener("click", () => {
    setRange(button.dataset.journalRange);
    load();
  });
}

/** Load when it is first seen. */
export function openJournal() {
  if (!begun) load();
  begun = true;
}

function setRange(name) {
  const now = stationNow() + 60000; // A field holds whole minutes: this one is within.
  byId("journal-from").value = localText(now - RANGES[name]);
  byId("journal-to").value = localText(now);
}

function query() {
  const alarm = byId("journal-alarm").value.trim();
  const range = `start=${localMs(byId("journal-from").value)}&end=${localMs(byId("journal-to").value)}`;
  return { range, whole: alarm ? `${range}&alarm=${encodeURIComponent(alarm)}` : range };
}

async function load() {
  cursor = null;
  byId("journal-rows").replaceChildren();
  for (const link of document.querySelectorAll("[data-export]")) link.href = stationPath(`/alarms/journal/export?${query().range}&format=${link.dataset.export}&lang=${context.language}`);
  await more();
}

async function more() {
  const place = byId("journal-rows");
  try {
    const after = cursor ? `&cursor=${cursor}` : "";
    const { items, next_cursor: next } = await ask(stationPath(`/alarms/journal?${query().whole}&order=newest&limit=${PAGE}${after}`));
    const table = place.querySelector("table");
    if (table) addRows(table, items.map((item) => drawn(item, false)));
    else place.replaceChildren(items.length ? journalTable(items) : noteOf(word("journal_none")));
    cursor = next;
  } catch (error) {
    place.append(noteOf(problemOf(error), "problem"));
    cursor = null;
  }
  byId("journal-more").hidden = cursor === null;
}

/** Return journal rows as a table; a short one is of one alarm alone. */
export function journalTable(items, { short = false } = {}) {
  const heads = ["time", ...(short ? [] : ["alarm"]), "event", "value", "who", "note"];
  return tableOf(heads.map((key) => word(`column_${key}`)), items.map((item) => drawn(item, short)));
}

function drawn(item, short) {
  const cells = [fullTime(item.at), ...(short ? [] : [idCell(item.id)]), eventName(item.event), valueText(item), item.who === "system" ? word("by_itself") : item.who, item.note];
  return rowOf(cells, { "data-event": item.event });
}

const eventName = (event) => (hasWord(`event_${event}`) ? word(`event_${event}`) : event);

function idCell(id) {
  const signal = layout.signals[id.split(".")[0]];
  return signal ? [id, make("span", { class: "muted small named" }, ` ${signal.name}`)] : id;
}

function valueText({ id, value }) {
  if (value === null) return "";
  const tag = id.split(".")[0];
  return layout.signals[tag] ? valueOfSignal(tag, value) : String(Math.round(value * 1000) / 1000);
}
