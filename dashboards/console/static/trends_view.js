// What is looked at: which signals, from when to when, or live with a span. The page's address holds it.

import { layout } from "./dom.js";
import { stationNow } from "./numbers.js";

export const MOST_SIGNALS = 16; // More lines than that nobody tells apart; the API answers 64.
const SHORTEST_MS = 2000;
const LONGEST_MS = 2 * 366 * 86400000; // So long are minutes kept.
export const SPANS = { "1m": 60000, "15m": 900000, "2h": 7200000, "24h": 86400000, "7d": 604800000, "30d": 2592000000 };

const NEAR = 0.002; // Of the span: nearer to the present than two pixels is the present.

let view = { tags: [], span: SPANS["2h"], to: null }; // `to` null: live
let told = () => {};

/** Begin with what the address says; `changed(what)` is told "signals" or "time". */
export function startView(changed) {
  take(location.hash.slice(1));
  told = changed;
  window.addEventListener("hashchange", () => {
    if (location.hash.slice(1) === viewText()) return;
    take(location.hash.slice(1));
    told("signals");
  });
}

function take(text) {
  const asked = new URLSearchParams(text);
  const tags = (asked.get("s") ?? layout.usual.join()).split(",").filter((tag) => tag in layout.signals);
  const [span, to] = [Number(asked.get("span")), Number(asked.get("to"))];
  const known = to > LONGEST_MS && to < stationNow() + LONGEST_MS; // Anybody may write an address.
  view = { tags: [...new Set(tags)].slice(0, MOST_SIGNALS), span: clamped(span || SPANS["2h"]), to: known ? to : null };
}

const clamped = (span) => Math.min(LONGEST_MS, Math.max(SHORTEST_MS, Math.round(span)));

/** Return the view as the address holds it. */
export function viewText() {
  const parts = [`s=${view.tags.map(encodeURIComponent).join()}`, `span=${view.span}`];
  if (view.to !== null) parts.push(`to=${view.to}`);
  return parts.join("&");
}

export const tagsInView = () => view.tags;
export const isLive = () => view.to === null;
/** Return [from, to] in epoch ms. */
export function rangeInView() {
  const to = view.to ?? Math.floor(stationNow()) + 1;
  return [to - view.span, to];
}

/** Look at what a saved view or an address says. */
export function showView(text) {
  take(text);
  tell("signals");
}

/** Add a signal; false where there are too many. */
export function addTag(tag) {
  if (view.tags.includes(tag)) return true;
  if (view.tags.length >= MOST_SIGNALS) return false;
  view.tags = [...view.tags, tag];
  tell("signals");
  return true;
}

export function removeTag(tag) {
  view.tags = view.tags.filter((one) => one !== tag);
  tell("signals");
}

/** Follow the present, with a span or the one there is. */
export function goLive(span = view.span) {
  view = { ...view, span: clamped(span), to: null };
  tell("time");
}

/** Look at a range; one that reaches the present follows it. */
export function showRange(from, to) {
  const span = clamped(to - from);
  const end = Math.round((from + to + span) / 2);
  view = { ...view, span, to: end > stationNow() - span * NEAR ? null : end };
  tell("time");
}

/** Stop following: what is seen stays. */
export function standStill() {
  view = { ...view, to: rangeInView()[1] };
  tell("time");
}

function tell(what) {
  history.replaceState(null, "", `#${viewText()}`);
  told(what);
}
