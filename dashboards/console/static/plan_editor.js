// The plan of a day as two tables: edit a row, add, remove, take a CSV; saving puts the whole plan.

import { ask, byId, context, dayOf, layout, localMs, make, minuteTime, setText, stationPath, word } from "./dom.js";
import { loadPlan } from "./day.js";
import { stationNow } from "./numbers.js";
import { readCsv, timeOf } from "./plan_csv.js";

const COLUMNS = { trucks: ["name_truck", "arrival", "kg"], trailers: ["name_trailer", "arrival", "kg", "bay"] };
const ADD = { trucks: "add_truck", trailers: "add_trailer" };
let rows = { trucks: [], trailers: [] };
let changed = false;
let saved = () => {};

/** Begin with today's plan; `onSaved` is told when another one counts. */
export function startPlan(onSaved) {
  saved = onSaved;
  byId("plan-day").value = dayOf(stationNow());
  byId("plan-day").addEventListener("change", load);
  byId("plan-save")?.addEventListener("click", save);
  byId("plan-discard")?.addEventListener("click", load);
  byId("csv-take")?.addEventListener("click", () => takeCsv(byId("csv-text").value));
  byId("csv-file")?.addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (file) byId("csv-text").value = await file.text();
  });
  load();
}

const day = () => byId("plan-day").value;

async function load() {
  const plan = await loadPlan(day());
  rows = {
    trucks: (plan?.trucks || []).map(({ id, time, kg }) => ({ id, t: time, kg })),
    trailers: (plan?.trailers || []).map(({ id, eta, kg, bay }) => ({ id, t: eta, kg, bay })),
  };
  changed = false;
  tellProblems([]);
  byId("plan-feasible").hidden = true;
  draw();
  if (!plan) setText(byId("plan-state"), word("plan_empty"));
}

function draw() {
  for (const list of ["trucks", "trailers"]) {
    const names = COLUMNS[list].map((key) => make("th", { scope: "col" }, key === "kg" ? "kg" : word(key)));
    const body = rows[list].map((row) => drawRow(list, row));
    const foot = context.may_operate ? make("tfoot", {}, make("tr", {}, make("td", { colspan: "5" }, adder(list)))) : null;
    byId(list).replaceChildren(make("thead", {}, make("tr", {}, ...names, make("td"))), make("tbody", {}, ...body), ...(foot ? [foot] : []));
  }
  tellState();
}

function drawRow(list, row) {
  const time = dayOf(row.t) === day() ? minuteTime(row.t) : `${dayOf(row.t)} ${minuteTime(row.t)}`;
  const cells = [
    field({ value: row.id, maxlength: 64, size: 9, "aria-label": word(list === "trucks" ? "name_truck" : "name_trailer") }, (value) => (row.id = value.trim())),
    field({ value: time, size: 6, inputmode: "numeric", placeholder: "hh:mm", "aria-label": word("arrival") }, (value, input) => {
      const t = timeOf(value.trim(), day());
      input.setCustomValidity(Number.isNaN(t) ? word("csv_time", value) : "");
      input.reportValidity();
      if (!Number.isNaN(t)) row.t = t;
    }),
    field({ value: row.kg, type: "number", min: 1, max: list === "trucks" ? 200 : 2000, step: "any", "aria-label": "kg" }, (value) => (row.kg = Number(value))),
  ];
  if (list === "trailers") cells.push(bayPicker(row));
  const remove = make("button", { type: "button", class: "bare", "aria-label": word("remove", row.id) }, "✕");
  remove.addEventListener("click", () => {
    rows[list] = rows[list].filter((one) => one !== row);
    touched();
    draw();
  });
  return make("tr", {}, ...cells.map((one) => make("td", {}, one)), make("td", {}, context.may_operate ? remove : null));
}

function field(attributes, take) {
  const input = make("input", { ...attributes, disabled: !context.may_operate });
  input.addEventListener("change", () => {
    take(input.value, input);
    touched();
  });
  return input;
}

function bayPicker(row) {
  const options = [null, ...layout.bays].map((bay) => make("option", { value: bay ?? "", selected: bay === (row.bay ?? null) }, bay ?? "–"));
  const picker = make("select", { "aria-label": word("bay"), disabled: !context.may_operate }, ...options);
  picker.addEventListener("change", () => {
    row.bay = picker.value || null;
    touched();
  });
  return picker;
}

function adder(list) {
  const button = make("button", { type: "button" }, word(ADD[list]));
  button.addEventListener("click", () => {
    const last = rows[list].at(-1);
    const names = new Set(rows[list].map(({ id }) => id));
    let number = rows[list].length + 1;
    while (names.has(`new-${number}`)) number += 1;
    const usual = list === "trucks" ? 40 : 278;
    rows[list].push({ id: `new-${number}`, t: last?.t ?? localMs(`${day()}T12:00`), kg: last?.kg ?? usual, bay: null });
    touched();
    draw();
    byId(list).querySelector("tbody tr:last-child input").focus();
  });
  return button;
}

function touched() {
  changed = true;
  tellState();
}

const sum = (list) => Math.round(rows[list].reduce((kg, row) => kg + row.kg, 0));

function tellState(more = changed ? word("plan_unsaved") : "") {
  const text = word("plan_state", rows.trucks.length, sum("trucks"), rows.trailers.length, sum("trailers"));
  setText(byId("plan-state"), more ? `${text} · ${more}` : text);
}

const tellProblems = (texts) => byId("plan-problems").replaceChildren(...texts.map((text) => make("li", {}, text)));

async function save() {
  const body = {
    trucks: rows.trucks.map(({ id, t, kg }) => ({ id, time: t, kg })),
    trailers: rows.trailers.map(({ id, t, kg, bay }) => ({ id, eta: t, kg, bay: bay ?? null })),
  };
  tellProblems([]);
  try {
    const answer = await ask(stationPath(`/plan/${day()}`), { method: "PUT", body, timeoutMs: 20000 });
    changed = false;
    tellState(word("plan_saved", minuteTime(stationNow())));
    tellFeasible(answer.feasible);
    saved();
  } catch (error) {
    tellState(word("plan_failed", error.message));
    tellProblems((error.rows || []).slice(0, 20).map(({ field: place, value, rule }) => `${place} = ${value}: ${rule}`));
  }
}

/** Show whether the station can carry the plan at all, where the server says so. */
function tellFeasible(feasible) {
  const place = byId("plan-feasible");
  const text = feasible?.text?.[context.language];
  place.hidden = !text;
  if (!text) return;
  const can = feasible.ok ?? feasible.feasible ?? true;
  place.dataset.level = can ? "good" : "bad";
  setText(place, `${can ? "✓" : "✕"} ${text}`);
}

function takeCsv(text) {
  const { trucks, trailers, problems } = readCsv(text, day());
  byId("csv-problems").replaceChildren(...problems.map((problem) => make("li", {}, problem)));
  if (problems.length || trucks.length + trailers.length === 0) return;
  rows = { trucks, trailers };
  changed = true;
  draw();
  tellState(word("csv_taken", trucks.length, trailers.length));
}
