// Figures in tiles: a label, a large number, and what it is measured by.

import { make } from "../dom.js";

/** Show figures: [label, big, sub, level]. */
export function showFigures(place, figures) {
  const tiles = figures.map(([label, big, sub = "", level = ""]) => make("div", { class: "figure", "data-level": level },
    make("dt", {}, label), make("dd", {}, make("b", { class: "big" }, big), make("span", { class: "sub" }, sub))));
  place.replaceChildren(...tiles);
}
