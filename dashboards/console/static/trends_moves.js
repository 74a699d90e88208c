// Through time: wheel and pinch zoom around where they point, a drag pans, Shift and a drag picks a range; keys do the same.

import { byId } from "./dom.js";
import { areaOf, timeAt } from "./trends_chart.js";
import { goLive, rangeInView, showRange } from "./trends_view.js";

const WHEEL = 1.25; // A notch shows a quarter more or less.
const held = new Map(); // pointer id -> {x, t}: where it is, what it holds
let picking = null; // where a range that is being picked began
let onStep = () => {};

/** Begin; `step(direction)` moves the cursor by a window. */
export function startMoves(step) {
  onStep = step;
  const place = byId("trends-chart");
  place.addEventListener("wheel", wheel, { passive: false });
  place.addEventListener("pointerdown", down);
  place.addEventListener("pointermove", move);
  for (const name of ["pointerup", "pointercancel"]) place.addEventListener(name, up);
  place.addEventListener("keydown", key);
  place.addEventListener("dblclick", (event) => zoom(0.25, timeAt(event.offsetX)));
  for (const button of document.querySelectorAll("[data-move]")) button.addEventListener("click", () => MOVES[button.dataset.move]());
}

function zoom(factor, around = null) {
  const [from, to] = rangeInView();
  const at = around ?? (from + to) / 2;
  showRange(at - (at - from) * factor, at + (to - at) * factor);
}

function pan(share) {
  const [from, to] = rangeInView();
  const by = (to - from) * share;
  showRange(from + by, to + by);
}

const MOVES = { earlier: () => pan(-0.5), later: () => pan(0.5), in: () => zoom(0.5), out: () => zoom(2) };
const KEYS = { ArrowLeft: () => pan(-0.25), ArrowRight: () => pan(0.25), PageUp: () => pan(-1), PageDown: () => pan(1), "+": MOVES.in, "=": MOVES.in, "-": MOVES.out, End: () => goLive(), ",": () => onStep(-1), ".": () => onStep(1) };

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
}

function wheel(event) {
  if (event.ctrlKey === false && Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    event.preventDefault();
    pan(event.deltaX / areaOf().width);
    return;
  }
  event.preventDefault();
  zoom(event.deltaY > 0 ? WHEEL : 1 / WHEEL, timeAt(xOf(event)));
}

const xOf = (event) => event.clientX - byId("trends-chart").getBoundingClientRect().left;

function down(event) {
  if (event.button !== 0) return;
  byId("trends-chart").setPointerCapture(event.pointerId);
  const x = xOf(event);
  if (event.shiftKey) picking = x;
  else held.set(event.pointerId, { x, t: timeAt(x) });
}

function move(event) {
  if (picking !== null) showPick(picking, xOf(event));
  const mine = held.get(event.pointerId);
  if (!mine) return;
  mine.x = xOf(event);
  if (held.size > 1) pinch();
  else if (Math.abs(timeAt(mine.x) - mine.t) > 0) drag(mine);
}

/** Keep under the pointer what was there when it came down. */
function drag({ x, t }) {
  const by = t - timeAt(x);
  const [from, to] = rangeInView();
  if (Math.abs(by) * areaOf().width > (to - from) * 2) showRange(from + by, to + by); // Not for a trembling hand.
}

function pinch() {
  const [one, other] = [...held.values()];
  if (Math.abs(one.x - other.x) < 8) return;
  const { left, width } = areaOf();
  const perPixel = (other.t - one.t) / (other.x - one.x);
  if (!(perPixel > 0)) return;
  const from = one.t - (one.x - left) * perPixel;
  showRange(from, from + width * perPixel);
}

function up(event) {
  held.delete(event.pointerId);
  if (picking === null) return;
  const [one, other] = [timeAt(picking), timeAt(xOf(event))];
  const wide = Math.abs(xOf(event) - picking) > 6;
  picking = null;
  byId("trends-pick")?.remove();
  if (wide) showRange(Math.min(one, other), Math.max(one, other));
}

function showPick(one, other) {
  const place = byId("trends-chart");
  const box = byId("trends-pick") || place.appendChild(Object.assign(document.createElement("div"), { id: "trends-pick" }));
  box.style.left = `${Math.min(one, other)}px`;
  box.style.width = `${Math.abs(one - other)}px`;
}
