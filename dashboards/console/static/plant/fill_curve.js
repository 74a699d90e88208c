// One fill as its curve: pressure in its corridor, mass and flow, state of charge, temperatures.

import { ask, byId, clockTime, dayOf, hasWord, layout, setText, stationPath, word } from "../dom.js";
import { problemOf } from "../dialog.js";
import { numberOf } from "./sheet.js";
import { drawPlots } from "./plot.js";

let asked = 0;
let opener = null;

/** Begin: closing, Escape, and the fill that the address names. */
export function startCurve() {
  byId("curve-close").addEventListener("click", close);
  document.addEventListener("keydown", (event) => event.key === "Escape" && !byId("fill-curve").hidden && close());
  const [, hose, start] = location.hash.match(/^#(.+)@(\d+)$/) || [];
  if (hose && layout.hoses[hose]) showCurve(hose, Number(start));
}

/** Show a fill by its hose and when it connected. */
export async function showCurve(hose, start) {
  const mine = ++asked;
  opener = document.activeElement;
  history.replaceState(null, "", `#${hose}@${start}`);
  byId("fill-curve").hidden = false;
  byId("console").classList.add("with-curve");
  setText(byId("curve-title"), word("fill_of", layout.hoses[hose], `${dayOf(start)} ${clockTime(start)}`));
  setText(byId("curve-note"), word("loading"));
  mark(hose, start);
  byId("curve-title").focus({ preventScroll: true });
  byId("fill-curve").scrollIntoView({ block: "nearest" });
  try {
    const curve = await ask(stationPath(`/fills/${encodeURIComponent(hose)}/${start}`), { timeoutMs: 30000 });
    if (mine === asked) draw(curve, start);
  } catch (error) {
    if (mine !== asked) return;
    byId("curve-plots").replaceChildren();
    setText(byId("curve-note"), error.status === 404 ? word("fill_gone") : problemOf(error));
  }
}

function close() {
  asked += 1;
  byId("fill-curve").hidden = true;
  byId("console").classList.remove("with-curve");
  history.replaceState(null, "", location.pathname + location.search);
  mark(null, 0);
  opener?.focus?.();
}

function mark(hose, start) {
  for (const row of document.querySelectorAll("[data-fill]")) row.toggleAttribute("data-chosen", row.dataset.fill === `${hose}@${start}`);
}

const lastOf = (values) => values.findLast((value) => value !== null) ?? null;

function draw(curve, start) {
  const line = (key, kind = "main") => ({ name: word(`curve_${key}`), kind, points: curve.t.map((t, at) => [t, curve[key][at]]) });
  const end = curve.end ? Date.parse(curve.end) : curve.t.at(-1) ?? start;
  const state = curve.ended_as ? word(hasWord(`stop_${curve.ended_as}`) ? `stop_${curve.ended_as}` : "stop_end") : word("under_way");
  const minutes = numberOf((end - start) / 60000);
  setText(byId("curve-note"), [`${minutes} min`, `${numberOf(lastOf(curve.kg))} kg`, `SOC ${numberOf(lastOf(curve.soc), 0)} %`, state].join(" · "));
  const panels = [
    { title: word("curve_pressure"), unit: "MPa", floor: 0, height: 230, lines: [line("vehicle_mpa"), line("nozzle_mpa", "second"), line("target_mpa", "third"), line("most_mpa", "limit")] },
    { title: word("curve_mass"), unit: "kg", floor: 0, lines: [line("kg")] },
    { title: word("curve_flow_g_s"), unit: "g/s", floor: 0, height: 130, lines: [line("flow_g_s")] },
    { title: "SOC", unit: "%", floor: 0, height: 130, lines: [line("soc")] },
    { title: word("curve_temperature"), unit: "°C", lines: [line("gas_c"), line("delivery_c", "second")], limits: [["H", 80], ["HH", 85]] },
  ];
  drawPlots(byId("curve-plots"), { start, end: Math.max(end, start + 60000), panels, gapMs: Math.max(3 * curve.every_ms, 15000) });
}
