// The overview's alarm list, and the banner of the highest unacknowledged alarm.

import { byId, context, make, setText, word } from "./dom.js";
import { openAct, titleOf } from "./alarm_acts.js";
import { isHidden, needsAck, order, raisedAt, valueAndLimit } from "./alarm_words.js";
import { startDialog } from "./dialog.js";
import { onStanding, standingAlarms } from "./standing.js";
import { PRIORITIES, symbol, takeStanding } from "./symbols.js";
import { wholeRows } from "./whole_rows.js";

const isWall = "wall" in document.documentElement.dataset;
let onChange = () => {};
let fit = () => 0;

/** Begin; `changed()` is called when an alarm changes. */
export function startAlarms(changed) {
  onChange = changed;
  startDialog();
  onStanding(show);
  fit = wholeRows(byId("alarm-list"));
  new ResizeObserver(fitRows).observe(byId("alarms"));
  byId("banner-ack").addEventListener("click", () => highestUnacked() && openAct(highestUnacked(), "ack"));
}

const listed = () => standingAlarms().filter((alarm) => alarm.state !== "NORM" && !isHidden(alarm));
const highestUnacked = () => listed().filter(needsAck).sort(order)[0];

function show() {
  const alarms = listed().sort(order);
  takeStanding(alarms);
  showList(alarms);
  showCounts(alarms);
  showBanner();
  const hidden = standingAlarms().filter(isHidden).length;
  byId("alarms-hidden").hidden = hidden === 0;
  setText(byId("alarms-hidden"), word("hidden_alarms", hidden));
  byId("alarms-none").hidden = alarms.length > 0;
  fitRows();
  onChange();
}

/** Let whole rows only be seen; where nobody can scroll, say how many are not. */
function fitRows() {
  const more = byId("alarms-more");
  more.hidden = !isWall; // Its line takes room, too.
  const below = fit();
  more.hidden = !isWall || below === 0;
  setText(more, word("more_alarms", below));
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
  const what = make("span", { class: "alarm-text" }, text, make("span", { class: "alarm-id muted" }, ` ${[alarm.id, valueAndLimit(alarm)].filter(Boolean).join(" · ")} `), first);
  const row = make("li", { "data-id": alarm.id, "data-key": key, class: needsAck(alarm) ? "unacked" : "acked" });
  row.append(symbol(alarm.priority, !needsAck(alarm)), make("time", {}, raisedAt(alarm)), what, state);
  const button = buttonOf(alarm);
  if (button) row.append(button);
  return row;
}

function buttonOf(alarm) {
  if (!context.may_operate) return null;
  const act = needsAck(alarm) ? "ack" : alarm.state === "LATCHED" ? "reset" : null;
  if (!act || (act === "reset" && alarm.active)) return null;
  const button = make("button", { type: "button", "aria-label": titleOf(act, alarm) }, word(act === "ack" ? "acknowledge" : "reset"));
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
