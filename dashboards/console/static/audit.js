// The audit: every act and every refusal of the last week, newest first, page by page.

import { ask, byId, fullTime, word } from "./dom.js";
import { problemOf } from "./dialog.js";
import { addRows, noteOf, rowOf, tableOf } from "./sheet_table.js";

const PAGE = 50;
let cursor = null;

/** Begin with the newest page. */
export function startAudit() {
  byId("audit-form").addEventListener("submit", (event) => {
    event.preventDefault();
    loadAudit();
  });
  byId("audit-more").addEventListener("click", more);
  loadAudit();
}

/** Load the newest page anew. */
export async function loadAudit() {
  cursor = null;
  await more();
}

async function more() {
  const place = byId("audit-rows");
  const who = byId("audit-who").value.trim();
  const query = [`limit=${PAGE}`, who && `who=${encodeURIComponent(who)}`, cursor && `cursor=${cursor}`].filter(Boolean).join("&");
  try {
    const { items, next_cursor: next } = await ask(`/api/v1/audit?${query}`);
    const rows = items.map(drawn);
    if (cursor) addRows(place.querySelector("table"), rows);
    else place.replaceChildren(rows.length ? tableOf(["column_time", "column_who", "role", "address", "action", "answer"].map((key) => word(key)), rows) : noteOf(word("audit_none")));
    cursor = next;
  } catch (error) {
    place.append(noteOf(problemOf(error), "problem"));
    cursor = null;
  }
  byId("audit-more").hidden = cursor === null;
}

const DENIED = new Set([401, 403, 429]);

function drawn({ at, who, role, address, action, status }) {
  const answer = status < 400 ? `✓ ${word("done")}` : DENIED.has(status) ? `✕ ${word("denied")}` : `! ${word("failed_act")}`;
  return rowOf([fullTime(at), who, role && word(`short_${role}`), address, action, `${answer} ${status}`], { "data-status": String(status) });
}
