// What the station file says: the number with its unit, where it comes from, what stands beside it.

import { ask, hasWord, make, stationPath, word } from "../dom.js";
import { noteOf, rowOf, tableOf } from "../sheet_table.js";

const UNITS = [
  ["_mpa_min", "MPa/min"], ["_kg_h", "kg/h"], ["_g_s", "g/s"], ["_mpa", "MPa"], ["_m3", "m³"], ["_kw", "kW"], ["_kg", "kg"],
  ["_c", "°C"], ["_k", "K"], ["_h", "h"], ["_min", "min"], ["_s", "s"], ["_h_sd", "kg/h"], ["_litres", "L"],
];

const SHARES = "trailer_underfill"; // `_min` is the least there, not minutes.

/** Return the facts of a unit or a section; throws where the server does not answer. */
export async function loadFacts(query) {
  return (await ask(stationPath(`/facts?${query}`))).items;
}

/** Return facts as a table, or a note that there are none. */
export function factTable(facts) {
  if (!facts.length) return noteOf(word("facts_none"));
  const heads = ["column_fact", "column_value", "column_mark", "column_remark"].map((key) => word(key));
  return tableOf(heads, facts.map((fact, at) => drawn(fact, facts[at - 1]?.note)));
}

/** Return a fact's name in the page's language, with the key that the file has. */
export function factName(key) {
  return hasWord(`fact_${key}`) ? [word(`fact_${key}`), make("span", { class: "muted small named" }, ` ${key}`)] : key;
}

// A remark that stands above a whole row of the file is shown once.
function drawn(fact, noteBefore) {
  const unit = fact.key.startsWith(SHARES) ? "" : UNITS.find(([end]) => fact.key.endsWith(end))?.[1] ?? "";
  const value = typeof fact.value === "number" && unit ? `${fact.value} ${unit}` : String(fact.value);
  const cells = [factName(fact.key), value, markOf(fact), fact.note === noteBefore ? "" : fact.note];
  return rowOf(cells, { "data-key": fact.key });
}

function markOf({ mark, is_default: isDefault }) {
  const told = (mark || "").split("/").filter(Boolean);
  const names = told.map((one) => word(`mark_${one}`)).join(", ");
  const chip = told.length ? make("abbr", { class: "origin", title: names }, told.map((one) => `[${one}]`).join("")) : word("mark_none");
  return isDefault ? [chip, make("span", { class: "muted small" }, ` ${word("mark_default")}`)] : [chip];
}
