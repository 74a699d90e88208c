// The live list: rows in sections, what is chosen in it, and its keys.

import { byId, context, make, setText, word } from "./dom.js";
import { actsOn, labelOf, openAckOfMany, openAct, titleOf } from "./alarm_acts.js";
import { filtered, startFilter } from "./alarm_filter.js";
import { floodOf, sectionsOf } from "./alarm_groups.js";
import { isHidden, needsAck, raisedAt, valueAndLimit } from "./alarm_words.js";
import { standingAlarm, standingAlarms } from "./standing.js";
import { PRIORITIES, symbol } from "./symbols.js";

const MOST_LESSER = 200; // Rows of medium and low in one section: beyond, a filter is the way.
const chosen = new Set(); // ids ticked
const opened = new Set(); // keys of sections whose lesser alarms are shown
let rows = new Map(); // id -> row
let view = "auto";
let open = () => {};

/** Begin; `onOpen(id)` is called when an alarm is to be seen in full. */
export function startList(onOpen) {
  open = onOpen;
  startFilter(showList);
  byId("view").addEventListener("change", (event) => {
    view = event.target.value;
    showList();
  });
  byId("choose-all")?.addEventListener("click", chooseAll);
  byId("ack-many")?.addEventListener("click", acknowledgeMany);
  byId("alarm-groups").addEventListener("keydown", onKey);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest("input, select, textarea, dialog")) return;
    event.preventDefault();
    byId("filter-text").focus();
  });
}

/** Draw the list as it stands. */
export function showList() {
  const all = standingAlarms();
  const flood = floodOf(all.filter((alarm) => !isHidden(alarm)));
  const sections = sectionsOf(filtered(all), view === "auto" ? (flood ? "area" : "cause") : view);
  byId("flood").hidden = !flood;
  setText(byId("flood"), flood ? word("flood", flood) : "");
  const focused = document.activeElement?.closest?.("[data-id]")?.dataset.id;
  const old = rows;
  rows = new Map();
  byId("alarm-groups").replaceChildren(...sections.map((section) => drawSection(section, old)));
  if (focused && document.activeElement === document.body) rows.get(focused)?.querySelector(".what").focus();
  byId("list-empty").hidden = sections.length > 0;
  for (const id of chosen) if (!rows.has(id)) chosen.delete(id);
  tellChosen();
}

function drawSection(section, old) {
  const list = (alarms) => make("ol", {}, ...alarms.map((alarm) => rowOf(alarm, old, alarm === section.first)));
  const parts = section.title ? [headOf(section), list(section.alarms)] : [list(section.alarms)];
  if (section.lesser.length) parts.push(folder(section), ...(opened.has(section.key) ? lesserOf(section, list) : []));
  return make("section", { class: section.title ? "group" : "single", "data-key": section.key, "aria-label": section.title || false }, ...parts);
}

function lesserOf({ lesser }, list) {
  const rest = lesser.length - MOST_LESSER;
  return [list(lesser.slice(0, MOST_LESSER)), rest > 0 ? make("p", { class: "muted" }, word("more_not_shown", rest)) : null].filter(Boolean);
}

function headOf({ title, alarms, lesser, first }) {
  const all = [...alarms, ...lesser];
  const counts = PRIORITIES.map((one) => [one, all.filter(({ priority }) => priority === one).length]).filter(([, number]) => number);
  const said = first ? make("span", { class: "first-said" }, make("span", { class: "first" }, word("first_out")), ` ${first.text[context.language]}`) : null;
  return make("h3", {}, title, ...counts.map(([one, number]) => make("span", { class: "count" }, symbol(one), ` ${number}`)), said);
}

function folder({ key, lesser }) {
  const isOpen = opened.has(key);
  const button = make("button", { type: "button", class: "folder", "aria-expanded": String(isOpen) }, word(isOpen ? "fold" : "unfold", lesser.length));
  button.addEventListener("click", () => {
    if (!opened.delete(key)) opened.add(key);
    showList();
  });
  return button;
}

function rowOf(alarm, old, first) {
  const key = JSON.stringify([alarm.occurrence, alarm.state, alarm.acked, alarm.active, alarm.priority, alarm.value, alarm.text.en, first, alarm.out_of_service_asked_by, alarm.shelved_until, raisedAt(alarm)]);
  const kept = old.get(alarm.id);
  const row = kept?.dataset.was === key ? kept : newRow(alarm, key, first);
  rows.set(alarm.id, row);
  const tick = row.querySelector("input");
  if (tick) tick.checked = chosen.has(alarm.id);
  return row;
}

function newRow(alarm, key, first) {
  const unacked = needsAck(alarm);
  const row = make("li", { "data-id": alarm.id, "data-was": key, class: unacked ? "unacked" : "acked" });
  const what = make("button", { type: "button", class: "what" }, make("span", { class: "alarm-text" }, alarm.text[context.language]), make("span", { class: "alarm-id muted" }, [alarm.id, valueAndLimit(alarm)].filter(Boolean).join(" · ")));
  what.addEventListener("click", () => open(alarm.id));
  const marks = [first && make("span", { class: "first" }, word("first_out")), alarm.out_of_service_asked_by && make("span", { class: "asked" }, word("asked_by", alarm.out_of_service_asked_by))];
  row.append(
    ...(context.may_operate ? [tickOf(alarm)] : []),
    make("span", { class: "weight" }, symbol(alarm.priority, !unacked), make("span", {}, word(alarm.priority))),
    make("time", {}, raisedAt(alarm)),
    what,
    make("span", { class: "marks" }, ...marks.filter(Boolean)),
    make("span", { class: "alarm-state" }, word(`state_${alarm.state}`)),
    ...buttonOf(alarm),
  );
  return row;
}

function tickOf(alarm) {
  const tick = make("input", { type: "checkbox", "aria-label": word("choose", alarm.id) });
  tick.addEventListener("change", () => choose(alarm.id, tick.checked));
  return tick;
}

function buttonOf(alarm) {
  const act = actsOn(alarm).find((name) => name === "ack" || name === "reset");
  if (!act) return [];
  const button = make("button", { type: "button", class: "do", "aria-label": titleOf(act, alarm) }, labelOf(act, alarm));
  button.addEventListener("click", () => openAct(standingAlarm(alarm.id) || alarm, act));
  return [button];
}

function choose(id, on) {
  if (on) chosen.add(id);
  else chosen.delete(id);
  tellChosen();
}

const toAcknowledge = () => [...chosen].map(standingAlarm).filter((alarm) => alarm && !alarm.acked);

function tellChosen() {
  if (!byId("ack-many")) return;
  const count = toAcknowledge().length;
  byId("ack-many").disabled = count === 0;
  setText(byId("ack-many"), word("acknowledge_chosen", count));
}

function chooseAll() {
  const all = [...rows.keys()].filter((id) => needsAck(standingAlarm(id)));
  const on = all.some((id) => !chosen.has(id));
  for (const id of all) {
    choose(id, on);
    rows.get(id).querySelector("input").checked = on;
  }
}

function acknowledgeMany() {
  const alarms = toAcknowledge();
  if (alarms.length) openAckOfMany(alarms, () => chosen.clear());
}

const STEPS = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 };
const KEYS = { a: "ack", s: "shelve", r: "reset" };

function onKey(event) {
  const row = event.target.closest("[data-id]");
  if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
  const alarm = standingAlarm(row.dataset.id);
  if (STEPS[event.key]) step(row, STEPS[event.key]);
  else if (event.key === "x") choose(row.dataset.id, !chosen.has(row.dataset.id));
  else if (event.key === "a" && toAcknowledge().length) acknowledgeMany();
  else if (alarm && actsOn(alarm).includes(KEYS[event.key])) openAct(alarm, KEYS[event.key]);
  else return;
  event.preventDefault();
  const tick = row.querySelector("input");
  if (tick) tick.checked = chosen.has(row.dataset.id);
}

function step(row, by) {
  const all = [...byId("alarm-groups").querySelectorAll("[data-id]")];
  all[all.indexOf(row) + by]?.querySelector(".what").focus();
}
