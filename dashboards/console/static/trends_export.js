// What is seen as a file: its numbers as CSV, or the picture with its legend as PNG.

import { byId, clockTime, dayOf, layout, make, offsetMinutes, word, zoneName } from "./dom.js";
import { shown } from "./numbers.js";
import { pictureOn, windowText } from "./trends_chart.js";
import { lookOf } from "./trends_paint.js";

const LINE = 26;
const TEXT = '15px "Noto Sans", "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", sans-serif';

/** Save the numbers that are drawn: a row a moment, three columns a signal where windows have a band. */
export function saveCsv(tags, data) {
  const span = `${stamp(data.from)} .. ${stamp(data.to)}`;
  const wide = (tag) => data.window.every && !layout.signals[tag].states;
  const heads = tags.flatMap((tag) => (wide(tag) ? [`${tag}.mean`, `${tag}.min`, `${tag}.max`, `${tag}.q`] : [tag, `${tag}.q`]));
  const byTime = new Map();
  tags.forEach((tag, at) => {
    for (const row of data.series.get(tag) || []) {
      if (row[4] === "none" || row[0] < data.from || row[0] > data.to) continue;
      if (!byTime.has(row[0])) byTime.set(row[0], Array(tags.length).fill(null));
      byTime.get(row[0])[at] = row;
    }
  });
  const lines = [...byTime.keys()].sort((one, other) => one - other).map((t) => [stamp(t), ...tags.flatMap((tag, at) => cellsOf(byTime.get(t)[at], wide(tag)))].join());
  const top = `# ${layout.id}, ${span}, ${data.window.every ? `windows of ${data.window.every}` : "every reading"}`;
  save(new Blob([[top, ["t", ...heads].join(), ...lines, ""].join("\r\n")], { type: "text/csv" }), `${nameOf(data)}.csv`);
}

function cellsOf(row, wide) {
  const empty = wide ? ["", "", "", ""] : ["", ""];
  if (!row) return empty;
  const quality = row[4] === "good" ? "" : row[4];
  return wide ? [row[1] ?? "", row[2] ?? "", row[3] ?? "", quality] : [row[1] ?? "", quality];
}

/** Return a moment in RFC 3339, in the station's zone. */
function stamp(t) {
  const minutes = offsetMinutes(t);
  const two = (number) => String(number).padStart(2, "0");
  const zone = `${minutes < 0 ? "-" : "+"}${two(Math.trunc(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  return `${new Date(t + minutes * 60000).toISOString().slice(0, -1)}${zone}`;
}

const nameOf = ({ from, to }) => `${layout.id}-${[from, to].map((t) => `${dayOf(t)}T${clockTime(t).replaceAll(":", "")}`).join("-")}`;

/** Save the picture, with what it shows written above it and its legend below. */
export function savePng(tags, data) {
  const style = getComputedStyle(byId("console"));
  const [ground, ink] = ["panel", "text"].map((name) => style.getPropertyValue(`--${name}`).trim());
  const image = pictureOn(ground);
  const canvas = make("canvas", { width: image.width, height: image.height + 2 * LINE * (tags.length + 2) });
  const pen = canvas.getContext("2d");
  pen.fillStyle = ground;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.scale(2, 2);
  pen.font = TEXT;
  pen.fillStyle = ink;
  pen.fillText(`${layout.name}  ${dayOf(data.from)} ${clockTime(data.from)} – ${dayOf(data.to)} ${clockTime(data.to)}  ${zoneName(data.to)}  ${windowText(data.window)}`, 12, 20);
  pen.drawImage(image, 0, LINE, image.width / 2, image.height / 2);
  tags.forEach((tag, at) => legendLine(pen, tag, at, data, image.height / 2 + LINE * (at + 2), ink));
  canvas.toBlob((blob) => save(blob, `${nameOf(data)}.png`), "image/png");
}

function legendLine(pen, tag, at, data, y, ink) {
  const { color, type } = lookOf(at);
  const { name, unit, digits, states } = layout.signals[tag];
  pen.strokeStyle = color;
  pen.lineWidth = 3;
  pen.setLineDash({ solid: [], dashed: [8, 5], dotted: [2, 4] }[type]);
  pen.beginPath();
  pen.moveTo(12, y - 5);
  pen.lineTo(52, y - 5);
  pen.stroke();
  const values = (data.series.get(tag) || []).filter((row) => row[2] !== null);
  const ends = states || !values.length ? "" : `  ${shown(tag, Math.min(...values.map((row) => row[2])), digits + 1)} .. ${shown(tag, Math.max(...values.map((row) => row[3])), digits + 1)} ${unit}`;
  pen.fillStyle = ink;
  pen.fillText(`${tag}  ${name}${ends}`, 62, y);
}

function save(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** Return where every reading in the range can be had. */
export const logPath = (tags, [from, to]) => `/api/v1/stations/${encodeURIComponent(layout.id)}/log?format=ndjson&start=${Math.floor(from)}&end=${Math.ceil(to)}${tags.map((tag) => `&signal=${encodeURIComponent(tag)}`).join("")}`;
