// The trends page: brings view, readings, picture, table and exports together, and follows the present.

import { byId, clockTime, dayOf, setText, word, zoneName } from "./dom.js";
import { startDialog } from "./dialog.js";
import { openFrame, refreshStation, startFrame } from "./frame.js";
import { qualityOf, valueOf } from "./numbers.js";
import { startSearch } from "./signal_search.js";
import { alarmsIn } from "./trends_alarms.js";
import { drawTrends, extendTrends, moveAxis, startChart, windowText } from "./trends_chart.js";
import { addNewest, loadRange, windowFor } from "./trends_data.js";
import { logPath, saveCsv, savePng } from "./trends_export.js";
import { drawLegend, fillLegend } from "./trends_legend.js";
import { startMoves } from "./trends_moves.js";
import { MOST_SIGNALS, SPANS, addTag, goLive, isLive, rangeInView, removeTag, showRange, standStill, startView, tagsInView } from "./trends_view.js";
import { startViews } from "./trends_views.js";

const SETTLE_MS = 60; // A wheel turns on: the readings are asked for once it rests.
const RENEW_MS = 15000; // Live: how often the past is asked for again, or each window where that is longer.
let data = null;
let marks = { spans: [], since: null };
let chosen = null; // whose limits are shown
let cursor = null;
let asking = null;
let due = 0;
let loadedAt = 0;

startFrame({ values() {}, alarm: soonAgain, capacity() {}, opened });
startDialog();
startView(changed);
startViews();
startSearch(byId("trends-find"), byId("trends-signal"), byId("trends-found"), pick);
startMoves(stepCursor);
for (const button of byId("trends-spans").children) button.addEventListener("click", () => pickSpan(SPANS[button.dataset.span]));
byId("trends-live").addEventListener("click", () => (isLive() ? standStill() : goLive()));
byId("trends-csv").addEventListener("click", () => data && saveCsv(tagsInView(), data));
byId("trends-png").addEventListener("click", () => data && savePng(tagsInView(), data));
openFrame();
const ready = startChart((t) => {
  cursor = t;
  fillLegend(data, cursor);
});
// The readings are asked for while the chart's library is still coming.
changed("signals");
document.addEventListener("theme", redraw);
setInterval(eachSecond, 1000);

function pick(tag) {
  if (!addTag(tag)) setText(byId("trends-note"), word("trends_full", MOST_SIGNALS));
}

function pickSpan(span) {
  if (isLive()) goLive(span);
  else showRange(rangeInView()[1] - span, rangeInView()[1]);
}

function opened() {
  refreshStation();
  if (data) load();
}

function changed(what) {
  tellRange();
  if (what === "signals") {
    if (!tagsInView().includes(chosen)) chosen = null;
    legend();
    loadIn(0);
    return;
  }
  ready.then(() => moveAxis(rangeInView()));
  loadIn(SETTLE_MS);
}

function loadIn(ms) {
  clearTimeout(due);
  due = setTimeout(load, ms);
}

function tellRange() {
  const [from, to] = rangeInView();
  setText(byId("trends-range"), `${dayOf(from)} ${clockTime(from)} – ${dayOf(to)} ${clockTime(to)} ${zoneName(to)}`);
  setText(byId("trends-how"), windowText(data?.window ?? windowFor(to - from)));
  byId("trends-live").setAttribute("aria-pressed", String(isLive()));
  for (const button of byId("trends-spans").children) button.setAttribute("aria-pressed", String(Math.abs(to - from - SPANS[button.dataset.span]) < 2));
  byId("trends-log").href = logPath(tagsInView(), [from, to]);
}

async function load() {
  asking?.abort();
  const mine = new AbortController();
  asking = mine;
  const [tags, range] = [tagsInView(), rangeInView()];
  loadedAt = performance.now();
  const current = () => asking === mine && !mine.signal.aborted;
  try {
    await Promise.all([
      loadRange(tags, range, mine.signal, async (loaded) => {
        await ready;
        if (!current()) return;
        data = loaded;
        tell("");
        await redraw();
        byId("trends-chart").dataset.drawn = `${range.join()} ${tags.join()}`;
      }),
      alarmsIn(tags, range, mine.signal).then((found) => (marks = found)),
    ]);
    if (!current()) return;
    redraw();
    if (marks.since !== null) tell(word("trends_alarms_cut", `${dayOf(marks.since)} ${clockTime(marks.since)}`));
  } catch (error) {
    if (current()) tell(word("trend_failed", error.message));
  }
}

function tell(text) {
  const empty = data && tagsInView().length && ![...data.series.values()].some((rows) => rows.length);
  setText(byId("trends-note"), text || (empty ? word("trend_empty") : ""));
}

async function redraw() {
  await ready;
  tellRange();
  drawTrends(tagsInView(), rangeInView(), data, marks.spans, chosen);
  fillLegend(data, cursor);
}

function legend() {
  drawLegend(tagsInView(), chosen, {
    choose(tag) {
      chosen = tag;
      legend();
      redraw();
      if (tag) byId("trends-rows").querySelector(`[data-tag="${CSS.escape(tag)}"] button`).focus();
    },
    remove: removeTag,
  });
  fillLegend(data, cursor);
}

/** An alarm came or went: the journal has it by the next second. */
function soonAgain({ signal }) {
  if (isLive() && tagsInView().includes(signal)) loadedAt = -Infinity;
}

function eachSecond() {
  if (!isLive() || !data) {
    fillLegend(data, cursor);
    return;
  }
  if (performance.now() - loadedAt > Math.max(RENEW_MS, data.window.ms)) load();
  for (const tag of tagsInView()) {
    const held = valueOf(tag);
    if (held && qualityOf(tag) !== "stale") addNewest(data, tag, held);
  }
  tellRange();
  extendTrends(tagsInView(), rangeInView(), data);
  fillLegend(data, cursor);
}

function stepCursor(direction) {
  const [from, to] = rangeInView();
  const step = Math.max(data?.window.ms ?? 1000, (to - from) / 400);
  cursor = Math.min(to, Math.max(from, (cursor ?? to) + direction * step));
  fillLegend(data, cursor);
  setText(byId("trends-note"), `${dayOf(cursor)} ${clockTime(cursor)}`);
}
