// Electricity of a day: figures, kilowatt-hours a kilogram by the hour, machines, hours.

import { ask, byId, dayStart, layout, localMs, minuteTime, offsetMinutes, stationPath, word } from "../dom.js";
import { noteOf, rowOf, tableOf } from "../sheet_table.js";
import { showFigures } from "./figures.js";
import { drawPlots } from "./plot.js";
import { numberOf, queryOf, startDay, startSheet } from "./sheet.js";

const HOUR_MS = 3600000;

startSheet();
startDay(load);

async function load(day, { date, isNewest }) {
  const found = await ask(stationPath(`/energy${queryOf(day)}`), { timeoutMs: 60000 });
  if (!isNewest()) return;
  showTotals(found.whole);
  showCourse(found.hours, dayStart(localMs(`${date}T12:00`)));
  showMachines(found.whole);
  showHours(found.hours);
}

const names = { ...layout.trains, ...layout.chillers };
const sum = (parts, key) => (parts.some(({ [key]: one }) => one === null) ? null : parts.reduce((total, { [key]: one }) => total + one, 0));

function showTotals({ station, trains, chillers, rest_kwh: rest }) {
  const machines = Object.values(trains);
  const [kwh, kg] = [sum(machines, "kwh"), sum(machines, "kg")];
  const chilled = sum(Object.values(chillers), "kwh");
  const share = (part) => (part === null || !station.kwh ? "" : word("share_of", Math.round((100 * part) / station.kwh)));
  showFigures(byId("energy-figures"), [
    [word("energy_station"), `${numberOf(station.kwh_per_kg, 2)} kWh/kg`, word("energy_dispensed", numberOf(station.kg, 0))],
    [word("energy_compression"), `${numberOf(kwh !== null && kg > 1 ? kwh / kg : null, 2)} kWh/kg`, word("energy_pressed", numberOf(kg, 0))],
    [word("energy_all"), `${numberOf(station.kwh, 0)} kWh`, ""],
    [word("energy_trains"), `${numberOf(kwh, 0)} kWh`, share(kwh)],
    [word("energy_chillers"), `${numberOf(chilled, 0)} kWh`, share(chilled)],
    [word("energy_rest"), `${numberOf(rest, 0)} kWh`, share(rest)],
  ]);
}

function showCourse(hours, start) {
  const at = (pick) => hours.map((hour) => [Date.parse(hour.start), pick(hour)]);
  const kinds = ["main", "second", "third", "fourth"];
  const trains = Object.entries(layout.trains).map(([unit, name], place) => ({ name, kind: kinds[place % kinds.length], points: at(({ trains: all }) => all[unit].kwh_per_kg).map(([t, value]) => [t + HOUR_MS / 2, value]) }));
  const panels = [
    { title: word("energy_station"), unit: "kWh/kg", floor: 0, digits: 2, height: 190, lines: [{ name: word("energy_by_hour"), kind: "main", bars: HOUR_MS, points: at(({ station }) => station.kwh_per_kg) }] },
    { title: word("energy_by_train"), unit: "kWh/kg", digits: 2, height: 190, lines: trains },
    { title: word("energy_all"), unit: "kWh", floor: 0, digits: 0, height: 150, lines: [{ name: word("energy_by_hour"), kind: "main", bars: HOUR_MS, points: at(({ station }) => station.kwh) }] },
  ];
  drawPlots(byId("per-kg-plots"), { start, end: start + 24 * HOUR_MS, offsetMs: offsetMinutes(start) * 60000, panels, gapMs: 1.5 * HOUR_MS });
}

function showMachines({ station, trains, chillers, rest_kwh: rest }) {
  const heads = ["energy_machine", "energy_kwh", "energy_kg", "energy_kwh_kg"].map((key) => word(key));
  const cells = (name, { kwh, kg, kwh_per_kg: each }) => rowOf([name, numberOf(kwh), kg === null ? "" : numberOf(kg), each === null ? "" : numberOf(each, 3)]);
  const machines = [...Object.entries(trains), ...Object.entries(chillers)].map(([unit, part]) => cells(names[unit], part));
  const others = [cells(word("energy_rest"), { kwh: rest, kg: null, kwh_per_kg: null }), cells(word("energy_whole"), station)];
  byId("machine-rows").replaceChildren(tableOf(heads, [...machines, ...others]));
}

function showHours(hours) {
  const heads = [word("energy_hour"), word("energy_kwh"), word("energy_kg"), word("energy_kwh_kg"), ...Object.values(layout.trains)];
  const rows = hours.map(({ start, station, trains }) => rowOf([minuteTime(Date.parse(start)), numberOf(station.kwh), numberOf(station.kg), numberOf(station.kwh_per_kg, 2), ...Object.keys(layout.trains).map((unit) => numberOf(trains[unit].kwh_per_kg, 2))]));
  byId("hour-rows").replaceChildren(rows.length ? tableOf(heads, rows.reverse()) : noteOf(word("trend_empty")));
}
