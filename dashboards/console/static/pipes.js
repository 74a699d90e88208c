// Which pipes of the picture are in use, and where they lie: beside each other on a desk, between the sections on a phone.

import { byId, draw, layout } from "./dom.js";
import { qualityOf, valueOf } from "./numbers.js";
import { placed } from "./pipes_paths.js";

const { pipes } = layout;
const parts = []; // {node, used}
const UNKNOWN = new Set(["bad", "stale", "none"]);

/** Draw the pipes, anew whenever the tiles have moved; `watch(cell, tags)` tells when a signal speaks. */
export function drawPipes(watch) {
  const picture = draw("svg", { id: "pipes", "aria-hidden": "true" });
  byId("mimic").append(picture);
  const moves = new ResizeObserver(() => place(picture));
  for (const one of [byId("mimic"), ...byId("mimic").querySelectorAll(".tile")]) moves.observe(one); // A tile that grows moves others.
  watch({ refresh: show }, tagsOf(pipes));
}

const tagsOf = ({ reliefs, ...lines }) => [...reliefs, ...Object.values(lines).flat().map(({ tag }) => tag).filter(Boolean)];

function place(picture) {
  parts.length = 0;
  picture.replaceChildren(...placed(pipes).map(partOf));
  show();
}

/** One stretch of pipe; one that crosses another lies on a wider line of the ground, so that the other is seen to pass below. */
function partOf({ d, kind, head, over, end, used }) {
  const node = draw("g", { class: `pipe ${kind}` }, draw("path", { class: "line", d }));
  if (end) node.dataset.end = end;
  if (over) node.prepend(draw("path", { class: "ground", d }));
  if (head) node.append(draw("path", { class: "head", d: head }));
  parts.push({ node, used });
  return node;
}

function show() {
  const now = uses();
  for (const { node, used } of parts) node.classList.toggle("used", used(now));
}

const value = (tag) => (UNKNOWN.has(qualityOf(tag)) ? null : valueOf(tag)[0]);
const runs = ({ tag, over }) => tag !== undefined && value(tag) > over;
const among = (ends) => new Set(ends.filter(runs).map(({ unit }) => unit));
const total = (ends) => ends.reduce((sum, { tag }) => sum + (tag === undefined ? 0 : value(tag)), 0);

/** Return the units whose ends are in use, by line, and what follows from them. */
function uses() {
  const bays = among(pipes.bays);
  const trains = among(pipes.trains);
  const hoses = among(pipes.hoses);
  const outlets = hoses.size ? among(pipes.outlets) : new Set();
  const direct = hoses.size > 0 && bays.size > 0 && total(pipes.bays) - total(pipes.trains) > pipes.direct_over;
  const relief = pipes.reliefs.some((tag) => value(tag) > 0.5);
  return {
    bays,
    trains,
    hoses,
    outlets,
    direct,
    relief,
    inlets: trains.size ? among(pipes.inlets) : new Set(),
    brine: among(pipes.brine),
    banks: hoses.size > 0 && (outlets.size > 0 || !direct),
    vent: relief || pipes.vent.some(runs),
  };
}
