// The picture of trends: a canvas of our own, so that a page loads no library for it and a frame takes milliseconds.

import { byId, duration, word } from "./dom.js";
import { leastHeight, paint, sideOf } from "./trends_paint.js";

const DOTS = 2; // Of a saved picture, a pixel of the screen.

let canvas = null;
let cursor = null;
let onCursor = () => {};
let due = 0;
let scene = { tags: [], axis: [0, 1], data: null, alarms: [], chosen: null };

/** Begin; `told(t or null)` hears where the pointer is. */
export function startChart(told) {
  onCursor = told;
  const place = byId("trends-chart");
  canvas = place.appendChild(document.createElement("canvas"));
  cursor = place.appendChild(Object.assign(document.createElement("div"), { id: "trends-cursor", hidden: true }));
  place.addEventListener("pointermove", follow);
  place.addEventListener("pointerleave", leave);
  new ResizeObserver(soon).observe(place);
}

function follow(event) {
  const t = timeAt(event.clientX - byId("trends-chart").getBoundingClientRect().left);
  const inside = t >= scene.axis[0] && t <= scene.axis[1] && scene.tags.length > 0;
  showCursor(inside ? t : null);
  onCursor(inside ? t : null);
}

function leave() {
  showCursor(null);
  onCursor(null);
}

/** Show a line at a moment, none for null. */
export function showCursor(t) {
  cursor.hidden = t === null;
  if (t === null) return;
  const [{ left, width }, [from, to]] = [areaOf(), scene.axis];
  cursor.style.left = `${left + ((t - from) / (to - from)) * width}px`;
}

/** Return the moment at pixels along the time axis. */
export function timeAt(pixels) {
  const [{ left, width }, [from, to]] = [areaOf(), scene.axis];
  return from + ((pixels - left) / width) * (to - from);
}

export function areaOf() {
  const width = byId("trends-chart").clientWidth;
  const { left, right } = sideOf(width);
  return { left, width: Math.max(1, width - left - right) };
}

/** Move the time axis alone: what is there already moves at once, the new readings follow. */
export function moveAxis(axis) {
  scene = { ...scene, axis };
  soon();
}

/** Paint again, with the next frame. */
export function soon() {
  if (!due) due = requestAnimationFrame(now);
}

/** Draw signals: `data` of trends_data, `alarms` [{tag, id, priority, from, to}], the signal whose limits are wanted. */
export function drawTrends(tags, axis, data, alarms, chosen) {
  scene = { tags, axis, data, alarms, chosen };
  byId("trends-chart").style.minHeight = `${leastHeight(tags)}px`;
  now();
}

function now() {
  cancelAnimationFrame(due);
  due = 0;
  const { clientWidth: width, clientHeight: height } = byId("trends-chart");
  paintOn(canvas, { width, height }, window.devicePixelRatio);
}

function paintOn(target, size, dots, ground = null) {
  const [width, height] = [Math.round(size.width * dots), Math.round(size.height * dots)];
  if (target.width !== width || target.height !== height) Object.assign(target, { width, height });
  const pen = target.getContext("2d");
  pen.setTransform(dots, 0, 0, dots, 0, 0);
  pen.clearRect(0, 0, size.width, size.height);
  if (ground) {
    pen.fillStyle = ground;
    pen.fillRect(0, 0, size.width, size.height);
  }
  const style = getComputedStyle(byId("console"));
  if (scene.tags.length) paint(pen, size, scene, { colour: (name) => style.getPropertyValue(`--${name}`).trim(), family: style.fontFamily });
}

/** Return the picture on a canvas of its own, with the ground's colour, `DOTS` dots a pixel. */
export function pictureOn(ground) {
  const { clientWidth: width, clientHeight: height } = byId("trends-chart");
  const target = document.createElement("canvas");
  paintOn(target, { width, height }, DOTS, ground);
  return target;
}

/** Say of a window how wide it is. */
export const windowText = ({ ms, every }) => (every ? word("trends_means", ms < 60000 ? word("trends_seconds", ms / 1000) : duration(ms / 60000)) : word("trends_raw"));
