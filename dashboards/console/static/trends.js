// The trends page: brings view, readings, picture, table and exports together, and follows the present.

import { byId, clockTime, dayOf, setText, word, zoneName } from "./dom.js";
import { startDialog } from "./dialog.js";
import { openFrame, refreshStation, startFrame } from "./frame.js";
import { qualityOf, valueOf } from "./numbers.js";
import { startSearch } from "./signal_search.js";
import { alarmsIn } from "./trends_alarms.js";
import { drawTrends, moveAxis, showCursor, startChart, windowText } from "./trends_chart.js";
import { addNewest, heldOf, loadRange, windowFor } from "./trends_data.js";
import { logPath, saveCsv, savePng } from "./trends_export.js";
import { drawLegend, fillLegend } from "./trends_legend.js";
import { startMoves } from "./trends_moves.js";
import { MOST_SIGNALS, SPANS, addTag, goLive, isLive, rangeInView, removeTag, showRange, standStill, startView, tagsInView } from "./trends_view.js";
import { startViews } from "./trends_views.js";

const SETTLE_MS = 60; // A wheel turns on: the readings are asked for once it rests.
const LATELY_MS = 5000;
const RENEW_MS = 15000; // Live: how often the past is asked for again, or each window where that is longer.
let data = null;
let marks = null; // {spans, since, tags, from, to}
let chosen = null; // whose limits are shown
let cursor = null;
let asking = null;
let due = 0;
let loadedAt = 0;

startView(changed);
startChart((t) => {
  cursor = t;
  fillLegend(data, cursor);
});
// Before all else: the readings come while the rest of the page is made.
changed("signals");
startFrame({ values() {}, alarm: soonAgain, capacity() {}, opened });
startDialog();
startViews();
startSearch(byId("trends-find"), byId("trends-signal"), byId("trends-found"), pick);
startMoves(stepCursor);
for (const button of byId("trends-spans").children) button.addEventListener("click", () => pickSpan(SPANS[button.dataset.span]));
byId("trends-live").addEventListener("click", () => (isLive() ? standStill() : goLive()));
byId("trends-csv").addEventListener("click", () => data && saveCsv(tagsInView(), data));
byId("trends-png").addEventListener("click", () => data && savePng(tagsInView(), data));
openFrame();
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
  if (data && performance.now() - loadedAt > LATELY_MS) load(); // The connection was away.
}

function changed(what) {
  if (what === "signals") {
    if (!tagsInView().includes(chosen)) chosen = null;
    legend();
  }
  tellRange();
  moveAxis(rangeInView());
  if (drawHeld()) clearTimeout(due);
  else if (what === "signals") load();
  else loadIn(SETTLE_MS);
}

/** Draw at once what is held of the view; true where no more is to be had. */
function drawHeld() {
  const [tags, range] = [tagsInView(), rangeInView()];
  const found = heldOf(tags, range);
  if (!found) return false;
  asking?.abort(); // What was on its way is for another view.
  data = found.data;
  redraw();
  if (!found.whole || !holdsMarks(tags, range)) return false;
  drawn(tags, range);
  return true;
}

const drawn = (tags, range) => (byId("trends-chart").dataset.drawn = `${range.join()} ${tags.join()}`);

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
  clearTimeout(due);
  asking?.abort();
  const mine = new AbortController();
  asking = mine;
  const [tags, range] = [tagsInView(), rangeInView()];
  loadedAt = performance.now();
  const current = () => asking === mine && !mine.signal.aborted;
  const take = (loaded) => {
    if (!current()) return;
    data = loaded;
    redraw();
    tell("");
    drawn(tags, range);
  };
  try {
    const [found] = await Promise.all([alarmsIn(tags, range, mine.signal), loadRange(tags, range, mine.signal).then(take)]);
    if (!current()) return;
    marks = { ...found, tags, from: range[0], to: range[1] };
    redraw();
    if (marks.since !== null) tell(word("trends_alarms_cut", `${dayOf(marks.since)} ${clockTime(marks.since)}`));
  } catch (error) {
    if (current()) tell(word("trend_failed", error.message));
  }
}

/** Return whether the alarms of a view are there already. */
const holdsMarks = (tags, [from, to]) => marks && marks.since === null && marks.from <= from && marks.to >= to && tags.every((tag) => marks.tags.includes(tag));

function tell(text) {
  const empty = data && tagsInView().length && ![...data.series.values()].some((rows) => rows.length);
  setText(byId("trends-note"), text || (empty ? word("trend_empty") : ""));
}

function redraw() {
  tellRange();
  drawTrends(tagsInView(), rangeInView(), data, marks?.spans ?? [], chosen);
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
  moveAxis(rangeInView());
  fillLegend(data, cursor);
}

function stepCursor(direction) {
  const [from, to] = rangeInView();
  const step = Math.max(data?.window.ms ?? 1000, (to - from) / 400);
  cursor = Math.min(to, Math.max(from, (cursor ?? to) + direction * step));
  showCursor(cursor);
  fillLegend(data, cursor);
  setText(byId("trends-note"), `${dayOf(cursor)} ${clockTime(cursor)}`);
}
