// The fills of a day: figures, a list that can be filtered, a CSV, and one fill as its curve.

import { ask, byId, clockTime, context, layout, make, stationPath, word } from "../dom.js";
import { noteOf, rowOf, tableOf } from "../sheet_table.js";
import { showCurve, startCurve } from "./fill_curve.js";
import { showFigures } from "./figures.js";
import { numberOf, queryOf, startDay, startSheet } from "./sheet.js";

const WARM_C = 80; // The vehicle's own H limit: a fill that came so far is looked at.
let fills = { items: [], under_way: [] };

startSheet();
startCurve();
const again = startDay(load);
byId("hose").addEventListener("change", again);
byId("result").addEventListener("change", show);

async function load(day, { date, isNewest }) {
  const hose = byId("hose").value && `hose=${encodeURIComponent(byId("hose").value)}`;
  const found = await ask(stationPath(`/fills${queryOf(day, hose)}`), { timeoutMs: 60000 });
  if (!isNewest()) return;
  fills = found;
  byId("csv").href = stationPath(`/fills${queryOf(`date=${date}`, hose, "format=csv", `lang=${context.language}`)}`);
  show();
}

const isShort = ({ end_soc: soc, result }) => result === "complete" && soc !== null && soc < layout.full_soc;

function wanted(fill) {
  const { value } = byId("result");
  return !value || (value === "short" ? isShort(fill) : fill.result === value);
}

function show() {
  const shown = fills.items.filter(wanted);
  showFigures(byId("fill-figures"), figuresOf(shown));
  const heads = ["hose", "start", "minutes", "truck", "kg", "soc", "end_mpa", "peak_c", "result"].map((key) => word(`fill_${key}`));
  const rows = [...(byId("result").value ? [] : fills.under_way.map(openRow)), ...shown.map(rowOfFill).reverse()];
  byId("fill-rows").replaceChildren(rows.length ? tableOf(heads, rows) : noteOf(word("fills_none")));
}

function figuresOf(shown) {
  const whole = shown.filter(({ result }) => result === "complete");
  const kg = shown.map(({ kg: one }) => one).filter((one) => one !== null);
  const soc = whole.map(({ end_soc: one }) => one).filter((one) => one !== null);
  const minutes = whole.map(({ minutes: one }) => one).sort((one, other) => one - other);
  const full = soc.filter((one) => one >= layout.full_soc).length;
  const broken = shown.length - whole.length;
  return [
    [word("fills_count"), String(whole.length), broken ? word("fills_broken", broken) : ""],
    [word("fills_kg"), `${numberOf(kg.reduce((sum, one) => sum + one, 0), 0)} kg`, kg.length ? word("fills_mean", numberOf(kg.reduce((sum, one) => sum + one, 0) / kg.length)) : ""],
    [word("fills_minutes"), minutes.length ? `${numberOf(minutes[Math.floor(minutes.length / 2)])} min` : "–", minutes.length ? word("fills_longest", numberOf(minutes.at(-1))) : ""],
    [word("fills_full", layout.full_soc), soc.length ? `${Math.round((100 * full) / soc.length)} %` : "–", soc.length ? word("fills_of", full, soc.length) : ""],
  ];
}

function openRow({ hose, start, kg, asked_kg: asked }) {
  const given = asked === null ? numberOf(kg) : `${numberOf(kg)} / ${numberOf(asked)}`;
  const cells = [hoseCell(hose, start), clockTime(Date.parse(start)), "", "", given, "", "", "", word("under_way")];
  return rowOf(cells, { class: "open" });
}

function rowOfFill(fill) {
  const from = fill.start_soc === null ? "" : `${numberOf(fill.start_soc, 0)}\u00a0→\u00a0`;
  const soc = fill.end_soc === null ? "–" : `${from}${numberOf(fill.end_soc, 0)}\u00a0%`;
  const cells = [
    hoseCell(fill.hose, fill.start), clockTime(Date.parse(fill.start)), numberOf(fill.minutes), fill.truck ?? "–",
    numberOf(fill.kg), flagged(soc, isShort(fill)), `${numberOf(fill.end_mpa)}`, flagged(numberOf(fill.peak_c, 0), fill.peak_c >= WARM_C), resultOf(fill),
  ];
  return rowOf(cells, { "data-fill": `${fill.hose}@${Date.parse(fill.start)}` });
}

const flagged = (text, isFlagged) => (isFlagged ? make("span", { class: "odd" }, `! ${text}`) : text);

function hoseCell(hose, start) {
  const name = word("fill_open", layout.hoses[hose], clockTime(Date.parse(start)));
  const button = make("button", { type: "button", "aria-label": name }, hose.replace("hose-", ""));
  button.addEventListener("click", () => showCurve(hose, Date.parse(start)));
  return button;
}

function resultOf(fill) {
  const link = fill.link === "yes" ? "" : ` · ${word(`link_${fill.link}`)}`;
  const text = word(`stop_${fill.stop.replace("-", "_")}`) + link;
  return fill.result === "complete" ? text : make("span", { class: "odd" }, `! ${text}`);
}

