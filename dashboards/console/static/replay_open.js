// Beginning a replay: a range of the store or an uploaded log; and those that are open.

import { ask, byId, context, fullTime, layout, localMs, localText, replayPath, setText, word } from "./dom.js";
import { problemOf } from "./dialog.js";
import { stationNow } from "./numbers.js";
import { buttonOf, noteOf, rowOf, tableOf } from "./sheet_table.js";

const HOUR_MS = 3600000;
let show = () => {};
let ended = () => {};
let drawn = null;

/** Begin; `onShow(replay)` shows one, `onEnd(id)` hears of one that is about to be ended here. */
export function startOpening(onShow, onEnd) {
  [show, ended] = [onShow, onEnd];
  if (!context.may_operate) return;
  const now = stationNow();
  byId("replay-from").value = localText(now - HOUR_MS);
  byId("replay-to").value = localText(now);
  byId("replay-range").addEventListener("submit", (event) => {
    event.preventDefault();
    told(begin({ start: localMs(byId("replay-from").value), end: localMs(byId("replay-to").value) }));
  });
  byId("replay-log").addEventListener("submit", (event) => {
    event.preventDefault();
    told(upload(byId("replay-file").files[0]));
  });
}

async function told(work) {
  setText(byId("opening-problem"), "");
  try {
    await work;
  } catch (error) {
    setText(byId("opening-problem"), problemOf(error));
  }
}

/** Begin a replay, standing still at its beginning or at a moment, and show it. */
export async function begin({ start, end, file, at }) {
  const body = { station: layout.id, state: "paused", forecasts: byId("replay-forecasts").checked };
  if (file) body.file = file;
  else Object.assign(body, { start: Number(start), end: Number(end) });
  const replay = await ask("/api/v1/replays", { method: "POST", body, timeoutMs: 20000 });
  show(replay);
  showOpen();
  if (at) show(await moved(replay.id, Number(at)));
}

/** Move a replay as soon as it is ready; one that cannot begin stays as it is. */
async function moved(id, at) {
  for (;;) {
    const replay = await ask(replayPath(id));
    if (replay.problem) return replay;
    if (replay.loaded >= 1) return ask(replayPath(id), { method: "PATCH", body: { at }, timeoutMs: 25000 });
    await new Promise((done) => setTimeout(done, 500));
  }
}

/** Upload a log and show its replay; fetch tells no progress of what it sends. */
function upload(file) {
  const form = new FormData();
  for (const [name, value] of [["station", layout.id], ["state", "paused"], ["forecasts", byId("replay-forecasts").checked], ["file", file]]) form.append(name, value);
  const request = new XMLHttpRequest();
  request.open("POST", "/api/v1/replays");
  request.setRequestHeader("X-CSRF-Token", context.csrf || "");
  request.responseType = "json";
  return new Promise((done, failed) => {
    request.upload.onprogress = ({ loaded, total }) => setText(byId("replay-upload"), word("replay_uploading", Math.round((100 * loaded) / total)));
    request.onloadend = () => {
      setText(byId("replay-upload"), "");
      if (request.status !== 200) return failed(Object.assign(new Error(request.response?.detail ?? ""), { status: request.status }));
      show(request.response);
      showOpen();
      done();
    };
    request.send(form);
  });
}

/** Show the replays that are open. */
export async function showOpen() {
  const answer = await ask("/api/v1/replays").catch(() => null);
  if (!answer) return;
  const key = answer.items.map(({ id, state }) => id + state).join();
  if (key === drawn) return;
  drawn = key;
  const heads = [word("replay_begin"), word("column_from"), word("column_to"), word("status"), word("column_acts")];
  byId("replay-rows").replaceChildren(answer.items.length ? tableOf(heads, answer.items.map(rowFor)) : noteOf(word("replay_none")));
}

function rowFor(replay) {
  const { id, state, file, start, end } = replay;
  const acts = [buttonOf(word("replay_show"), word("replay_show_which", id), () => show(replay))];
  if (context.may_operate) acts.push(buttonOf(word("replay_end"), word("replay_end_which", id), () => told(remove(id))));
  return rowOf([file ?? id, fullTime(start), fullTime(end), word(`replay_${state}`), acts], { "data-replay": id });
}

async function remove(id) {
  ended(id); // First: a stream that its server ends is asked for anew, and answered with an error.
  await ask(replayPath(id), { method: "DELETE" });
  showOpen();
}
