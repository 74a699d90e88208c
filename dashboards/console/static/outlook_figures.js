// A forecast as figures: what each box says, and how bad it is.

import { byId, duration, make, minuteTime, setText, unbroken, word } from "./dom.js";
import { chanceLevel } from "./verdict.js";

const round = (value) => Math.round(value);
// What the forecast calls a stand-in and a doubt, and the page's word for it; a tag stands for itself.
const STAND_INS = { model: "input_model", "last value": "input_last", none: "input_none", profile: "input_profile", bookings: "input_bookings", delivery: "input_delivery", trains: "input_trains", "bay states": "input_bays", "idle hose": "input_idle", "mean flow": "input_flow", "mean fill": "input_fill" };
const DOUBTS = { null: "doubt_null", "no-link": "doubt_no_link", "twins-apart": "doubt_twins", "twin-differs": "doubt_twins", inferred: "doubt_inferred", profile: "doubt_profile", stale: "doubt_stale", missing: "doubt_missing" };
const SECTIONS = { trailers: "trailer", none: "bottleneck_none" };

/** Return {name: {big, sub, level}} of a forecast at `now`. */
export function figuresOf(forecast, now) {
  const { deliverable_kg: kg, trucks_servable: servable, plan, done, kg_by_close: close } = forecast;
  const chance = forecast.shortfall_probability;
  const toCome = Math.max(0, round(plan.trucks - done.trucks));
  const wait = forecast.queue_wait_minutes.p90;
  const empty = forecast.time_to_empty_minutes;
  const safe = forecast.n_minus_1_ok;
  return {
    chance: { big: `${round(chance * 100)} %`, sub: "", level: chanceLevel(chance) },
    "by-close": close
      ? { big: `${round(close.p50)} / ${round(plan.kg)} kg`, sub: word("p_range", round(close.p10), round(close.p90)) }
      : { big: `– / ${round(plan.kg)} kg`, sub: "" },
    deliverable: { big: `${round(kg.p50)} kg`, sub: `${word("p_range", round(kg.p10), round(kg.p90))}`, label: word("deliverable_now", minuteTime(Date.parse(forecast.horizon_end))) },
    servable: { big: `${round(servable.p50)}`, sub: `${word("p_range", round(servable.p10), round(servable.p90))} · ${word("trucks_to_come", toCome)}` },
    bottleneck: { big: word(SECTIONS[forecast.bottleneck] || forecast.bottleneck), sub: "", level: forecast.bottleneck === "none" ? "" : "warn" },
    "next-trailer": trailerFigure(forecast, now),
    reserve: { big: word(safe === null ? "unknown" : safe ? "n_minus_1_good" : "n_minus_1_bad"), sub: "", level: safe === false ? "warn" : "" },
    queue: { big: word("minutes", round(wait)), sub: "", level: wait >= 30 ? "warn" : "" },
    empty: { big: empty === null ? "–" : duration(empty), sub: "", level: empty !== null && empty < 120 ? "warn" : "" },
  };
}

function trailerFigure(forecast, now) {
  const needed = forecast.trailer_needed_by ? Date.parse(forecast.trailer_needed_by) : null;
  const sub = needed === null ? word("not_needed") : word("needed_by", minuteTime(needed));
  const overdue = forecast.trailers_overdue || [];
  if (overdue.length) {
    const longest = Math.max(...overdue.map(({ minutes }) => minutes)) + (now - Date.parse(forecast.at)) / 60000;
    return { big: word("overdue", duration(longest)), sub, level: "bad" };
  }
  if (!forecast.next_trailer_eta) return { big: word("no_trailer"), sub, level: needed === null ? "" : "warn" };
  const eta = Date.parse(forecast.next_trailer_eta);
  const late = needed !== null && eta > needed;
  return { big: word("trailer_in", duration((eta - now) / 60000)), sub: `${minuteTime(eta)} · ${late ? `${word("too_late")} · ` : ""}${sub}`, level: late ? "bad" : "" };
}

/** Show a forecast's figures in their boxes, and which of its inputs are doubtful. */
export function showFigures(forecast, now) {
  for (const [name, { big, sub, level, label }] of Object.entries(figuresOf(forecast, now))) {
    const node = byId(name);
    if (label) setText(node.querySelector("dt"), label);
    setText(node.querySelector(".big"), unbroken(big));
    setText(node.querySelector(".sub"), unbroken(sub));
    if (node.dataset.level !== (level || "")) node.dataset.level = level || "";
  }
  showInputs(forecast.inputs.filter(({ quality }) => quality !== "good"));
}

let inputsShown = null;

function showInputs(doubtful) {
  const key = JSON.stringify(doubtful.map(({ signal, quality }) => [signal, quality]));
  if (key === inputsShown) return;
  inputsShown = key;
  const place = byId("inputs");
  if (!doubtful.length) {
    place.replaceChildren(make("span", { class: "muted" }, `✓ ${word("inputs_good")}`));
    return;
  }
  const chips = doubtful.map(({ signal, quality, source }) => {
    const [kind, reason] = quality.split(":");
    const why = reason ? ` (${DOUBTS[reason] ? word(DOUBTS[reason]) : reason})` : "";
    const instead = source && source !== "measured" ? ` · ${word("input_from", standIn(source))}` : "";
    return make("span", { class: `chip ${kind}` }, `${signal} ${word(kind)}${why}${instead}`);
  });
  place.replaceChildren(make("b", {}, `${word("inputs_bad")}: ${doubtful.length}`), ...chips);
}

/** Return what stands in for an input, in the page's language. */
function standIn(source) {
  const [, twin] = source.match(/^mean with (.+)$/) ?? [];
  if (twin) return word("input_mean", twin);
  return STAND_INS[source] ? word(STAND_INS[source]) : source;
}
