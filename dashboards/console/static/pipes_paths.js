// Where the pipes of the picture lie, from where its tiles stand.

import { byId } from "./dom.js";

const HEAD = 9; // Length of an arrow's head; the gaps of the picture's style leave room for it.
const EXCHANGER = 7;
const wide = matchMedia("(min-width: 1500px)");

/** Return the stretches {d, kind, head, over, end, used(uses)} of all lines that have both of their sides; `end` names what a stub leads to. */
export function placed(pipes) {
  const origin = byId("mimic").getBoundingClientRect();
  const boxOf = (element) => element && relative(element.getBoundingClientRect(), origin);
  const tile = (unit) => boxOf(byId("mimic").querySelector(`[data-unit="${unit}"]`));
  const area = (name) => boxOf(byId("mimic").querySelector(`.area-${name}`));
  return wide.matches ? beside(withBoxes(pipes, tile), area) : below(area);
}

function relative(box, origin) {
  const [left, top] = [box.left - origin.left, box.top - origin.top];
  return { left, top, right: left + box.width, bottom: top + box.height, x: left + box.width / 2, y: top + box.height / 2 };
}

function withBoxes(pipes, tile) {
  const lines = Object.entries(pipes).filter(([, ends]) => Array.isArray(ends) && ends[0]?.unit);
  return Object.fromEntries(lines.map(([name, ends]) => [name, ends.map((end) => ({ ...end, box: tile(end.unit) }))]));
}

// ---- One below the other: an arrow from section to section.

function below(area) {
  const [trailer, compression, storage, dispensing, cooling] = ["trailer", "compression", "storage", "dispensing", "cooling"].map(area);
  const steps = [
    [trailer, compression, "gas", ({ trains }) => trains.size > 0],
    [compression, storage, "gas", ({ inlets }) => inlets.size > 0],
    [storage, dispensing, "gas", ({ hoses }) => hoses.size > 0],
    [cooling, dispensing, "brine", ({ brine }) => brine.size > 0],
  ];
  return steps.filter(([from, to]) => from && to).map(([from, to, kind, used]) => {
    const [start, end] = from.top < to.top ? [from.bottom, to.top] : [from.top, to.bottom];
    return stretch([[from.x, start], [to.x, end]], kind, used, true);
  });
}

// ---- Beside each other: every unit has its own way to a line in the gaps between the sections.

function beside(lines, area) {
  const [trailer, compression, storage, dispensing, cooling] = ["trailer", "compression", "storage", "dispensing", "cooling"].map(area);
  const { bays = [], trains = [], inlets = [], hoses = [], high = [], brine = [], vent = [] } = lines;
  const bottom = Math.max(...[trailer, compression, storage, dispensing].filter(Boolean).map((box) => box.bottom));
  const ways = { low: between(trailer, compression), press: between(compression, storage), fill: between(storage, dispensing) };
  const found = [];
  if (bays.length && trains.length) found.push(...lowLine(lines, ways.low, bottom + 15, hoses.length > 0));
  if (trains.length && inlets.length) found.push(...pressLine(lines, ways.press));
  if (vent.length) found.push(...ventLine(lines, bottom + 5));
  if (high.length && hoses.length) found.push(...outletLine(lines), ...fillLine(lines, ways, bottom + 15));
  if (brine.length && hoses.length) found.push(...brineLine(brine, cooling, ways.fill, fillHeight(hoses)));
  return found;
}

const between = (one, other) => (one && other ? (one.right + other.left) / 2 : null);

function lowLine({ bays, low = [], trains }, x, bottom, direct) {
  const nodes = [
    ...bays.map(({ unit, box }) => ({ end: unit, at: [x, box.y], from: ({ bays: used }) => used.has(unit), stub: [[box.right, box.y], [x, box.y]] })),
    ...low.map(({ box }) => ({ at: [x, box.y], stub: [[box.right, box.y], [x, box.y]], touches: true })),
    ...trains.map(({ unit, box }) => ({ end: unit, at: [x, box.y], to: ({ trains: used }) => used.has(unit), stub: [[x, box.y], [box.left, box.y]] })),
    ...(direct ? [{ at: [x, bottom], to: (uses) => uses.direct }] : []),
  ];
  return line(nodes.sort((one, other) => one.at[1] - other.at[1]), "gas");
}

function pressLine({ trains, inlets }, x) {
  const y = Math.min(...inlets.map(({ box }) => box.top)) - HEAD - 4;
  const rising = trains.map(({ unit, box }) => ({ end: `from ${unit}`, at: [x, box.y], from: ({ trains: used }) => used.has(unit), stub: [[box.right, box.y], [x, box.y]] }));
  const along = inlets.map(({ unit, box }) => ({ end: unit, at: [box.x, y], to: ({ inlets: used }) => used.has(unit), stub: [[box.x, y], [box.x, box.top]] }));
  return line([...rising.sort((one, other) => other.at[1] - one.at[1]), { at: [x, y] }, ...along], "gas");
}

const outletLine = ({ outlets = [], high }) =>
  outlets.map(({ unit, box }) => ({ ...stretch([[box.x, box.bottom], [box.x, high[0].box.top]], "gas", ({ outlets: used }) => used.has(unit), true), end: `from ${unit}` }));

/** Rows of hoses have their line in the gap below the first and above the second of each pair. */
function fillHeight(hoses) {
  const tops = [...new Set(hoses.map(({ box }) => Math.round(box.top)))].sort((one, other) => one - other);
  const first = hoses.find(({ box }) => Math.round(box.top) === tops[0]).box;
  return tops.length > 1 ? (first.bottom + tops[1]) / 2 : first.top - HEAD - 5;
}

function fillLine({ high, hoses, bays = [], trains = [] }, { low, fill: x }, direct) {
  const [from, y] = [high[0].box, fillHeight(hoses)];
  const columns = [...new Set(hoses.map(({ box }) => Math.round(box.x)))].sort((one, other) => one - other);
  const nodes = columns.flatMap((column) => {
    const here = hoses.filter(({ box }) => Math.round(box.x) === column);
    return here.map(({ unit, box }) => ({ end: unit, at: [box.x, y], to: ({ hoses: used }) => used.has(unit), stub: [[box.x, y], [box.x, box.y < y ? box.bottom : box.top]] }));
  });
  const past = bays.length && trains.length ? [{ end: "direct", at: [x, direct], from: (uses) => uses.direct, stub: [[low, direct], [x, direct]], over: true }] : [];
  const bank = { end: "banks", at: [x, from.y], from: (uses) => uses.banks, stub: [[from.right, from.y], [x, from.y]] };
  return line([...past, bank, { at: [x, y] }, ...nodes], "gas");
}

/** Brine goes to where the gas turns to the hoses: an exchanger, drawn as a circle on the gas. */
function brineLine(brine, cooling, x, y) {
  const level = cooling.bottom + 4;
  const flows = ({ brine: used }) => used.size > 0;
  const nodes = brine.map(({ unit, tag, box }) => {
    const stub = [[box.x, box.bottom], [box.x, level]];
    return tag ? { at: [box.x, level], from: ({ brine: used }) => used.has(unit), stub } : { at: [box.x, level], stub, touches: true };
  });
  const circle = `M${x - EXCHANGER} ${y}a${EXCHANGER} ${EXCHANGER} 0 1 0 ${2 * EXCHANGER} 0a${EXCHANGER} ${EXCHANGER} 0 1 0 ${-2 * EXCHANGER} 0z`;
  const end = { at: [x, level], to: flows, stub: [[x, level], [x, y - EXCHANGER]] };
  return [...line([end, ...nodes.sort((one, other) => one.at[0] - other.at[0])], "brine"), { d: circle, kind: "exchanger", used: flows }];
}

function ventLine({ trains = [], high = [], hoses = [], vent }, y) {
  const lowest = (ends) => ends.reduce((found, { box }) => (!found || box.bottom > found.bottom ? box : found), null);
  const starts = [[lowest(trains)], [lowest(high), (uses) => uses.relief], [lowest(hoses)]].filter(([box]) => box);
  const nodes = starts.map(([box, from]) => ({ end: from && "relief", at: [box.x, y], from: from ?? (() => false), stub: [[box.x, box.bottom], [box.x, y]] }));
  const [{ box }] = vent;
  return line([...nodes, { end: "vent", at: [box.x, y], to: (uses) => uses.vent, stub: [[box.x, y], [box.x, box.top]] }], "vent");
}

/** Return a line's stretches: gas moves between two nodes where one side has a source in use and the other a drain. */
function line(nodes, kind) {
  const some = (list, side, uses) => list.some((node) => node[side]?.(uses));
  const flows = (at) => (uses) => {
    const [before, after] = [nodes.slice(0, at), nodes.slice(at)];
    return (some(before, "from", uses) && some(after, "to", uses)) || (some(before, "to", uses) && some(after, "from", uses));
  };
  const along = nodes.slice(1).map(({ at: point }, at) => ({ ...stretch([nodes[at].at, point], kind, flows(at + 1)), over: nodes[at].over }));
  const stubs = nodes.filter(({ stub }) => stub).map(({ stub, from, to, touches, end }) => {
    const whole = (uses) => some(nodes, "from", uses) && some(nodes, "to", uses);
    return { ...stretch(stub, kind, touches ? whole : (from ?? to), Boolean(to)), end };
  });
  return [...along.filter(({ length }) => length > 0.5), ...stubs];
}

function stretch(points, kind, used, arrow = false) {
  const [[x0, y0], [x1, y1]] = points;
  const length = Math.hypot(x1 - x0, y1 - y0);
  const [dx, dy] = length ? [(x1 - x0) / length, (y1 - y0) / length] : [0, 0];
  const back = arrow ? Math.min(HEAD - 2, length) : 0;
  const d = `M${round(x0)} ${round(y0)}L${round(x1 - back * dx)} ${round(y1 - back * dy)}`;
  const side = HEAD * 0.55;
  const [bx, by] = [x1 - HEAD * dx, y1 - HEAD * dy];
  const head = `M${round(x1)} ${round(y1)}L${round(bx - side * dy)} ${round(by + side * dx)}L${round(bx + side * dy)} ${round(by - side * dx)}z`;
  return { d, kind, used, length, head: arrow ? head : null };
}

const round = (number) => Math.round(number * 2) / 2;
