// The bar of time: where the replay stands, what was played, alarms as bookmarks, and the buttons that steer it.

import { byId, clockTime, dayOf, localMs, make, setText, word } from "./dom.js";

const BEFORE_MS = 5000; // A bookmark is gone to a little before, so that the alarm is seen coming.
let change = () => {};
let addressOf = () => "";
let replay = null;
let marks = []; // Moments of alarms, in order.
let held = false; // The bar is being dragged: what the stream tells does not move it.
let drawnMarks = "";

const full = (ms) => `${dayOf(ms)} ${clockTime(ms)}`;
const within = (ms) => Math.round(Math.max(replay.start_ms, Math.min(replay.end_ms, ms)));

/** Begin; `onChange(body)` asks the API for a change, `address()` is that of the moment shown. */
export function startBar(onChange, address) {
  [change, addressOf] = [onChange, address];
  const bar = byId("bar-at");
  bar.addEventListener("input", () => {
    held = true;
    setText(byId("player-clock"), full(replay.start_ms + Number(bar.value) * 1000));
  });
  bar.addEventListener("change", () => {
    held = false;
    change({ at: within(replay.start_ms + Number(bar.value) * 1000) });
  });
  byId("play").addEventListener("click", () => change({ state: replay.state === "playing" ? "paused" : "playing" }));
  for (const button of document.querySelectorAll("[data-step]")) button.addEventListener("click", () => change({ state: "paused", at: within(replay.at_ms + Number(button.dataset.step) * 1000) }));
  byId("mark-before").addEventListener("click", () => jump(marks.filter((t) => t - BEFORE_MS < replay.at_ms - 1000).at(-1)));
  byId("mark-after").addEventListener("click", () => jump(marks.find((t) => t - BEFORE_MS > replay.at_ms + 1000)));
  byId("player-speed").addEventListener("change", ({ target }) => change({ speed: target.value === "max" ? "max" : Number(target.value) }));
  byId("go").addEventListener("submit", (event) => {
    event.preventDefault();
    change({ at: within(localMs(byId("go-at").value)) });
  });
  byId("share").addEventListener("click", share);
}

const jump = (t) => t !== undefined && change({ at: within(t - BEFORE_MS) });

async function share() {
  const url = new URL(addressOf(), location.href).href;
  try {
    await navigator.clipboard.writeText(url);
    setText(byId("shared"), word("replay_shared"));
  } catch {
    setText(byId("shared"), word("replay_link", url)); // No clipboard without https or leave: then it is there to copy.
  }
}

/** Show where a replay stands, and the alarms of then and now on its bar. */
export function showBar(news, compared) {
  replay = news;
  const ready = replay.loaded >= 1 && replay.start_ms !== null;
  const bar = byId("bar-at");
  bar.disabled = !ready || !byId("play");
  if (ready) {
    bar.max = Math.ceil((replay.end_ms - replay.start_ms) / 1000);
    if (!held) bar.value = (replay.at_ms - replay.start_ms) / 1000;
    bar.setAttribute("aria-valuetext", full(replay.at_ms));
    setText(byId("bar-start"), full(replay.start_ms));
    setText(byId("bar-end"), full(replay.end_ms));
    drawPlayed();
    drawMarks(compared);
  }
  if (!byId("play")) return;
  setText(byId("play"), word(replay.state === "playing" ? "replay_pause" : "replay_play"));
  if (document.activeElement !== byId("player-speed")) byId("player-speed").value = String(replay.speed);
  if (ready && document.activeElement !== byId("go-at")) byId("go-at").value = `${dayOf(replay.at_ms)} ${clockTime(replay.at_ms)}`;
}

const shareOf = (ms) => `${((ms - replay.start_ms) / (replay.end_ms - replay.start_ms)) * 100}%`;

function drawPlayed() {
  const stretches = replay.played_ms.map(([from, to]) => {
    const piece = make("i");
    piece.style.left = shareOf(from);
    piece.style.width = `${((to - from) / (replay.end_ms - replay.start_ms)) * 100}%`;
    return piece;
  });
  byId("bar-played").replaceChildren(...stretches);
}

function drawMarks(compared) {
  const of = (item) => item.then ?? item.now;
  marks = compared.map((item) => Date.parse(of(item).raised_at)).sort((one, other) => one - other);
  const key = `${replay.id} ${compared.map((item) => item.id + of(item).raised_at + item.verdict).join()}`;
  if (key === drawnMarks) return;
  drawnMarks = key;
  byId("bar-marks").replaceChildren(...compared.map((item) => {
    const mark = make("i", { class: `${of(item).priority} ${item.verdict}`, title: item.id });
    mark.style.left = shareOf(Date.parse(of(item).raised_at));
    return mark;
  }));
}
