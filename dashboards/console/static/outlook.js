// The capacity page: the answer on top, the day's curve, what if, what was known when, and the plan.

import { ask, byId, context, dayOf, dayStart, minuteTime, setText, stationPath, word } from "./dom.js";
import { givenNow, loadGiven, loadPlan } from "./day.js";
import { drawDay, startDay } from "./day_curve.js";
import { openFrame, refreshStation, startFrame } from "./frame.js";
import { startLookBack } from "./look_back.js";
import { stationNow } from "./numbers.js";
import { figuresOf, showFigures } from "./outlook_figures.js";
import { startPlan } from "./plan_editor.js";
import { verdictOf } from "./verdict.js";
import { startWhatIf } from "./what_if.js";

const REDRAW_MS = 15000;
let forecast = context.forecast ?? null;
let plan = null;
let given = null;
let drawnAt = -Infinity;

startFrame({ values() {}, alarm() {}, capacity: take, opened });
showAnswer();
openFrame();
startLookBack();
const followWhatIf = startWhatIf();
startPlan(() => loadDay());
startDay().then(() => drawNow());
setInterval(eachSecond, 1000);

function take(news) {
  forecast = news;
  showAnswer();
  loadDay();
}

async function opened() {
  refreshStation();
  const newest = await ask(stationPath("/capacity")).catch(() => null);
  if (newest) forecast = newest;
  showAnswer();
  await loadDay();
}

async function loadDay() {
  const now = stationNow();
  const [newPlan, newGiven] = await Promise.all([loadPlan(dayOf(now)), loadGiven(dayStart(now)).catch(() => null)]);
  plan = newPlan;
  given = newGiven ?? given;
  drawNow();
}

function eachSecond() {
  showAnswer();
  followWhatIf();
  if (performance.now() - drawnAt > REDRAW_MS) drawNow();
}

function drawNow() {
  drawnAt = performance.now();
  const now = stationNow();
  const start = dayStart(now);
  const past = (given?.past || []).filter(([t]) => t >= start && t < now);
  drawDay({ now, start, plan, past, done: givenNow(given?.counters) ?? forecast?.done.kg ?? null, forecast });
}

/** Show the answer in one line, why, and the figures. */
function showAnswer() {
  if (!forecast) return;
  const now = stationNow();
  const { level, text, when } = verdictOf(forecast, now);
  byId("verdict").dataset.level = level;
  setText(byId("verdict-text"), level === "invalid" ? text : bigAnswer(level));
  setText(byId("verdict-when"), when);
  const limited = level !== "good" && forecast.bottleneck !== "none";
  setText(byId("verdict-limit"), limited ? word("answer_limit", figuresOf(forecast, now).bottleneck.big) : "");
  setText(byId("forecast-at"), word("forecast_of", minuteTime(Date.parse(forecast.at))));
  // What is not to be acted upon gives no advice.
  setText(byId("advice"), level === "invalid" ? "" : forecast.advice[context.language]);
  showFigures(forecast, now);
}

function bigAnswer(level) {
  if (level === "good") return `✓ ${word("answer_all", Math.round(forecast.plan.trucks))}`;
  if (level === "warn") return `! ${word("answer_maybe", Math.round(forecast.shortfall_probability * 100))}`;
  const { trucks_short: trucks, shortfall_kg: kg } = forecast;
  return `✕ ${trucks ? word("answer_short", trucks, Math.round(kg.p50)) : word("short", Math.round(kg.p50))}`;
}
