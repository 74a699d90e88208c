// What the sheets of the plant share: the frame, the choice of the day, one load after the other.

import { byId, dayOf, setText, word } from "../dom.js";
import { openFrame, startFrame } from "../frame.js";
import { stationNow } from "../numbers.js";
import { problemOf } from "../dialog.js";

const DAY_MS = 86400000;

/** Begin a page; `opened` is told each time the connection has come back. */
export function startSheet({ values = () => {}, alarm = () => {}, opened = () => {}, second = () => {} } = {}) {
  startFrame({ values, alarm, capacity: () => {}, opened });
  openFrame();
  setInterval(second, 1000);
}

/**
 * Let the day be chosen; `load(query, {date, today})` is called now, with each change, and of today each minute.
 * @returns {() => void} what loads anew.
 */
export function startDay(load) {
  const field = byId("day");
  const today = () => dayOf(stationNow());
  field.value = today();
  field.max = field.value;
  let mine = 0;
  let followed = true; // Of today until another day is chosen: midnight takes the page along.
  const again = async () => {
    field.max = today();
    if (followed) field.value = today();
    byId("day-after").disabled = field.value >= today();
    if (!field.value || field.value > today()) return;
    const asked = ++mine;
    const isToday = field.value === today();
    setText(byId("day-note"), word("loading"));
    try {
      await load(isToday ? "" : `date=${field.value}`, { date: field.value, today: isToday, isNewest: () => asked === mine });
      if (asked === mine) setText(byId("day-note"), isToday ? word("day_so_far") : "");
    } catch (error) {
      if (asked === mine) setText(byId("day-note"), problemOf(error));
    }
  };
  const choose = (day) => {
    field.value = day;
    followed = day === today();
    again();
  };
  const step = (days) => choose(shifted(field.value || today(), days));
  field.addEventListener("change", () => choose(field.value));
  byId("day-form").addEventListener("submit", (event) => event.preventDefault());
  byId("day-before").addEventListener("click", () => step(-1));
  byId("day-after").addEventListener("click", () => step(1));
  setInterval(() => followed && !document.hidden && again(), 60000);
  again();
  return again;
}

const shifted = (day, days) => new Date(Date.parse(`${day}T00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);

/** Return a number with so many digits, or a dash where it is not known. */
export const numberOf = (value, digits = 1) => (value === null || value === undefined ? "–" : value.toFixed(digits));

/** Return queries joined: empty ones are left out. */
export const queryOf = (...parts) => {
  const given = parts.filter(Boolean).join("&");
  return given && `?${given}`;
};
