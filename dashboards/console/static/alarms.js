// The alarm list, the banner of the highest unacknowledged alarm, and what an operator may do to them.

import { ask, byId, clockTime, context, dayOf, layout, make, minuteTime, setText, stationPath, word } from "./dom.js";
import { shown, stationNow } from "./numbers.js";
import { PRIORITIES, symbol, takeStanding } from "./symbols.js";

const HIDDEN = new Set(["SUPPRESSED", "SHELVED", "OUT_OF_SERVICE"]);
const standing = new Map(); // id -> alarm that is not normal
let onChange = () => {};
let inHand = null; // {alarm, act} of the open dialog

/** Begin; `changed()` is called when an alarm changes. */
export function startAlarms(changed) {
  onChange = changed;
  byId("act-cancel").addEventListener("click", () => byId("act").close());
  byId("act").querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    perform();
  });
  byId("banner-ack").addEventListener("click", () => openAct(highestUnacked(), "ack"));
}

/** Load every alarm anew. */
export async function loadAlarms() {
  const { items } = await ask(stationPath("/alarms"));
  standing.clear();
  for (const alarm of items) standing.set(alarm.id, alarm);
  show();
}

/** Take one alarm that changed. */
export function takeAlarm(alarm) {
  if (alarm.state === "NORM") standing.delete(alarm.id);
  else standing.set(alarm.id, alarm);
  if (!queued) requestAnimationFrame(show);
  queued = true;
}

let queued = false; // Many alarms in one moment are drawn once.

const listed = () => [...standing.values()].filter((alarm) => !HIDDEN.has(alarm.state));
const needsAck = (alarm) => !alarm.acked && ["UNACK", "RTNUN", "LATCHED"].includes(alarm.state);

function order(one, other) {
  const unacked = Number(needsAck(other)) - Number(needsAck(one));
  const priority = PRIORITIES.indexOf(one.priority) - PRIORITIES.indexOf(other.priority);
  return priority || unacked || Date.parse(other.raised_at || 0) - Date.parse(one.raised_at || 0);
}

const highestUnacked = () => listed().filter(needsAck).sort(order)[0];

function show() {
  queued = false;
  const alarms = listed().sort(order);
  takeStanding(alarms);
  showList(alarms);
  showCounts(alarms);
  showBanner();
  const hidden = standing.size - alarms.length;
  byId("alarms-hidden").hidden = hidden === 0;
  setText(byId("alarms-hidden"), word("hidden_alarms", hidden));
  byId("alarms-none").hidden = alarms.length > 0;
  onChange();
}

function showList(alarms) {
  const list = byId("alarm-list");
  const focused = document.activeElement?.closest?.("li")?.dataset.id;
  const rows = new Map([...list.children].map((row) => [row.dataset.id, row]));
  const wanted = alarms.map((alarm) => {
    const key = JSON.stringify([alarm.occurrence, alarm.state, alarm.priority, alarm.value, alarm.text]);
    const old = rows.get(alarm.id);
    return old?.dataset.key === key ? old : rowOf(alarm, key);
  });
  if (wanted.length !== list.children.length || wanted.some((row, at) => row !== list.children[at])) {
    list.replaceChildren(...wanted);
    if (focused) list.querySelector(`li[data-id="${CSS.escape(focused)}"] button`)?.focus();
  }
}

function rowOf(alarm, key) {
  const text = alarm.text[context.language];
  const state = make("span", { class: "alarm-state" }, word(`state_${alarm.state}`));
  const first = alarm.first_out ? make("span", { class: "first" }, word("first_out")) : null;
  const what = make("span", { class: "alarm-text" }, text, make("span", { class: "alarm-id muted" }, ` ${alarm.id}${valueAndLimit(alarm)} `), first);
  const row = make("li", { "data-id": alarm.id, "data-key": key, class: needsAck(alarm) ? "unacked" : "acked" });
  row.append(symbol(alarm.priority, !needsAck(alarm)), make("time", {}, raisedAt(alarm)), what, state);
  const button = buttonOf(alarm);
  if (button) row.append(button);
  return row;
}

function valueAndLimit(alarm) {
  const signal = layout.signals[alarm.signal];
  if (!signal || alarm.value === null) return "";
  const value = `${shown(alarm.signal, alarm.value)}${signal.unit && ` ${signal.unit}`}`;
  return ` · ${alarm.limit === null || signal.states ? value : word("value_limit", value, shown(alarm.signal, alarm.limit))}`;
}

function raisedAt(alarm) {
  const t = Date.parse(alarm.raised_at);
  if (Number.isNaN(t)) return "";
  return dayOf(t) === dayOf(stationNow()) ? clockTime(t) : `${dayOf(t).slice(5)} ${minuteTime(t)}`;
}

function buttonOf(alarm) {
  if (!context.may_operate) return null;
  const act = needsAck(alarm) ? "ack" : alarm.state === "LATCHED" ? "reset" : null;
  if (!act || (act === "reset" && alarm.active)) return null;
  const [name, which] = act === "ack" ? ["acknowledge", "acknowledge_which"] : ["reset", "reset_which"];
  const button = make("button", { type: "button", "aria-label": word(which, alarm.id) }, word(name));
  button.addEventListener("click", () => openAct(alarm, act));
  return button;
}

function showCounts(alarms) {
  const counts = PRIORITIES.map((priority) => [priority, alarms.filter((alarm) => alarm.priority === priority).length]);
  const parts = counts.filter(([, count]) => count).map(([priority, count]) => make("span", { class: "count" }, symbol(priority), ` ${count}`));
  byId("alarm-counts").replaceChildren(...parts);
}

function showBanner() {
  const alarm = highestUnacked();
  const banner = byId("banner");
  const key = alarm ? `${alarm.occurrence}${alarm.state}${alarm.priority}${alarm.text.en}` : "";
  if (banner.dataset.key === key) return;
  banner.dataset.key = key;
  banner.dataset.priority = alarm?.priority || "";
  byId("banner-symbol").replaceChildren(...(alarm ? [symbol(alarm.priority, false)] : []));
  setText(byId("banner-time"), alarm ? raisedAt(alarm) : "");
  setText(byId("banner-text"), alarm ? alarm.text[context.language] : word("no_unacked"));
  byId("banner-ack").hidden = !alarm || !context.may_operate;
}

function openAct(alarm, act) {
  if (!alarm) return;
  inHand = { alarm, act };
  setText(byId("act-title"), word(act === "ack" ? "acknowledge_which" : "reset_which", alarm.id));
  setText(byId("act-text"), alarm.text[context.language]);
  setText(byId("act-do"), word(act === "ack" ? "acknowledge" : "reset"));
  const help = ["cause", "consequence", "action"].filter((part) => alarm[part]?.[context.language]);
  byId("act-help").replaceChildren(...help.flatMap((part) => [make("dt", {}, word(`help_${part}`)), make("dd", {}, alarm[part][context.language])]));
  byId("act-problem").hidden = true;
  byId("act-comment").value = "";
  byId("act").showModal();
  byId("act-comment").focus();
}

async function perform() {
  const { alarm, act } = inHand;
  byId("act-do").disabled = true;
  try {
    const body = { comment: byId("act-comment").value };
    takeAlarm(await ask(stationPath(`/alarms/${encodeURIComponent(alarm.id)}/${act}`), { method: "POST", body }));
    byId("act").close();
  } catch (error) {
    setText(byId("act-problem"), word("act_failed", error.message));
    byId("act-problem").hidden = false;
  } finally {
    byId("act-do").disabled = false;
  }
}

