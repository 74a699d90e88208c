// When the signals in view were in alarm, out of the journal.

import { ask, layout, stationPath } from "./dom.js";

const MOST = 2000; // Rows of the journal, the newest: a month of a restless station holds more than a picture can.

/** Return {spans: [{tag, id, priority, from, to or null}], since: where the rows begin, null if all are there}. */
export async function alarmsIn(tags, [from, to], signal) {
  if (!tags.length) return { spans: [], since: null };
  const wanted = new Set(tags);
  const { items, next_cursor: next } = await ask(stationPath(`/alarms/journal?start=${Math.floor(from)}&end=${Math.ceil(to)}&order=newest&limit=${MOST}`), { signal });
  const rows = items.reverse().filter(({ id }) => wanted.has(tagOf(id)));
  return { spans: spansOf(rows, from), since: next === null ? null : Date.parse(items[0].at) };
}

const tagOf = (id) => id.slice(0, id.lastIndexOf("."));

function spansOf(rows, from) {
  const open = new Map();
  const spans = [];
  for (const { id, event, at } of rows) {
    if (!layout.alarms[id]) continue;
    const t = Date.parse(at);
    if (event.startsWith("raised")) open.set(id, spanOf(id, t));
    if (event.startsWith("cleared")) {
      spans.push({ ...(open.get(id) || spanOf(id, from - 1)), to: t }); // Raised before the range began.
      open.delete(id);
    }
  }
  return [...spans, ...open.values()];
}

const spanOf = (id, from) => ({ tag: tagOf(id), id, priority: layout.alarms[id], from, to: null });
