// The overview page: brings the parts together and keeps time.

import { ask, byId, layout, setText, stationPath, word } from "./dom.js";
import { startAlarms } from "./alarms.js";
import { loadCapacity, showCapacity, takeForecast } from "./capacity.js";
import { openFrame, refreshStation, startFrame, tellLink } from "./frame.js";
import { drawMimic, refresh, refreshAll } from "./mimic.js";
import { setFillStarts, stationNow, valueOf } from "./numbers.js";
import { loadAlarms, takeAlarm } from "./standing.js";
import { extend, load as loadTrend, pick, startTrend } from "./trend.js";

let begun = false;
startFrame({ values, alarm: takeAlarm, capacity: takeForecast, opened });
drawMimic((tag) => {
  pick(tag);
  byId("trend").scrollIntoView({ block: "nearest" });
});
startAlarms(refreshAll);
showCapacity();
openFrame();
setInterval(eachSecond, 1000);

function values(tags) {
  refresh(tags);
  if (begun) return;
  begun = true;
  tellLink();
  findFillStarts();
  startTrend().catch((error) => setText(byId("trend-note"), word("trend_failed", error.message)));
}

function opened() {
  loadAlarms();
  loadCapacity();
  refreshStation();
  if (begun) loadTrend();
}

function eachSecond() {
  refreshAll();
  showCapacity();
  extend();
}

/** Find the counter at the start of each fill under way: its kilograms are counted from there. */
async function findFillStarts() {
  const rows = layout.sections.flatMap(({ tiles }) => tiles.flatMap(({ rows: all }) => all)).filter(({ since }) => since);
  const busy = rows.filter(({ since }) => since.states.includes(valueOf(since.tag)?.[0]));
  const starts = await Promise.all(busy.map((row) => fillStart(row).catch(() => null)));
  setFillStarts(Object.fromEntries(busy.map((row, at) => [row.tag, starts[at]])));
  refreshAll();
}

const LONGEST_FILL_MS = 2 * 3600000;

async function fillStart({ tag, since }) {
  const end = Math.floor(stationNow()) + 1;
  const from = `signal=${encodeURIComponent(since.tag)}&start=${end - LONGEST_FILL_MS}&end=${end}&aggregate=raw&limit=5000`;
  const states = (await ask(stationPath(`/readings?${from}`))).series[0].points;
  let began = null;
  for (const [t, value] of states) {
    if (!since.states.includes(value)) began = null;
    else if (began === null) began = t;
  }
  if (began === null) return null;
  const first = `signal=${encodeURIComponent(tag)}&start=${began - 2000}&end=${end}&aggregate=raw&limit=1`;
  return (await ask(stationPath(`/readings?${first}`))).series[0].points[0]?.[1] ?? null;
}
