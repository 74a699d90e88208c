// The sliders and switches of what if: what they say, what they ask for, and how each is left as the station is now.

import { byId, duration, layout, setText, word } from "./dom.js";
import { valueOf } from "./numbers.js";

const AS_IS = { add: 0, delay: 0 }; // Where the station is now; the air's temperature is where it is measured.
const SAYS = {
  add: (value) => (value > 0 ? word("what_if_more", value) : word("what_if_fewer", -value)),
  delay: (value) => `+${duration(value)}`,
  ambient: (value) => `${value.toFixed(1)} °C`,
};
const form = () => byId("what-if-form");
const slider = (name) => byId(`what-if-${name}`);
const switches = () => [...form().querySelectorAll('input[name="unit"]')];
let ambientMoved = false;

/** Begin; `moved()` is called whenever somebody has asked for something else. */
export function startForm(moved) {
  form().addEventListener("submit", (event) => event.preventDefault());
  form().addEventListener("input", (event) => {
    if (event.target.name === "ambient") ambientMoved = true;
    moved();
    show();
  });
  for (const button of form().querySelectorAll("[data-leave]")) {
    button.addEventListener("click", () => {
      slider(button.dataset.leave).focus(); // The button cannot keep the focus: it is of no use any more.
      leave(button.dataset.leave);
      show();
      moved();
    });
  }
  byId("what-if-reset").addEventListener("click", () => {
    form().reset();
    ["add", "delay", "ambient"].forEach(leave);
    slider("add").focus();
    show();
    moved();
  });
  followStation();
}

function leave(name) {
  if (name === "ambient") ambientMoved = false;
  slider(name).value = name === "ambient" ? (measured() ?? 0) : AS_IS[name];
}

/** Return the air's temperature now, null where it is not known. */
function measured() {
  const held = layout.what_if.ambient && valueOf(layout.what_if.ambient);
  return held && held[0] !== null ? held[0] : null;
}

/** Let a slider that is left as it is stand where the station is; call it each second. */
export function followStation() {
  if (!ambientMoved) leave("ambient");
  show();
}

const isMoved = (name) => (name === "ambient" ? ambientMoved : Number(slider(name).value) !== AS_IS[name]);

function show() {
  for (const name of ["add", "delay", "ambient"]) {
    const text = isMoved(name) ? SAYS[name](Number(slider(name).value)) : restingText(name);
    setText(byId(`what-if-${name}-now`), text);
    if (slider(name).getAttribute("aria-valuetext") !== text) slider(name).setAttribute("aria-valuetext", text);
    form().querySelector(`[data-leave="${name}"]`).disabled = !isMoved(name);
  }
  const away = byId("what-if-others").querySelectorAll('input[name="unit"]:not(:checked)').length;
  setText(byId("what-if-away"), away ? word("what_if_away", away) : "");
  byId("what-if-reset").disabled = Object.keys(asked()).length === 0;
}

function restingText(name) {
  const air = name === "ambient" ? measured() : null;
  return air === null ? word("what_if_as_is") : word("what_if_as_is_value", SAYS.ambient(air));
}

/** Return what is asked for, as the API takes it; {} where all is left as it is. */
export function asked() {
  const body = {};
  const away = switches().filter(({ checked }) => !checked);
  const day = form().elements.day.value;
  if (away.length) body.remove = away.map(({ value }) => value);
  if (isMoved("add")) body.add_trucks = Number(slider("add").value);
  if (isMoved("delay")) body.delay_trailers_min = Number(slider("delay").value);
  if (isMoved("ambient")) body.ambient_c = Number(slider("ambient").value);
  if (day) body.plan_of = day;
  return body;
}

/** Return why `body` cannot be asked, null where it can: a station without any bank or bay is none. */
export function refusalOf(body) {
  const emptied = Object.entries(layout.what_if.one_of).find(([, units]) => units.every((unit) => body.remove?.includes(unit)));
  return emptied ? word("what_if_one_left", word(emptied[0])) : null;
}
