// What may be done to an alarm: which acts its state and the user's role allow, what each asks for, and the doing.

import { ask, context, fullTime, layout, localMs, localText, stationPath, word } from "./dom.js";
import { openDialog } from "./dialog.js";
import { stationNow } from "./numbers.js";
import { takeAlarm } from "./standing.js";

const REASON = () => ({ name: "reason", label: word("reason"), required: true, maxlength: 400 });
const COMMENT = () => ({ name: "comment", label: word("comment"), maxlength: 500 });
const SHELVES = ["15m", "30m", "1h", "2h", "4h", "8h"]; // Eight hours is one shift, and the longest allowed.
const SHIFT_MS = 8 * 3600000;
const openUntil = () => ({ name: "until", label: word("until_or_open"), kind: "datetime-local" });
const until = () => ({ name: "until", label: word("until"), kind: "datetime-local", required: true, value: localText(stationNow() + SHIFT_MS) });

const ACTS = {
  ack: {
    allowed: (alarm) => !alarm.acked,
    label: "acknowledge",
    title: "acknowledge_which",
    fields: () => [COMMENT()],
    body: ({ comment }) => ({ comment }),
  },
  reset: {
    allowed: (alarm) => alarm.latched && !alarm.active && alarm.acked,
    label: "reset",
    title: "reset_which",
    fields: () => [COMMENT()],
    body: ({ comment }) => ({ comment }),
  },
  shelve: {
    allowed: (alarm) => !alarm.safety && alarm.state !== "OUT_OF_SERVICE",
    label: "shelve",
    title: "shelve_which",
    note: () => word("shelve_note"),
    fields: () => [{ name: "for", label: word("shelve_for"), kind: "select", value: "30m", options: SHELVES.map((one) => [one, word(`for_${one}`)]) }, REASON()],
    body: ({ for: length, reason }) => ({ for: length, reason }),
  },
  unshelve: {
    allowed: (alarm) => alarm.shelved_until !== null && alarm.state !== "OUT_OF_SERVICE",
    label: "unshelve",
    title: "unshelve_which",
    fields: () => [],
    body: () => null,
  },
  "out-of-service": {
    allowed: (alarm) => alarm.out_of_service_by === null && alarm.out_of_service_asked_by !== context.user,
    label: "out_of_service",
    title: "out_of_service_which",
    note: (alarm) => (alarm.out_of_service_asked_by ? word("second_of_two", alarm.out_of_service_asked_by) : alarm.safety ? word("first_of_two") : ""),
    fields: () => [{ ...REASON(), label: word("reason_permit") }, openUntil()],
    body: ({ reason, until: end }) => ({ reason, until: end ? localMs(end) : null }),
  },
  "return-to-service": {
    allowed: (alarm) => alarm.out_of_service_by !== null || alarm.out_of_service_asked_by !== null,
    label: "return_to_service",
    title: "return_which",
    fields: () => [COMMENT()],
    body: ({ comment }) => ({ comment }),
  },
};

/** Return the acts that this user may do to an alarm as it stands. */
export const actsOn = (alarm) => (context.may_operate ? Object.keys(ACTS).filter((name) => ACTS[name].allowed(alarm)) : []);

/** Return the words on an act's button. */
export function labelOf(name, alarm) {
  if (name === "out-of-service" && alarm.out_of_service_asked_by) return word("confirm_out_of_service");
  if (name === "return-to-service" && alarm.out_of_service_by === null) return word("withdraw");
  return word(ACTS[name].label);
}

export const titleOf = (name, alarm) => word(ACTS[name].title, alarm.id);

const helpOf = (alarm) => ["cause", "consequence", "action"].filter((part) => alarm[part]?.[context.language]).map((part) => [word(`help_${part}`), alarm[part][context.language]]);

/** Open the dialog of an act on one alarm. */
export function openAct(alarm, name) {
  const act = ACTS[name];
  openDialog({
    title: titleOf(name, alarm),
    text: [alarm.text[context.language], act.note?.(alarm)].filter(Boolean).join(" · "),
    help: helpOf(alarm),
    fields: act.fields(),
    label: labelOf(name, alarm),
    perform: async (values) => {
      takeAlarm(await post(alarm, name, act.body(values)));
    },
  });
}

const post = (alarm, name, body) => ask(stationPath(`/alarms/${encodeURIComponent(alarm.id)}/${name}`), { method: "POST", body });

/** Open the dialog that acknowledges many; what was refused is said, the others are done. */
export function openAckOfMany(alarms, done) {
  openDialog({
    title: word("acknowledge_many", alarms.length),
    text: alarms.slice(0, 8).map(({ id }) => id).join(", ") + (alarms.length > 8 ? " …" : ""),
    fields: [COMMENT()],
    label: word("acknowledge"),
    perform: async ({ comment }) => {
      const failed = [];
      for (const alarm of alarms) await post(alarm, "ack", { comment }).then(takeAlarm, (error) => failed.push(`${alarm.id}: ${error.message}`));
      done();
      if (failed.length) throw new Error(failed.join("; "));
    },
  });
}

/** Open the dialog that changes a signal's limits. */
export async function openLimits(tag, changed) {
  const [area, unit] = layout.signals[tag].at.split("/");
  const { items } = await ask(stationPath(`/signals?area=${area}&unit=${encodeURIComponent(unit)}`));
  const { limits, unit: measure } = items.find(({ signal }) => signal === tag);
  openDialog({
    title: word("limits_which", tag),
    text: word("limits_note"),
    fields: [...Object.entries(limits).map(([name, at]) => ({ name, label: `${name} [${measure}]`, kind: "number", step: "any", value: at, required: true })), REASON()],
    label: word("change"),
    perform: async ({ reason, ...wanted }) => {
      const body = { reason, limits: Object.fromEntries(Object.entries(wanted).map(([name, text]) => [name, Number(text)])) };
      const answer = await ask(stationPath(`/signals/${encodeURIComponent(tag)}/limits`), { method: "PUT", body });
      layout.signals[tag].limits = answer.limits;
      answer.changed.forEach(takeAlarm);
      changed();
    },
  });
}

/** Open the dialog that puts a unit into maintenance, or completes what a first user asked. */
export function openMaintenance(key, changed, held = null) {
  openDialog({
    title: word("maintenance_which", layout.units[key] || key),
    text: held ? word("second_of_two", held.who) : word("maintenance_note"),
    fields: held ? [{ ...REASON(), label: word("reason_permit") }] : [{ ...REASON(), label: word("reason_permit") }, until()],
    label: word(held ? "confirm" : "begin"),
    perform: async ({ reason, until: end }) => {
      const body = { reason, until: held ? held.until : localMs(end) };
      const answer = await ask(maintenancePath(key), { method: "PUT", body });
      changed();
      return answer.pending.length && !held ? pendingNews(answer) : null;
    },
  });
}

const maintenancePath = (key) => stationPath(`/units/${key.split("/").map(encodeURIComponent).join("/")}/maintenance`);

const pendingNews = ({ pending, until }) => ({
  title: word("pending_title"),
  text: word("pending_text", fullTime(until)),
  help: [[word("pending_alarms"), pending.join(", ")]],
  label: word("understood"),
  perform: async () => null,
});

/** Open the dialog that ends a unit's maintenance. */
export function openMaintenanceEnd(key, changed) {
  openDialog({
    title: word("maintenance_end_which", layout.units[key] || key),
    text: word("maintenance_end_note"),
    label: word("end_maintenance"),
    perform: async () => {
      await ask(maintenancePath(key), { method: "DELETE" });
      changed();
    },
  });
}
