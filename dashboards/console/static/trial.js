// "Test horn and notices": what each target answered.

import { ask, byId, make, stationPath, word } from "./dom.js";
import { problemOf } from "./dialog.js";

const LONGEST_MS = 60000; // Targets that stall answer late; the API has a limit of its own below this.

/** Begin. */
export function startTrial() {
  byId("trial")?.addEventListener("click", tryOut);
}

async function tryOut() {
  const place = byId("trial-result");
  byId("trial").disabled = true;
  place.hidden = false;
  place.replaceChildren(make("p", {}, word("trial_running")));
  try {
    const { items } = await ask(stationPath("/alarms/test"), { method: "POST", timeoutMs: LONGEST_MS });
    place.replaceChildren(make("h3", {}, word("trial_title")), listOf([[word("trial_horn"), true, word("trial_horn_sounded")], ...items.map(({ target, ok, answer }) => [target, ok, answer])]));
  } catch (error) {
    const parts = error.status === 409 ? [listOf([[word("trial_horn"), true, word("trial_horn_sounded")]]), make("p", {}, word("trial_no_notices"))] : [make("p", { class: "problem" }, problemOf(error))];
    place.replaceChildren(make("h3", {}, word("trial_title")), ...parts);
  } finally {
    byId("trial").disabled = false;
  }
}

function listOf(rows) {
  return make("ul", { class: "trial" }, ...rows.map(([target, ok, answer]) => make("li", { "data-ok": String(ok) }, make("b", {}, target), ` ${ok ? `✓ ${word("trial_ok")}` : ok === null ? `… ${word("trial_waits")}` : `✕ ${word("trial_failed")}`} `, make("span", { class: "muted" }, answer || ""))));
}
