// A unit's alarms: those that stand, and what happened in the last day.

import { ask, byId, context, layout, make, stationPath, word } from "../dom.js";
import { isHidden, needsAck, order, raisedAt, valueAndLimit } from "../alarm_words.js";
import { problemOf } from "../dialog.js";
import { journalTable } from "../journal.js";
import { stationNow } from "../numbers.js";
import { noteOf, rowOf, tableOf } from "../sheet_table.js";
import { loadAlarms, onStanding, standingAlarms } from "../standing.js";
import { symbol, weight } from "../symbols.js";

const BACK_MS = 86400000;
const MOST = 1000;
const SHOWN = 100;
let told = () => {};
let timer = null;

const isMine = (tag) => layout.unit.tags.includes(tag);
const mine = () => standingAlarms().filter((alarm) => isMine(alarm.signal) && alarm.state !== "NORM");

/** Begin; the alarms come with the connection. */
export function startUnitAlarms() {
  onStanding(show);
}

/** Call `changed()` when an alarm of the unit may have changed. */
export function onUnitAlarms(changed) {
  told = changed;
}

export { loadAlarms as loadUnitAlarms };

/** Return the alarm to be looked at first at a signal, undefined without one; what is shelved, suppressed or out of service is listed only. */
export const marksOf = (tag) => mine().filter((alarm) => alarm.signal === tag && alarm.active && !isHidden(alarm)).sort((one, other) => weight(one) - weight(other))[0];

function show() {
  const alarms = mine().sort(order);
  const heads = ["column_alarm", "column_state", "column_since", "column_value"].map((key) => word(key));
  byId("alarm-rows").replaceChildren(alarms.length ? tableOf(heads, alarms.map(drawn)) : noteOf(word("no_alarms")));
  told();
  clearTimeout(timer);
  timer = setTimeout(loadHistory, 300); // What changed is in the journal a moment later.
}

function drawn(alarm) {
  const link = make("a", { href: `/console/alarms?lang=${context.language}` }, alarm.text[context.language]);
  const what = [symbol(alarm.priority, !needsAck(alarm)), " ", link, make("span", { class: "muted small named" }, ` ${alarm.id}`)];
  return rowOf([what, word(`state_${alarm.state}`), raisedAt(alarm), valueAndLimit(alarm)], { "data-id": alarm.id });
}

async function loadHistory() {
  const end = Math.floor(stationNow()) + 1;
  try {
    const { items, next_cursor: more } = await ask(stationPath(`/alarms/journal?start=${end - BACK_MS}&end=${end}&order=newest&limit=${MOST}`));
    const rows = items.filter(({ id }) => isMine(id.split(".")[0]));
    const parts = [rows.length ? journalTable(rows.slice(0, SHOWN)) : noteOf(word("journal_none"))];
    if (more) parts.push(noteOf(word("history_of_last", MOST)));
    byId("history-rows").replaceChildren(...parts);
  } catch (error) {
    byId("history-rows").replaceChildren(noteOf(problemOf(error), "problem"));
  }
}
