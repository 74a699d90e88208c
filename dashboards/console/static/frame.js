// What every page of the console has around it: the clock, the live connection and what it says of itself, the horn, the way out.

import { ask, byId, clockTime, context, dayOf, layout, make, setText, word, zoneName } from "./dom.js";
import { startDateFields } from "./date_field.js";
import { hear, hearTest, loadHorn, startHorn } from "./horn.js";
import { startKeys } from "./keys.js";
import { setClock, stationNow } from "./numbers.js";
import { Link } from "./stream.js";
import { symbol } from "./symbols.js";

const YEAR_S = 31536000;
let link = null;

/** Begin: set the clock, show the station's state, prepare the connection; `open` it once the page is drawn. */
export function startFrame(handlers) {
  const alarm = (news) => {
    hear(news);
    handlers.alarm(news);
  };
  const opened = () => {
    loadHorn().catch(() => {});
    handlers.opened();
  };
  document.cookie = `jinma_lang=${context.language}; path=/; max-age=${YEAR_S}; SameSite=Lax`;
  document.documentElement.lang = byId("console").lang;
  document.title = layout.name;
  link = new Link({ ...handlers, alarm, opened, test: hearTest, station, expired });
  startDateFields();
  startHorn(tellCalling);
  startKeys();
  setClock(context.now, context.speed);
  station(context);
  byId("log-out").addEventListener("click", logOut);
  return link;
}

/** Show beside the way to the alarms how many call. */
function tellCalling(count, worst) {
  const way = document.querySelector('#ways a[data-key="a"]');
  const told = count ? [symbol(worst, false), make("span", { "aria-label": word("to_acknowledge", count) }, ` ${count}`)] : [];
  way.querySelector(".calling")?.remove();
  if (count) way.append(make("span", { class: "calling" }, ...told));
}

/** Open the connection and keep telling how it is. */
export function openFrame() {
  link.open();
  tellLink();
  setInterval(tellLink, 250);
  setInterval(refreshStation, 10000);
}

/** Ask for the station's clock and speed. */
export const refreshStation = () => link.refresh().catch(() => {});

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

/** Show the station's time and how the connection is. */
export function tellLink() {
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

async function logOut() {
  await ask("/api/v1/session", { method: "DELETE" }).catch(() => {});
  location.assign("/console/");
}
