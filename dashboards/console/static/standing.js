// The alarms that are not normal, as the API lists them and the stream changes them.

import { ask, stationPath } from "./dom.js";

const MOST = 10000; // More than a station has alarms: in a flood none may be left out.
const standing = new Map(); // id -> alarm
let tell = () => {};
let queued = false; // Many alarms in one moment are told once.

/** Call `changed()` when an alarm has changed. */
export function onStanding(changed) {
  tell = changed;
}

export const standingAlarms = () => [...standing.values()];
export const standingAlarm = (id) => standing.get(id);

/** Load every alarm anew, and again until the server answers. */
export async function loadAlarms() {
  try {
    const { items } = await ask(stationPath(`/alarms?limit=${MOST}`));
    standing.clear();
    for (const alarm of items) standing.set(alarm.id, alarm);
    soon();
  } catch {
    setTimeout(loadAlarms, 2000);
  }
}

/** Take one alarm that changed. What late data told is in the journal alone: it says nothing of now. */
export function takeAlarm(alarm) {
  if (alarm.late) return;
  if (alarm.state === "NORM" && !alarm.out_of_service_asked_by) standing.delete(alarm.id);
  else standing.set(alarm.id, alarm);
  soon();
}

function soon() {
  if (queued) return;
  queued = true;
  setTimeout(() => {
    queued = false;
    tell();
  }, 50);
}
