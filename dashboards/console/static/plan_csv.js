// A day's plan as CSV: truck,ID,time,kg and trailer,ID,time,kg,bay.

import { localMs, word } from "./dom.js";

const KINDS = { truck: "trucks", trailer: "trailers" };

/** Return {trucks, trailers, problems} of a CSV text; times in ms. */
export function readCsv(text, date) {
  const found = { trucks: [], trailers: [], problems: [] };
  for (const [at, line] of text.replace(/^\uFEFF/, "").split(/\r?\n/).entries()) {
    const cells = line.split(/[,;\t]/).map((one) => one.trim().replace(/^"(.*)"$/, "$1"));
    if (!line.trim() || line.startsWith("#") || cells.includes("kg")) continue; // A line that names the columns.
    const problem = takeLine(cells, date, found);
    if (problem) found.problems.push(word("csv_wrong", at + 1, problem));
  }
  return found;
}

function takeLine([kind, id, time, kg, bay], date, found) {
  const list = found[KINDS[(kind || "").toLowerCase()]];
  if (!list || !id || !time || !kg) return word("csv_fields");
  const t = timeOf(time, date);
  if (Number.isNaN(t)) return word("csv_time", time);
  if (!(Number(kg) > 0)) return word("csv_kg", kg);
  list.push({ id, t, kg: Number(kg), bay: bay || null });
  return null;
}

/** Return epoch ms of hh:mm on a day, of a local or zoned time, or of epoch ms; NaN where it is none. */
export function timeOf(text, date) {
  if (/^\d{1,2}:\d{2}(:\d{2})?$/.test(text)) return localMs(`${date}T${text.padStart(5, "0")}`);
  if (/^\d{12,14}$/.test(text)) return Number(text);
  const zoned = /(Z|[+-]\d{2}:\d{2})$/.test(text);
  return zoned ? Date.parse(text) : localMs(text.replace(" ", "T"));
}
