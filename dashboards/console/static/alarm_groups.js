// In which sections the list stands: by common cause, by area in a flood, or by time alone.

import { layout, word } from "./dom.js";
import { areaOf } from "./alarm_filter.js";
import { newest, order } from "./alarm_words.js";
import { stationNow } from "./numbers.js";

const TEN_MIN_MS = 600000;
const FLOOD_BEGINS = 10; // More than this in 10 min, until fewer than the next: EEMUA 191.
const FLOOD_ENDS = 5;
const FEW = 6; // So many of a group's lesser alarms are read at a glance; more are folded.

let inFlood = false;
const seen = new Map(); // occurrence -> when it was raised

/** Return how many alarms were raised in the last 10 min while there are too many for a person, else 0. */
export function floodOf(alarms) {
  const now = stationNow();
  for (const alarm of alarms) if (alarm.raised_at) seen.set(alarm.occurrence, Date.parse(alarm.raised_at));
  for (const [occurrence, t] of seen) if (now - t > TEN_MIN_MS) seen.delete(occurrence);
  if (seen.size > FLOOD_BEGINS) inFlood = true;
  else if (seen.size < FLOOD_ENDS) inFlood = false;
  return inFlood ? seen.size : 0;
}

const serious = (alarm) => alarm.priority === "critical" || alarm.priority === "high";

/** Return sections {key, title, alarms, first, lesser}: `lesser` may be folded, critical and high never are. */
export function sectionsOf(alarms, view) {
  if (view === "time") return [{ key: "time", title: "", alarms: [...alarms].sort(newest), first: null, lesser: [] }];
  if (view === "area") return byArea(alarms);
  return byCause(alarms);
}

function grouped(alarms, keyOf) {
  const groups = new Map();
  for (const alarm of alarms) {
    const key = keyOf(alarm);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(alarm);
  }
  return [...groups];
}

function byArea(alarms) {
  const groups = grouped(alarms, areaOf).map(([key, members]) => section(`area ${key}`, layout.areas[key], members, 0));
  return groups.sort((one, other) => order(one.best, other.best));
}

function byCause(alarms) {
  const groups = grouped(alarms, ({ group }) => group);
  const found = groups.map(([key, members]) => (members.length > 1 ? section(`cause ${key}`, groupName(key), members, FEW) : single(members[0])));
  return found.sort((one, other) => order(one.best, other.best));
}

const groupName = (key) => layout.units[key] || { capacity: word("capacity") }[key] || layout.areas.system;
const single = (alarm) => ({ key: `one ${alarm.id}`, title: "", alarms: [alarm], first: null, lesser: [], best: alarm });

function section(key, title, members, few) {
  const sorted = members.sort(order);
  const first = sorted.filter((alarm) => alarm.first_out).sort(newest).at(-1) || null; // Of later bursts the first ones are consequences too.
  const lesser = sorted.filter((alarm) => !serious(alarm) && alarm !== first);
  const folds = lesser.length > few;
  return { key, title, first, best: sorted[0], alarms: folds ? sorted.filter((alarm) => !lesser.includes(alarm)) : sorted, lesser: folds ? lesser : [] };
}
