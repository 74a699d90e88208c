// One alarm in full: where it stands, what may be done, its help, its signal around the moment, its history.

import { ask, byId, context, fullTime, layout, make, setText, stationPath, word } from "./dom.js";
import { actsOn, labelOf, openAct, openLimits, openMaintenance, titleOf } from "./alarm_acts.js";
import { valueAndLimit, valueOfSignal } from "./alarm_words.js";
import { problemOf } from "./dialog.js";
import { journalTable } from "./journal.js";
import { loadMaintenance } from "./maintenance.js";
import { drawMoment } from "./moment_chart.js";
import { stationNow, valueOf } from "./numbers.js";
import { buttonOf, noteOf } from "./sheet_table.js";
import { standingAlarm, standingAlarms } from "./standing.js";
import { symbol } from "./symbols.js";

const HISTORY_MS = 30 * 86400000;
const HISTORY_ROWS = 25;
let shownId = null;
let alarm = null;
let drawn = ""; // What the panel shows, so that an unchanged one is left alone.

/** Begin. */
export function startDetail() {
  byId("detail-close").addEventListener("click", close);
  byId("find").addEventListener("submit", (event) => {
    event.preventDefault();
    showDetail(byId("find-id").value.trim());
  });
  byId("find-id").addEventListener("focus", fillIds, { once: true });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && shownId && !byId("act").open) close();
  });
}

const fillIds = () => byId("find-ids").append(...layout.ids.map((id) => make("option", { value: id })));

/** Show an alarm, also a normal one, by its id. */
export async function showDetail(id) {
  setText(byId("find-problem"), "");
  try {
    alarm = standingAlarm(id) || (await ask(stationPath(`/alarms/${encodeURIComponent(id)}`)));
  } catch (error) {
    setText(byId("find-problem"), error.status === 404 ? word("no_such_alarm", id) : problemOf(error));
    return;
  }
  shownId = id;
  drawn = "";
  byId("detail").hidden = false;
  byId("console").classList.add("with-detail");
  draw();
  byId("detail-title").focus({ preventScroll: true });
}

function close() {
  const row = document.querySelector(`[data-id="${CSS.escape(shownId)}"] .what`);
  shownId = null;
  byId("detail").hidden = true;
  byId("console").classList.remove("with-detail");
  row?.focus();
}

/** Show what has changed since; call it with each change and each value. */
export function renewDetail() {
  if (!shownId) return;
  const now = standingAlarm(shownId);
  if (now) alarm = now;
  else if (alarm.state !== "NORM") ask(stationPath(`/alarms/${encodeURIComponent(shownId)}`)).then(take, () => {});
  draw();
}

function take(fresh) {
  if (fresh.id !== shownId) return;
  alarm = fresh;
  draw();
}

function draw() {
  tellNow();
  const key = JSON.stringify([alarm, layout.signals[alarm.signal]?.limits]);
  if (key === drawn) return;
  drawn = key;
  byId("detail-symbol").replaceChildren(symbol(alarm.priority, alarm.acked));
  setText(byId("detail-title"), alarm.text[context.language]);
  byId("detail-facts").replaceChildren(...facts().flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]));
  byId("detail-acts").replaceChildren(...actButtons());
  byId("detail-help").replaceChildren(...helpRows());
  loadHistory(alarm.id);
  const tag = layout.signals[alarm.signal] ? alarm.signal : null;
  byId("detail-trend").hidden = !tag;
  if (tag) drawMoment(byId("moment"), tag, Date.parse(alarm.raised_at) || stationNow(), alarm);
}

function tellNow() {
  const held = layout.signals[alarm.signal] && valueOf(alarm.signal);
  setText(byId("detail-now"), held && held[0] !== null ? word("value_now", valueOfSignal(alarm.signal, held[0])) : "");
}

function facts() {
  const by = (time, who) => [fullTime(time), who].filter(Boolean).join(" · ");
  return [
    [word("alarm_id"), alarm.id],
    [word("priority"), word(alarm.priority) + (alarm.safety ? ` · ${word("safety_alarm")}` : "")],
    [word("state"), word(`state_${alarm.state}`)],
    [word("where"), layout.units[alarm.group] || ""],
    [word("raised"), fullTime(alarm.raised_at)],
    [word("value_then"), valueAndLimit(alarm)],
    [word("acked_at"), alarm.acked_at ? by(alarm.acked_at, alarm.acked_by) : ""],
    [word("cleared_at"), fullTime(alarm.cleared_at)],
    [word("shelved_until"), fullTime(alarm.shelved_until)],
    [word("out_by"), alarm.out_of_service_by ?? ""],
    [word("out_until"), fullTime(alarm.out_of_service_until)],
    [word("asked_out_by"), alarm.out_of_service_asked_by ? word("asked_waits", alarm.out_of_service_asked_by) : ""],
    [word("in_group"), isFirst() ? word("first_out_long") : ""],
  ].filter(([, text]) => text);
}

const isFirst = () => alarm.first_out && standingAlarms().some(({ id, group }) => group === alarm.group && id !== alarm.id);

function actButtons() {
  const buttons = actsOn(alarm).map((name) => buttonOf(labelOf(name, alarm), titleOf(name, alarm), () => openAct(alarm, name)));
  const signal = layout.signals[alarm.signal];
  if (!signal) return buttons;
  if (context.may_engineer && Object.keys(signal.limits).length) buttons.push(buttonOf(word("limits"), word("limits_which", alarm.signal), () => openLimits(alarm.signal, renewDetail).catch(tell)));
  if (context.may_operate) buttons.push(buttonOf(word("maintenance_unit"), word("maintenance_which", layout.units[signal.at]), () => openMaintenance(signal.at, loadMaintenance)));
  return buttons;
}

const tell = (error) => setText(byId("find-problem"), problemOf(error));

function helpRows() {
  const parts = ["cause", "consequence", "action"].filter((part) => alarm[part]?.[context.language]);
  return parts.flatMap((part) => [make("dt", {}, word(`help_${part}`)), make("dd", {}, alarm[part][context.language])]);
}

async function loadHistory(id) {
  const query = `alarm=${encodeURIComponent(id)}&order=newest&limit=${HISTORY_ROWS}&start=${Math.floor(stationNow()) - HISTORY_MS}`;
  try {
    const { items } = await ask(stationPath(`/alarms/journal?${query}`));
    if (id !== shownId) return;
    byId("detail-history").replaceChildren(items.length ? journalTable(items, { short: true }) : noteOf(word("journal_none")));
  } catch (error) {
    byId("detail-history").replaceChildren(noteOf(problemOf(error), "problem"));
  }
}
