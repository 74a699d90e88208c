// What charts share: times as ECharts takes them, and how far a value axis reaches.

import { offsetMinutes } from "./dom.js";

// ECharts knows UTC and the browser's zone only; times are shifted so that its UTC is the station's local time.
export const local = (t) => t + offsetMinutes(t) * 60000;
export const real = (t) => t - offsetMinutes(t) * 60000;

// A limit is in the picture when the line comes near it: a far one would flatten the line.
const near = (limits, at) => limits.filter((limit) => limit >= at.min - reach(at) && limit <= at.max + reach(at));
const reach = (at) => Math.max(0.6 * (at.max - at.min), 0.25 * Math.abs(at.max), 0.01);
const margin = (at) => Math.max(0.08 * (at.max - at.min), 0.01 * Math.abs(at.max), 0.01);
const step = (at) => 10 ** Math.floor(Math.log10(Math.max(at.max - at.min, margin(at))));
const outward = (value, unit, round) => Number((round(value / unit) * unit).toFixed(6));

/** Return where an axis begins that holds {min, max} and the limits that are near. */
export const lowEnd = (limits, at) => (Number.isFinite(at.min) ? outward(Math.min(at.min - margin(at), ...near(limits, at)), step(at), Math.floor) : 0);
/** Return where it ends. */
export const highEnd = (limits, at) => (Number.isFinite(at.max) ? outward(Math.max(at.max + margin(at), ...near(limits, at)), step(at), Math.ceil) : 1);
