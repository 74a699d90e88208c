// Tables of the console's sheets: heads, rows of texts, and buttons in the last cell.

import { make } from "./dom.js";

/** Return a table of [head, ..] and rows. */
export function tableOf(heads, rows) {
  const head = make("tr", {}, ...heads.map((name) => make("th", { scope: "col" }, name)));
  const table = make("table", {}, make("thead", {}, head), make("tbody"));
  addRows(table, rows);
  return table;
}

/** Add rows to a table; each cell knows its head, since a phone shows a row as a card. */
export function addRows(table, rows) {
  const heads = [...table.tHead.rows[0].cells].map(({ textContent }) => textContent);
  for (const row of rows) for (const [at, cell] of [...row.cells].entries()) cell.dataset.head = heads[at];
  table.tBodies[0].append(...rows);
}

/** Return a row of cells: texts or elements; `attributes` are the row's. */
export const rowOf = (cells, attributes = {}) => make("tr", attributes, ...cells.map((cell) => make("td", {}, ...[cell].flat())));

/** Return a button with its full name for those who hear the page. */
export function buttonOf(text, name, act) {
  const made = make("button", { type: "button", "aria-label": name }, text);
  made.addEventListener("click", act);
  return made;
}

/** Return a paragraph in place of rows. */
export const noteOf = (text, kind = "muted") => make("p", { class: kind }, text);
