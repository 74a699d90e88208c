// A forecast in a word: enough, at risk, short, or not to be trusted. A sign stands with each colour.

import { duration, layout, minuteTime, word } from "./dom.js";

export const OLD_MS = 900000; // A forecast comes each 5 minutes; three missed are told.
const SIGNS = { invalid: "? ", bad: "✕ ", warn: "! ", good: "✓ " };

/** Return the level of a probability, "" where no alarm is raised at it. */
export function chanceLevel(chance) {
  const { warn, bad } = layout.chances;
  return chance >= bad ? "bad" : chance >= warn ? "warn" : "";
}

/** Return {level, text, when} of a forecast as it is to be judged at `now`. */
export function verdictOf(forecast, now) {
  const { shortfall_kg: kg, shortfall_probability: chance, shortfall_at: at, lead_minutes: lead } = forecast;
  const old = now - Date.parse(forecast.at) > OLD_MS;
  const level = old || !forecast.valid ? "invalid" : chanceLevel(chance) || "good";
  const texts = { invalid: word(old ? "forecast_old" : "forecast_invalid"), bad: word("short", Math.round(kg.p50)), warn: word("at_risk"), good: word("enough") };
  const when = at && level !== "good" ? word("short_from", minuteTime(Date.parse(at)), duration(lead ?? 0)) : "";
  return { level, text: SIGNS[level] + texts[level], when };
}
