// A signal as a bar over its instrument range: normal limits are ticks, the value fills it.

import { draw, layout, make, setText, word } from "../dom.js";
import { evaluate, qualityOf, stationNow, valueOf } from "../numbers.js";

const WIDE = 200;

/** Return {value, bar, age, refresh}: elements for a signal; `only` names the states in which it speaks at all. */
export function gaugeOf(tag, only = null) {
  const value = make("b");
  const unit = make("i");
  const shown = make("span", { class: "value", "data-tag": tag }, value, unit);
  const age = make("span", { class: "age muted" });
  const { states, limits } = layout.signals[tag];
  const bar = !states && Object.keys(limits).length ? barOf(tag) : null;
  const refresh = () => {
    const now = evaluate({ tag, only });
    const quality = now.text === "–" && only ? "good" : qualityOf(tag);
    setText(value, now.text);
    setText(unit, now.unit && ` ${now.unit}`);
    const name = `value${now.abnormal ? " abnormal" : ""}${quality === "good" ? "" : ` q-${quality}`}`;
    if (shown.className !== name) shown.className = name;
    setText(age, ageText(tag, quality, now.text === "–" && only));
    bar?.fillTo(now.text === "–" ? null : now.value, quality);
  };
  refresh();
  return { value: shown, bar: bar?.picture ?? "", age, refresh };
}

function ageText(tag, quality, isSilent) {
  const held = valueOf(tag);
  if (isSilent) return word("not_now");
  if (!held) return word("no_data_yet");
  const seconds = Math.max(0, (stationNow() - held[2]) / 1000);
  const old = seconds < 120 ? word("age_seconds", seconds.toFixed(0)) : word("age_minutes", (seconds / 60).toFixed(0));
  if (quality === "good") return old;
  const [kind, reason] = held[1].split(":");
  const said = quality === "stale" ? word("stale") : word(kind === "good" ? "bad" : kind);
  return `${said}${reason ? ` (${reason})` : ""} · ${old}`;
}

// The range is widened beyond normal and limits: what cannot be below nothing begins at nothing.
function isPositive(tag) {
  const { range, limits } = layout.signals[tag];
  const margin = (range[1] - range[0]) / 12; // 10 % of the spread, on either side.
  return range[0] + margin > -1e-6 * range[1] && Object.values(limits).every((limit) => limit >= 0);
}

function barOf(tag) {
  const { range, limits, name } = layout.signals[tag];
  const [low, high] = [isPositive(tag) ? 0 : range[0], range[1]];
  const x = (value) => WIDE * Math.min(1, Math.max(0, (value - low) / (high - low)));
  const fill = draw("rect", { class: "fill", x: 0, y: 3, height: 8, width: 0 });
  const ticks = Object.entries(limits).map(([limit, at]) => draw("rect", { class: `tick ${limit}`, x: x(at) - 0.75, y: 0, width: limit.length > 1 ? 2 : 1, height: 14 }));
  const track = draw("rect", { class: "track", x: 0, y: 3, height: 8, width: WIDE });
  const said = Object.entries(limits).map(([limit, at]) => `${limit} ${at}`).join(", ");
  const title = draw("title", {}, said || name);
  const picture = draw("svg", { class: "bar", viewBox: `0 0 ${WIDE} 14`, preserveAspectRatio: "none", role: "img", "aria-label": said ? word("limits_are", said) : name }, title, track, fill, ...ticks);
  const fillTo = (value, quality) => {
    fill.setAttribute("width", value === null ? 0 : x(value).toFixed(1));
    picture.classList.toggle("doubtful", quality !== "good");
  };
  return { picture, fillTo };
}
