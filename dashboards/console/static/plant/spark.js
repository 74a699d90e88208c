// A signal's last hours as a line of a few square centimetres.

import { draw, word } from "../dom.js";

const [WIDE, HIGH] = [220, 34];

/** Return a small line of [t, value] from `start` to `end`; a state is drawn in steps, a silence is left open. */
export function sparkOf(points, { start, end, gapMs, isState, name }) {
  const known = points.filter(([, value]) => value !== null);
  const root = draw("svg", { class: "spark", viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", role: "img", "aria-label": word("spark_of", name) });
  if (!known.length) return root;
  const values = known.map(([, value]) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const spread = high - low || Math.max(1e-6, Math.abs(high) * 0.02);
  const middle = (high + low) / 2;
  const x = (t) => (WIDE * (t - start)) / (end - start);
  const y = (value) => HIGH / 2 - ((value - middle) / spread) * (HIGH - 6);
  let path = "";
  let last = -Infinity;
  for (const [t, value] of known) {
    const isOpen = t - last > gapMs;
    if (isOpen) path += `M${x(t).toFixed(1)} ${y(value).toFixed(1)}`;
    else path += isState ? `H${x(t).toFixed(1)}V${y(value).toFixed(1)}` : `L${x(t).toFixed(1)} ${y(value).toFixed(1)}`;
    last = t;
  }
  root.append(draw("path", { d: path }));
  return root;
}

/** Return the lowest and the highest of some points, null where there is none. */
export function spanOf(points) {
  const values = points.map(([, value]) => value).filter((value) => value !== null);
  return values.length ? [Math.min(...values), Math.max(...values)] : null;
}
