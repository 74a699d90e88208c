// A forecast as rows, and two of them side by side with what lies between them.

import { byId, context, duration, make, minuteTime, unbroken, word } from "./dom.js";
import { figuresOf } from "./outlook_figures.js";
import { verdictOf } from "./verdict.js";

const sign = (value) => (value > 0 ? "+" : "−");
const number = (unit) => (value) => `${sign(value)}${Math.abs(value)}${unit && ` ${unit}`}`;
const minutes = (value) => `${sign(value)}${duration(Math.abs(value))}`;

/** Return [[label, text, level, number, how a difference is said]] of a forecast, as it was to be judged at `now`. */
export function forecastRows(forecast, now) {
  const figures = figuresOf(forecast, now);
  const { level, text } = verdictOf(forecast, now);
  const { p50, p90 } = forecast.shortfall_kg;
  const at = forecast.shortfall_at ? Date.parse(forecast.shortfall_at) : null;
  const close = forecast.kg_by_close;
  const row = (label, name, value = null, said = null) => [word(label), [figures[name].big, figures[name].sub].filter(Boolean).join(" · "), figures[name].level, value, said];
  return [
    [word("row_answer"), text, level === "good" ? "" : level],
    row("probability", "chance", Math.round(100 * forecast.shortfall_probability), number("%")),
    [word("row_short"), `${Math.round(p50)} / ${Math.round(p90)}`, p50 >= 40 ? "bad" : "", Math.round(p50), number("kg")],
    [word("row_short_at"), at === null ? word("never") : minuteTime(at), "", at === null ? null : Math.round(at / 60000), minutes],
    row("by_close", "by-close", close ? Math.round(close.p50) : null, number("kg")),
    row("trucks_servable", "servable", Math.round(forecast.trucks_servable.p50), number("")),
    row("bottleneck", "bottleneck"),
    row("next_trailer", "next-trailer"),
    row("n_minus_1", "reserve"),
    row("queue_wait", "queue", Math.round(forecast.queue_wait_minutes.p90), minutes),
    [word("row_advice"), forecast.advice[context.language], ""],
  ];
}

/** Show the forecast as it is, as it would be, and the difference. */
export function showTable(base, then) {
  const others = forecastRows(then, Date.parse(then.at));
  const rows = forecastRows(base, Date.parse(base.at)).map((one, at) => rowOf(one, others[at]));
  const top = ["as_is", "then", "difference"].map((key) => make("th", { scope: "col" }, word(key)));
  byId("what-if-table").replaceChildren(make("thead", {}, make("tr", {}, make("td"), ...top)), make("tbody", {}, ...rows));
  byId("what-if-table").hidden = false;
}

function rowOf([label, text, level, value], [, other, otherLevel, otherValue, said]) {
  const changed = text !== other;
  const between = !changed ? word("same") : value != null && otherValue != null && value !== otherValue ? said(otherValue - value) : word("differs");
  const cells = [cell(text, level), cell(other, otherLevel, changed), make("td", { class: changed ? "changed" : "muted" }, unbroken(between))];
  return make("tr", {}, make("th", { scope: "row" }, label), ...cells);
}

const cell = (text, level, changed = false) => make("td", { "data-level": level || "", class: changed ? "changed" : null }, unbroken(text));
