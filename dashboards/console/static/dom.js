// Small things that every part of the console uses: elements, the page's data, words, times, requests.

export const byId = (id) => document.getElementById(id);

const read = (name) => {
  const holder = byId(`data-${name}`);
  return holder ? JSON.parse(holder.textContent) : {};
};

const texts = read("texts");
export const layout = read("layout");
export const context = read("context");

/** Return a text of the page's language with {0}, {1} filled in. */
export function word(key, ...values) {
  return texts[key].replace(/\{(\d)\}/g, (_, number) => String(values[Number(number)]));
}

/** Return whether there is a text of this key: what the API names may be newer than the page. */
export const hasWord = (key) => key in texts;

/** Return a new element; `parts` are texts and elements. */
export function make(name, attributes = {}, ...parts) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...parts.filter((part) => part !== null && part !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** Return a new SVG element. */
export function draw(name, attributes = {}, ...parts) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...parts);
  return element;
}

/** Return a text in which no unit is broken from its number: "3971 / 4002" in one line and "kg" in the next is read twice. */
export const unbroken = (text) => text.replace(/(\d) (?=kg|%|min|h\b|°C|MPa|分|小时)/g, "$1\u00a0");

/** Set a text only where it differs: an unchanged screen costs no layout. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const locale = context.language === "zh" ? "zh-CN" : "en-GB";
const zone = layout.timezone || "UTC";
const formats = {
  clock: new Intl.DateTimeFormat(locale, { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }),
  minute: new Intl.DateTimeFormat(locale, { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
  day: new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }),
  offset: new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeZoneName: "longOffset" }),
};

export const clockTime = (ms) => formats.clock.format(ms);
export const minuteTime = (ms) => formats.minute.format(ms);
/** Return the station day of a moment as 2026-11-23. */
export const dayOf = (ms) => formats.day.format(ms);

/** Return a moment of the API in full, by the station's clock; empty where there is none. */
export function fullTime(text) {
  const t = Date.parse(text);
  return Number.isNaN(t) ? "" : `${dayOf(t)} ${clockTime(t)}`;
}

const QUARTER_MS = 900000; // No zone changes its offset between quarters of an hour.
const offsets = new Map(); // A chart asks thousands of times, and each answer of Intl takes microseconds.

/** Return minutes east of UTC at the station. */
export function offsetMinutes(ms) {
  const quarter = Math.floor(ms / QUARTER_MS);
  if (!offsets.has(quarter)) offsets.set(quarter, offsetOf(quarter * QUARTER_MS));
  return offsets.get(quarter);
}

function offsetOf(ms) {
  const name = formats.offset.formatToParts(ms).find((part) => part.type === "timeZoneName").value;
  const [, sign, hours, minutes] = name.match(/GMT(?:([+-])(\d+):(\d+))?/) || [];
  return sign ? (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) : 0;
}

/** Return the zone with its offset: "Asia/Shanghai UTC+8". */
export function zoneName(ms) {
  const minutes = offsetMinutes(ms);
  const hours = Math.trunc(Math.abs(minutes) / 60);
  const rest = Math.abs(minutes) % 60;
  return `${zone} UTC${minutes < 0 ? "-" : "+"}${hours}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
}

/** Return the moment at which the station day of `ms` began. */
export function dayStart(ms) {
  const offset = offsetMinutes(ms) * 60000;
  return Math.floor((ms + offset) / 86400000) * 86400000 - offset;
}

/** Return epoch ms of a local time of the station, 2026-11-23 10:00; NaN where it is none. */
export function localMs(text) {
  const asUtc = Date.parse(`${text.replace(" ", "T")}Z`);
  if (Number.isNaN(asUtc)) return NaN;
  return asUtc - offsetMinutes(asUtc - offsetMinutes(asUtc) * 60000) * 60000;
}

/** Return a moment as the station's local time for a field: 2026-11-23 10:00. */
export const localText = (ms) => `${dayOf(ms)} ${minuteTime(ms)}`;

/** Return a duration as people say it. */
export function duration(minutes) {
  const whole = Math.max(0, Math.round(minutes));
  if (whole < 60) return word("minutes", whole);
  return whole % 60 ? word("hours", Math.floor(whole / 60), whole % 60) : word("whole_hours", whole / 60);
}

export class RequestError extends Error {
  constructor(status, detail, rows = []) {
    super(detail);
    this.status = status;
    this.rows = rows;
  }
}

/** Ask the API below this station; returns the JSON answer, throws RequestError with the server's own words. */
export async function ask(path, { method = "GET", body = null, timeoutMs = 8000, signal = null } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRF-Token"] = context.csrf || "";
  if (body !== null) headers["Content-Type"] = "application/json";
  const late = AbortSignal.timeout(timeoutMs);
  const options = { method, headers, signal: signal ? AbortSignal.any([signal, late]) : late, credentials: "same-origin" };
  if (body !== null) options.body = JSON.stringify(body);
  const answer = await fetch(path, options).catch((error) => {
    throw new RequestError(0, error.message); // No answer at all.
  });
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new RequestError(answer.status, problem.detail || problem.title || `${answer.status}`, problem.errors);
  }
  return answer.status === 204 ? null : answer.json();
}

export const stationPath = (rest = "") => `/api/v1/stations/${encodeURIComponent(layout.id)}${rest}`;

/** Return the API's path of a replay. */
export const replayPath = (id, rest = "") => `/api/v1/replays/${encodeURIComponent(id)}${rest}`;
