// Which alarms the list shows: by state, priority, area and text, with a count on each choice.

import { byId, context, layout, make, setText, word } from "./dom.js";
import { PRIORITIES, symbol } from "./symbols.js";

const STATES = ["UNACK", "ACKED", "RTNUN", "LATCHED", "ASKED", "SHELVED", "SUPPRESSED", "OUT_OF_SERVICE"];
const USUAL = ["UNACK", "ACKED", "RTNUN", "LATCHED", "ASKED"];
const wanted = { states: new Set(USUAL), priorities: new Set(PRIORITIES), area: "", text: "" };
let changed = () => {};

/** Begin; `onChange()` is called when another choice was made. */
export function startFilter(onChange) {
  changed = onChange;
  byId("filter").open = !matchMedia("(max-width: 899px)").matches; // On a phone the alarms come first.
  byId("filter-states").append(...STATES.map((state) => chip(state, word(`state_${state}`), null, wanted.states)));
  byId("filter-priorities").append(...PRIORITIES.map((one) => chip(one, word(one), symbol(one), wanted.priorities)));
  byId("filter-area").append(...Object.entries(layout.areas).map(([key, name]) => make("option", { value: key }, name)));
  byId("filter-area").addEventListener("change", (event) => take("area", event.target.value));
  byId("filter-text").addEventListener("input", (event) => take("text", event.target.value.trim().toLowerCase()));
}

function take(name, value) {
  wanted[name] = value;
  changed();
}

function chip(key, text, sign, chosen) {
  const count = make("b", { class: "count" }, "0");
  const button = make("button", { type: "button", class: "choice", "data-key": key, "aria-pressed": chosen.has(key) }, sign, `${text} `, count);
  button.setAttribute("aria-pressed", String(chosen.has(key)));
  button.addEventListener("click", () => {
    if (!chosen.delete(key)) chosen.add(key);
    button.setAttribute("aria-pressed", String(chosen.has(key)));
    changed();
  });
  return button;
}

const statesOf = (alarm) => (alarm.out_of_service_asked_by ? [alarm.state, "ASKED"] : [alarm.state]);

/** Return the area of an alarm: of its signal, else capacity or the system itself. */
export function areaOf(alarm) {
  const signal = layout.signals[alarm.signal];
  if (signal) return signal.at.split("/")[0];
  return alarm.group === "capacity" ? "capacity" : "system";
}

const inState = (alarm) => statesOf(alarm).some((state) => wanted.states.has(state));
const inPriority = (alarm) => wanted.priorities.has(alarm.priority);
const inArea = (alarm) => !wanted.area || areaOf(alarm) === wanted.area;

function inText(alarm) {
  if (!wanted.text) return true;
  const unit = layout.units[alarm.group] || "";
  return `${alarm.id} ${alarm.text[context.language]} ${unit}`.toLowerCase().includes(wanted.text);
}

/** Return the alarms that pass, and tell on each choice how many it holds beside the other choices. */
export function filtered(alarms) {
  const here = alarms.filter((alarm) => inArea(alarm) && inText(alarm));
  count("filter-states", here.filter(inPriority).flatMap(statesOf));
  count("filter-priorities", here.filter(inState).map(({ priority }) => priority));
  return here.filter((alarm) => inState(alarm) && inPriority(alarm));
}

function count(place, keys) {
  for (const button of byId(place).children) {
    const number = keys.filter((key) => key === button.dataset.key).length;
    setText(button.querySelector(".count"), String(number));
    button.classList.toggle("none", number === 0);
  }
}
