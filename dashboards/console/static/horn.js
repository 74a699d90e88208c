// The horn: sounds while an alarm is active and nobody has acknowledged it, and when somebody tests it.

import { ask, byId, setText, stationPath, word } from "./dom.js";

// Tones are ours to choose: ISA-18.2 asks only that priorities can be told apart by ear. [Hz, beeps, pause in ms]
const TONES = { critical: [988, 4, 1500], high: [784, 3, 4000], medium: [587, 2, 15000], low: [494, 1, 60000], test: [880, 3, 0] };
const BEEP_S = 0.16;
const TEST_SHOWN_MS = 12000;
const KEPT = "jinma_horn";
const RANK = ["critical", "high", "medium", "low"];

// A wall screen has nobody to click: its browser may be started so that it sounds unasked.
const isWall = "wall" in document.documentElement.dataset;

const calling = new Map(); // alarm id -> priority
let sounder = null;
let soundedAt = -Infinity;
let on = localStorage.getItem(KEPT) !== "off";

let onCalling = () => {};

/** Begin: the button in the header, and a look each half second at what still calls; `calling(count, worst)` is told. */
export function startHorn(calling) {
  onCalling = calling;
  byId("horn").addEventListener("click", toggle);
  // A browser gives no sound before the first touch of the page.
  for (const touch of ["pointerdown", "keydown"]) document.addEventListener(touch, wake);
  setInterval(repeat, 500);
  tellHorn();
}

/** Load what calls now. */
export async function loadHorn() {
  const { items } = await ask(stationPath("/alarms?state=UNACK&limit=10000"));
  calling.clear();
  items.forEach(hear);
  if (!items.length) tellCalling();
}

const worstCalling = () => RANK.find((priority) => [...calling.values()].includes(priority));
const tellCalling = () => onCalling(calling.size, worstCalling());

/** Take one alarm that changed. */
export function hear(alarm) {
  if (alarm.late) return;
  const calls = alarm.state === "UNACK";
  const isNew = calls && calling.get(alarm.id) !== alarm.priority;
  if (calls) calling.set(alarm.id, alarm.priority);
  else calling.delete(alarm.id);
  if (isNew) soundedAt = -Infinity;
  tellCalling();
}

/** Take the stream's word that somebody tests the horn. */
export function hearTest({ who }) {
  sound("test");
  const said = byId("horn-test");
  setText(said, word("horn_tested", who));
  said.hidden = false;
  setTimeout(() => (said.hidden = true), TEST_SHOWN_MS);
}

function repeat() {
  const worst = worstCalling();
  if (!worst || performance.now() - soundedAt < TONES[worst][2]) return;
  sound(worst);
}

function sound(kind) {
  soundedAt = performance.now();
  wake();
  if (!on || sounder?.state !== "running") return;
  const [hertz, beeps] = TONES[kind];
  for (let beep = 0; beep < beeps; beep += 1) beepAt(sounder.currentTime + beep * 2 * BEEP_S, hertz);
  byId("horn").dataset.sounded = kind;
}

function beepAt(start, hertz) {
  const tone = new OscillatorNode(sounder, { type: "square", frequency: hertz });
  const loudness = new GainNode(sounder, { gain: 0.12 });
  tone.connect(loudness).connect(sounder.destination);
  tone.start(start);
  tone.stop(start + BEEP_S);
}

function wake() {
  if (!on || sounder?.state === "running" || !(navigator.userActivation?.hasBeenActive || isWall)) return;
  sounder ??= new AudioContext();
  sounder.resume().then(tellHorn, () => {});
}

function toggle() {
  on = !on;
  localStorage.setItem(KEPT, on ? "on" : "off");
  wake();
  tellHorn();
}

function tellHorn() {
  const button = byId("horn");
  button.setAttribute("aria-pressed", String(on));
  setText(button, word(!on ? "horn_off" : sounder?.state === "running" ? "horn_on" : "horn_waits"));
}
