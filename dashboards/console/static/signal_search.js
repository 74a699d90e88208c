// A field that finds a signal by its tag or its name in either language.

import { byId, layout, make } from "./dom.js";

const MOST = 12;
let found = [];
let at = -1;

/** Begin; `pick(tag)` is called with what was chosen. */
export function startSearch(form, field, list, pick) {
  const choose = (tag) => {
    if (!tag) return;
    pick(tag);
    field.value = "";
    close();
  };
  const close = () => {
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  const show = () => {
    found = field.value.trim() ? matches(field.value) : [];
    at = found.length ? 0 : -1;
    list.replaceChildren(...found.map((tag, place) => optionOf(tag, place, () => choose(tag))));
    list.hidden = !found.length;
    field.setAttribute("aria-expanded", String(found.length > 0));
    mark(field, list);
  };
  field.addEventListener("input", show);
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") close();
    if (!step || !found.length) return;
    event.preventDefault();
    at = (at + step + found.length) % found.length;
    mark(field, list);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    choose(found[at] ?? matches(field.value)[0]);
  });
}

/** Return the tags that hold every word asked for, the tag itself first. */
export function matches(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = Object.entries(layout.signals).filter(([tag, { name, other }]) => {
    const hay = `${tag} ${name} ${other}`.toLowerCase();
    return words.every((word) => hay.includes(word));
  });
  const rank = ([tag]) => (tag.toLowerCase().startsWith(words[0]) ? 0 : 1);
  return words.length ? hits.sort((one, other) => rank(one) - rank(other)).slice(0, MOST).map(([tag]) => tag) : [];
}

function optionOf(tag, place, choose) {
  const option = make("li", { role: "option", id: `found-${place}` }, make("b", {}, tag), ` ${layout.signals[tag].name} `, make("span", { class: "muted" }, layout.signals[tag].other));
  option.addEventListener("pointerdown", (event) => {
    event.preventDefault(); // The field keeps the focus.
    choose();
  });
  return option;
}

function mark(field, list) {
  [...list.children].forEach((option, place) => option.setAttribute("aria-selected", String(place === at)));
  if (at >= 0 && !list.hidden) {
    field.setAttribute("aria-activedescendant", `found-${at}`);
    byId(`found-${at}`)?.scrollIntoView({ block: "nearest" });
  }
}
