// The overview page: brings the parts together and keeps time.

import { ask, byId, clockTime, context, dayOf, layout, setText, stationPath, word, zoneName } from "./dom.js";
import { loadAlarms, startAlarms, takeAlarm } from "./alarms.js";
import { loadCapacity, showCapacity, takeForecast } from "./capacity.js";
import { drawMimic, refresh, refreshAll } from "./mimic.js";
import { setClock, setFillStarts, stationNow, valueOf } from "./numbers.js";
import { Link } from "./stream.js";
import { extend, load as loadTrend, pick, startTrend } from "./trend.js";

const YEAR_S = 31536000;
document.cookie = `jinma_lang=${context.language}; path=/; max-age=${YEAR_S}; SameSite=Lax`;
document.documentElement.lang = byId("console").lang;
document.title = layout.name;

let begun = false;
const link = new Link({ values, alarm: takeAlarm, capacity: takeForecast, opened, station, expired });

setClock(context.now, context.speed);
station(context);
drawMimic((tag) => {
  pick(tag);
  byId("trend").scrollIntoView({ block: "nearest" });
});
startAlarms(refreshAll);
showCapacity();
link.open();
tellLink();
setInterval(tellLink, 250);
setInterval(eachSecond, 1000);
setInterval(() => link.refresh().catch(() => {}), 10000);
byId("log-out").addEventListener("click", logOut);

function values(tags) {
  refresh(tags);
  if (begun) return;
  begun = true;
  tellLink();
  findFillStarts();
  startTrend().catch((error) => setText(byId("trend-note"), word("trend_failed", error.message)));
}

function opened() {
  loadAlarms().catch(reload);
  loadCapacity();
  link.refresh().catch(() => {});
  if (begun) loadTrend();
}

function reload() {
  setTimeout(() => loadAlarms().catch(reload), 2000);
}

function eachSecond() {
  refreshAll();
  showCapacity();
  extend();
}

function station({ simulated, speed }) {
  byId("simulated").hidden = !simulated;
  const shown = Math.round(speed * 10) / 10;
  byId("speed").hidden = shown === 1;
  setText(byId("speed"), word("speed", shown));
}

function expired() {
  setText(byId("link-state"), word("session_over"));
  location.reload(); // The server answers with the login page.
}

function tellLink() {
  link.watch();
  const now = stationNow();
  setText(byId("clock"), `${dayOf(now)} ${clockTime(now)}`);
  setText(byId("zone"), zoneName(now));
  const { state, ageS, since } = link.status();
  const silent = state === "silent" || state === "lost";
  byId("link").dataset.state = state;
  byId("console").classList.toggle("no-data", silent && since !== null);
  if (state === "live") {
    setText(byId("link-state"), word("live"));
    setText(byId("link-age"), word("data_age", Math.max(0, ageS).toFixed(0)));
  } else if (since === null) {
    setText(byId("link-state"), word(state === "silent" ? "no_data_yet" : "connecting"));
    setText(byId("link-age"), "");
  } else {
    setText(byId("link-state"), word("no_data_since", clockTime(since)));
    setText(byId("link-age"), word(state === "lost" ? "reconnecting" : "waiting_for_data"));
  }
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

async function logOut() {
  await ask("/api/v1/session", { method: "DELETE" }).catch(() => {});
  location.assign("/console/");
}

