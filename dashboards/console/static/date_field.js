// Fields of a date or a moment that read the same in every browser: 2026-12-01, 2026-12-01 10:00.
//
// A browser writes its own date fields the way of its own language, whatever the page's is: 12/01/2026 stood in the
// Chinese page, and nobody could tell the day from the month. So the field is one of text, and the browser's own
// opens as a calendar beside it.

import { make, setText, word } from "./dom.js";

const WRITTEN = /^\s*(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T\s]+(\d{1,2})[:：](\d{2})(?:[:：](\d{2}))?)?\s*$/;
const KINDS = { date: "yyyy-mm-dd", "datetime-local": "yyyy-mm-dd hh:mm" };

/** Let every date field of the page read the same; call it once. */
export function startDateFields() {
  for (const input of document.querySelectorAll("#console input")) {
    if (!(input.type in KINDS)) continue;
    const place = make("span");
    input.before(place); // It is still in its label, whose words name it.
    place.replaceWith(dateField(input));
  }
}

/** Return the field that takes the place of an input; of every other kind of input the input. */
export function dateField(input) {
  const kind = input.type;
  if (!(kind in KINDS)) return input;
  const name = input.getAttribute("aria-label") || nameOf(input);
  const { value } = input;
  input.type = "text";
  input.value = value.replace("T", " ");
  for (const [key, text] of Object.entries({ inputmode: "numeric", autocomplete: "off", placeholder: KINDS[kind], size: KINDS[kind].length + 2, "data-date": kind })) input.setAttribute(key, text);
  if (name) input.setAttribute("aria-label", name);
  const wrong = make("span", { class: "problem", role: "alert" });
  const button = make("button", { type: "button", "aria-label": word("calendar", name), title: word("calendar", name) }, "▾");
  const field = make("span", { class: "date-field" }, input, button, wrong);
  watch(input, kind, wrong);
  button.addEventListener("click", () => openCalendar(field, input, kind));
  return field;
}

function nameOf(input) {
  const label = input.labels?.[0] || input.closest("label");
  return label ? label.textContent.trim() : "";
}

/** Let others hear of whole dates only: half of one is no date, and a wrong one gives way to the one before. */
function watch(input, kind, wrong) {
  let before = input.value;
  input.addEventListener("focus", () => (before = input.value));
  input.addEventListener("input", (event) => {
    wrong.textContent = "";
    if (event.detail?.whole) return;
    event.stopImmediatePropagation();
    if (isoOf(input.value, kind) === input.value) input.dispatchEvent(new Event("change", { bubbles: true }));
  });
  input.addEventListener("change", (event) => {
    const text = input.value.trim();
    const date = text || input.required ? isoOf(text, kind) : "";
    if (date === null) setText(wrong, word("date_wrong", text || "–", KINDS[kind]));
    const isNews = date !== null && !(event.isTrusted && date === before);
    before = input.value = date ?? before;
    if (isNews) input.dispatchEvent(new CustomEvent("input", { bubbles: true, detail: { whole: true } }));
    else event.stopImmediatePropagation();
  });
}

/** Return what was written as 2026-12-01 or 2026-12-01 10:00, null where it is no date. */
function isoOf(text, kind) {
  const [, year, month, day, hour = "0", minute = "00", second] = text.match(WRITTEN) ?? [];
  const at = new Date(Date.UTC(year, month - 1, day, hour, minute, second ?? 0));
  // The thirtieth of February would be the second of March.
  if (!year || at.getUTCMonth() !== month - 1 || at.getUTCDate() !== Number(day) || at.getUTCMinutes() !== Number(minute)) return null;
  const iso = at.toISOString();
  return kind === "date" ? iso.slice(0, 10) : iso.slice(0, second === undefined ? 16 : 19).replace("T", " ");
}

/** Open the browser's own calendar; its names of days and months are in the browser's language. */
function openCalendar(field, input, kind) {
  field.querySelector(".calendar")?.remove();
  const calendar = make("input", { type: kind, class: "calendar", tabindex: "-1", "aria-hidden": "true", max: input.max || null });
  calendar.value = input.value;
  calendar.addEventListener("input", (event) => event.stopPropagation());
  calendar.addEventListener("change", (event) => {
    event.stopPropagation();
    input.value = calendar.value.replace("T", " ");
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
  field.append(calendar);
  calendar.showPicker();
}
