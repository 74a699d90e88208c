// Settings with their sources, and the station file's numbers with their marks.

import { ask, byId, layout, make, word } from "../dom.js";
import { problemOf } from "../dialog.js";
import { noteOf, rowOf, tableOf } from "../sheet_table.js";
import { factTable, loadFacts } from "./facts.js";
import { startSheet } from "./sheet.js";

startSheet();
if (byId("setting-rows")) loadSettings();
byId("section").addEventListener("change", showSection);
showSection();

async function loadSettings() {
  try {
    const { items } = await ask("/api/v1/settings");
    const heads = ["column_setting", "column_value", "column_source", "column_remark"].map((key) => word(key));
    byId("setting-rows").replaceChildren(tableOf(heads, items.map(drawn)));
  } catch (error) {
    byId("setting-rows").replaceChildren(noteOf(problemOf(error), "problem"));
  }
}

const remarkOf = (name, description) => layout.remarks[name] ?? description.replaceAll("`", "");

function drawn({ name, value, source, description, secret, is_set: isSet }) {
  const shown = secret ? word(isSet ? "secret_set" : "not_set") : (value ?? word("not_set"));
  const origin = word(`source_${source.replace(" ", "_")}`);
  return rowOf([make("code", {}, name), shown, source === "default" ? make("span", { class: "muted" }, origin) : make("b", {}, origin), remarkOf(name, description)], { "data-setting": name });
}

async function showSection() {
  const section = byId("section").value;
  try {
    const facts = await loadFacts(`section=${section}`);
    if (section !== byId("section").value) return;
    const units = [...new Set(facts.map(({ unit }) => unit))];
    const parts = units.flatMap((unit) => [...(unit ? [make("h3", {}, `${layout.units[unit] ?? unit} (${unit})`)] : []), factTable(facts.filter((fact) => fact.unit === unit))]);
    byId("fact-rows").replaceChildren(...(parts.length ? parts : [noteOf(word("facts_none"))]));
  } catch (error) {
    byId("fact-rows").replaceChildren(noteOf(problemOf(error), "problem"));
  }
}
