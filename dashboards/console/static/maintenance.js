// Units in maintenance: which, until when, by whom, what waits for a second user.

import { ask, byId, context, fullTime, layout, make, stationPath, word } from "./dom.js";
import { openMaintenance, openMaintenanceEnd } from "./alarm_acts.js";
import { problemOf } from "./dialog.js";
import { buttonOf, noteOf, rowOf, tableOf } from "./sheet_table.js";

/** Begin. */
export function startMaintenance() {
  byId("maintenance-form")?.addEventListener("submit", (event) => {
    event.preventDefault();
    openMaintenance(byId("maintenance-unit").value, loadMaintenance);
  });
  byId("maintenance-unit")?.append(...Object.entries(layout.units).map(([key, name]) => make("option", { value: key }, `${name} (${key})`)));
}

/** Load the list anew. */
export async function loadMaintenance() {
  const place = byId("maintenance-rows");
  try {
    const { items } = await ask(stationPath("/maintenance"));
    const heads = ["column_unit", "column_until", "column_who", "column_pending", ...(context.may_operate ? ["column_acts"] : [])];
    place.replaceChildren(items.length ? tableOf(heads.map((key) => word(key)), items.map(drawn)) : noteOf(word("maintenance_none")));
    byId("maintenance-count").textContent = items.length || "";
  } catch (error) {
    place.replaceChildren(noteOf(problemOf(error), "problem"));
  }
}

function drawn(item) {
  const key = `${item.area}/${item.unit}`;
  const cells = [layout.units[key] || key, fullTime(item.until), item.who, item.pending.join(", ")];
  return rowOf(context.may_operate ? [...cells, buttonsOf(key, item)] : cells, { "data-unit": key });
}

function buttonsOf(key, item) {
  const buttons = [buttonOf(word("end_maintenance"), word("maintenance_end_which", layout.units[key]), () => openMaintenanceEnd(key, loadMaintenance))];
  if (item.pending.length && item.who !== context.user) buttons.push(buttonOf(word("confirm"), word("confirm_which", layout.units[key]), () => openMaintenance(key, loadMaintenance, item)));
  return buttons;
}
