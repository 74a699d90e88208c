// What if: whoever moves a slider has the forecast as it would be beside the one as it is, without asking for it.

import { ask, byId, setText, stationPath, word } from "./dom.js";
import { asked, followStation, refusalOf, startForm } from "./what_if_form.js";
import { showTable } from "./what_if_table.js";
import { verdictOf } from "./verdict.js";

const PAUSE_MS = 150; // A slider that is drawn moves each few ms: asked is where it rests.
const RENEW_MS = 60000; // The station's snapshot is a new one each minute.
const REST_MS = 2000; // Whoever is moving a slider does not wait for what is renewed.
const LONGEST_MS = 20000;
const AGAIN_MS = 1000; // After the server was busy with somebody else's question.
const TRIES = 8;

let next = null; // The newest question that waits, {movedAt, quiet, warm}: older ones are not asked any more.
let busy = false;
let pause = null;
let askedAt = -Infinity;
let renewedAt = -Infinity; // When the forecast as it is was worked out from the newest snapshot.

/** Begin; call the returned function each second. */
export function startWhatIf() {
  startForm(moved);
  for (const event of ["pointerenter", "focusin"]) byId("what-if-form").addEventListener(event, warmUp);
  return eachSecond;
}

function moved() {
  const movedAt = performance.now();
  clearTimeout(pause);
  tell("muted", word("comparing"));
  pause = setTimeout(() => put({ movedAt }), PAUSE_MS);
}

const isOld = () => performance.now() - renewedAt > RENEW_MS;

/** Have the forecast as it is worked out once somebody comes near: the first move then costs one forecast, not two. */
function warmUp() {
  if (!busy && isOld()) put({ warm: true });
}

function eachSecond() {
  followStation();
  const shown = !byId("what-if-table").hidden && !document.hidden;
  if (shown && !busy && isOld() && performance.now() - askedAt > REST_MS) put({ quiet: true });
}

/** Let one question be the next; one at a time is under way. */
async function put(question) {
  next = question;
  if (busy) return;
  busy = true;
  while (next) {
    const one = next;
    next = null;
    await answer(one);
  }
  busy = false;
}

async function answer(question) {
  const body = question.warm ? {} : asked();
  const refusal = refusalOf(body);
  if (refusal) {
    tell("problem", refusal);
    return;
  }
  try {
    if (question.quiet) await askPatiently({}, question);
    const both = isOutdated() ? null : await askPatiently(body, question);
    if (both && !question.warm && !isOutdated()) show(both, question);
  } catch (error) {
    if (question.movedAt && !isOutdated()) tell("problem", problemOf(error, body));
  }
}

/** Return whether somebody has moved on: an old answer is not shown, nor said to have failed. */
const isOutdated = () => next !== null && !next.warm;

/** Return the answer, null where somebody has moved on while the server was busy. */
async function askPatiently(body, { movedAt }) {
  for (let tries = 1; ; tries += 1) {
    askedAt = performance.now();
    try {
      const both = await ask(stationPath("/capacity/what-if"), { method: "POST", body, timeoutMs: LONGEST_MS });
      if (Object.keys(body).length === 0) renewedAt = performance.now();
      return both;
    } catch (error) {
      if (error.status !== 503 || tries === TRIES) throw error;
    }
    if (movedAt) tell("muted", word("what_if_busy"));
    await new Promise((done) => setTimeout(done, AGAIN_MS));
    if (isOutdated()) return null;
  }
}

function show({ base, what_if: then }, { movedAt, quiet }) {
  showTable(base, then);
  if (quiet) return;
  tell("muted", word("compared", verdictOf(then, Date.parse(then.at)).text, ((performance.now() - movedAt) / 1000).toFixed(2)));
}

function problemOf(error, body) {
  const isPlan = error.rows?.some(({ field }) => field === "body.plan_of");
  return isPlan ? word("what_if_no_plan", body.plan_of) : word("failed", error.message);
}

function tell(kind, text) {
  const note = byId("what-if-note");
  note.className = kind;
  setText(note, text);
}
