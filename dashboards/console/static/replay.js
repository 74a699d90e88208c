// The replay page: which replay is shown, its stream, and what goes to the parts of the page.

import { ask, byId, clockTime, context, dayOf, layout, replayPath, setText, word } from "./dom.js";
import { problemOf } from "./dialog.js";
import { openFrame, refreshStation, startFrame } from "./frame.js";
import { showBar, startBar } from "./replay_bar.js";
import { begin, showOpen, startOpening } from "./replay_open.js";
import { showAlarms, showCompared, showForecast, showValues, startTables } from "./replay_tables.js";

const COMPARED_MS = 4000; // Between two looks at then and now while it plays.
let shown = null; // The replay, as the API's stream tells it.
let source = null;
let asking = new AbortController(); // Of the replay that is shown: what is still on its way when it goes is called back.
let compared = [];
let comparedAt = -Infinity;
const alarms = new Map();

const full = (ms) => `${dayOf(ms)} ${clockTime(ms)}`;

startFrame({ values() {}, alarm() {}, capacity() {}, opened: refreshStation });
startOpening(show, (id) => shown?.id === id && leave());
startTables(goTo);
if (context.may_operate) startBar(change, () => addressOf());
openFrame();
followLink();
setInterval(showOpen, 5000);

/** Do what the address asks for: a replay that is open, or one made anew of the same range or log, at its moment. */
async function followLink() {
  const wanted = new URLSearchParams(location.search);
  const [id, at] = [wanted.get("replay"), wanted.get("at")];
  await showOpen();
  if (!id) return;
  try {
    if (wanted.get("made") || !context.may_operate) show(await ask(replayPath(id)));
    else await begin({ start: wanted.get("start"), end: wanted.get("end"), file: wanted.get("file"), at });
  } catch (error) {
    setText(byId("opening-problem"), error.status === 404 ? word("replay_gone") : problemOf(error));
  }
}

/** Show a replay. */
function show(replay) {
  forget();
  shown = { ...replay, at_ms: Date.parse(replay.at), start_ms: Date.parse(replay.start), end_ms: Date.parse(replay.end), played_ms: [] };
  for (const id of ["player", "moment-parts", "compared"]) byId(id).hidden = false;
  setText(byId("player-what"), replay.file ?? layout.name);
  history.replaceState(null, "", addressOf(true));
  showForecast(null, 0, shown.forecasts);
  draw();
  source = new EventSource(replayPath(shown.id, "/stream?conflate=1s"));
  let whole = true;
  source.onopen = () => {
    whole = true;
    renew();
  };
  source.addEventListener("replay", (event) => take(JSON.parse(event.data)));
  source.addEventListener("readings", (event) => {
    showValues(JSON.parse(event.data).values, whole);
    whole = false;
  });
  source.addEventListener("alarm", (event) => takeAlarm(JSON.parse(event.data)));
  source.addEventListener("capacity", (event) => showForecast(JSON.parse(event.data), shown.at_ms));
  source.addEventListener("reset", () => {
    whole = true;
    showForecast(null, 0, shown.forecasts);
    renew();
  });
  source.onerror = () => source.readyState === EventSource.CLOSED && leave();
}

/** Hear and ask no more of the replay that was shown. */
function forget() {
  source?.close();
  asking.abort();
  asking = new AbortController();
}

function leave() {
  forget();
  shown = source = null;
  for (const id of ["player", "moment-parts", "compared"]) byId(id).hidden = true;
  setText(byId("opening-problem"), word("replay_gone"));
  showOpen();
}

/** Return the address of this moment; one to share makes a replay of its own for whoever may. */
function addressOf(made = false) {
  const parts = { lang: context.language, station: layout.id, replay: shown.id };
  if (shown.file) parts.file = shown.file;
  else Object.assign(parts, { start: shown.start_ms, end: shown.end_ms });
  if (made) parts.made = 1;
  else parts.at = Math.round(shown.at_ms);
  return `${location.pathname}?${new URLSearchParams(parts)}`;
}

function take(news) {
  if (!shown) return; // An answer that was on its way when the replay was left.
  const before = shown.state;
  shown = { ...shown, ...news };
  draw();
  if (shown.state !== before) showOpen();
  if (shown.state !== before || performance.now() - comparedAt > COMPARED_MS) renewCompared();
}

function draw() {
  const { state, loaded, problem, refused, first_refused: first } = shown;
  setText(byId("player-clock"), Number.isNaN(shown.at_ms) || shown.start_ms === null ? "–" : full(shown.at_ms));
  setText(byId("player-state"), loaded < 1 ? word("replay_loading", Math.round(loaded * 100)) : word(`replay_${state}`));
  setText(byId("player-note"), refused ? word("replay_refused", refused, first) : "");
  setText(byId("player-problem"), problem ? word("replay_problem", problem) : "");
  showBar(shown, compared);
}

async function renew() {
  const { id } = shown;
  const { signal } = asking;
  try {
    const { items } = await ask(replayPath(id, "/alarms?limit=10000"), { signal });
    if (shown?.id !== id) return;
    alarms.clear();
    for (const alarm of items) alarms.set(alarm.id, alarm);
    showAlarms([...alarms.values()]);
  } catch (error) {
    if (error.status === 404) leave();
  }
  if (!signal.aborted) renewCompared();
}

async function renewCompared() {
  comparedAt = performance.now();
  const { id } = shown;
  const answer = await ask(replayPath(id, "/comparison?limit=10000"), { signal: asking.signal }).catch(() => null);
  if (!answer || shown?.id !== id) return;
  compared = answer.items;
  showCompared(answer);
  showBar(shown, compared);
}

function takeAlarm(alarm) {
  if (alarm.late) return;
  if (alarm.state === "NORM") alarms.delete(alarm.id);
  else alarms.set(alarm.id, alarm);
  showAlarms([...alarms.values()]);
}

/** Ask for a change of the replay that is shown. */
async function change(body) {
  try {
    take(asTold(await ask(replayPath(shown.id), { method: "PATCH", body, timeoutMs: 25000 })));
    setText(byId("player-problem"), "");
  } catch (error) {
    setText(byId("player-problem"), problemOf(error));
  }
}

const asTold = ({ state, speed, at }) => ({ state, speed, at_ms: Date.parse(at) });

/** Go to a moment, some seconds before an alarm so that it is seen coming. */
function goTo(ms) {
  if (context.may_operate) change({ at: Math.max(shown.start_ms, Math.min(shown.end_ms, ms)), state: "paused" });
}
