// The grid of completeness: a row a unit, a cell an hour, as full as what came of it; a number where something lacks.

import { clockTime, layout, make, minuteTime, word } from "./dom.js";

export const keyOf = ({ area, unit }) => `${area}/${unit}`;
export const nameOf = (item) => layout.units[keyOf(item)] ?? keyOf(item);
const share = ({ received, expected }) => (expected ? received / expected : 1);
/** Return whole percent, and 100 only where nothing lacks. */
export const percent = (counts) => Math.floor(Math.min(1, share(counts)) * 100);
export const lacks = ({ received, expected }) => expected !== null && received < expected;

/** Return the places of the hours in which nothing was counted of any unit: there was no service, or it stood still. */
function uncountedOf(items) {
  const hours = items[0]?.windows ?? [];
  return new Set(hours.map((_, at) => at).filter((at) => items.every(({ windows }) => kindOf(windows[at]) === "silent")));
}

/** Return how a stretch of time stands: full, short, silent or counted. */
export function kindOf(counts) {
  if (!counts.received && !counts.expected) return "silent";
  if (counts.expected === null) return "counted";
  return lacks(counts) ? "short" : "full";
}

/** Return the grid of the units; `chosen` is called with an item, `all` are the units that are not shown, too. */
export function gridOf(items, all, chosen) {
  const uncounted = uncountedOf(all);
  const hours = items.length ? items[0].windows.map(({ from }) => Date.parse(from)) : [];
  const heads = hours.map((t) => make("th", { scope: "col" }, minuteTime(t).slice(0, 2)));
  const head = make("tr", {}, make("th", { scope: "col" }, word("column_unit")), ...heads, make("th", { scope: "col" }, word("completeness_share")));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...items.map((item) => rowOf(item, hours, uncounted, chosen))));
}

function rowOf(item, hours, uncounted, chosen) {
  const button = make("button", { type: "button" }, nameOf(item));
  button.addEventListener("click", () => chosen(item));
  const whole = make("td", { class: "share", "data-kind": kindOf(item) }, item.expected ? `${percent(item)} %` : "–");
  const cells = item.windows.map((counts, at) => (uncounted.has(at) ? uncountedCell(nameOf(item), hours[at]) : cellOf(counts, nameOf(item), hours[at])));
  return make("tr", { "data-unit": keyOf(item) }, make("th", { scope: "row" }, button), ...cells, whole);
}

function uncountedCell(name, t) {
  const said = word("completeness_cell_uncounted", name, clockTime(t));
  return make("td", { class: "hour", "data-kind": "uncounted", title: said }, make("i", {}), make("b", { "aria-hidden": "true" }, "·"), make("span", { class: "heard" }, said));
}

function cellOf(counts, name, t) {
  const kind = kindOf(counts);
  const { received, expected } = counts;
  const said = expected === null ? word("completeness_cell_counted", name, clockTime(t), received) : word("completeness_cell", name, clockTime(t), received, expected);
  const shown = { short: String(percent(counts)), silent: "–" }[kind] ?? "";
  const cell = make("td", { class: "hour", "data-kind": kind, title: said }, make("i", {}), make("b", { "aria-hidden": "true" }, shown), make("span", { class: "heard" }, said));
  cell.firstChild.style.setProperty("--part", String(kind === "short" ? share(counts) : 1));
  return cell;
}
