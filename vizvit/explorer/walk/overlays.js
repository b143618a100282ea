// Maps over the picture and tiles, as HTML that the browser enlarges without smoothing: vizvit/pages/walkthrough/maps.py.

import { imageOf, shadesOf } from "./raster.js";
import { escaped, number } from "./written.js";

const HOVERED = 400; // patches, up to which each tells its value under the pointer
const STOPS = 17; // of a colour bar

// A map [rows, cols] over the picture (a data URL, or "" for what the CSS variable --photo holds), the query outlined and
// `marks`, [number, patch], written. threads: as many lines from the query to the greatest values.
export function overPicture(picture, values, { rows, cols }, label, options = {}) {
  const { name = "", query = null, marks = [], map = "viridis", low = 0, high = Math.max(...values), opacity = 0.65, threads = 0, chosen = false } = options;
  const tiny = imageOf(shadesOf(values, map, low, high), rows, cols), size = Math.max(0.55, 0.045 * cols).toFixed(2);
  const hover = rows * cols > HOVERED ? "" : Array.from(values, (value, patch) =>
    `<rect x="${patch % cols}" y="${Math.floor(patch / cols)}" width="1" height="1" data-tip="(${Math.floor(patch / cols)}, ${patch % cols}): ${number(value)}"/>`).join("");
  const numbers = marks.map(([index, [row, col]]) => `<text x="${col + 0.5}" y="${row + 0.5}" font-size="${size}" class="vw-mark">${index}</text>`).join("");
  return `<figure class="vw-map${chosen ? " chosen" : ""}" data-draw="${name}"><figcaption>${label}</figcaption>`
    + `<div${picture ? "" : " class=vw-photo"} style="aspect-ratio:${cols}/${rows}">${picture ? `<img src="${picture}" alt="">` : ""}`
    + `<img class="vw-heat" style="opacity:${opacity}" src="${tiny}" alt="${escaped(label)}">`
    + `<svg viewBox="0 0 ${cols} ${rows}"><g class="vw-hover">${hover}</g>${query ? threadsOf(values, query, cols, threads) : ""}${numbers}${outlineOf(query)}</svg></div></figure>`;
}

function threadsOf(values, [row, col], cols, count) {
  const order = [...values.keys()].sort((a, b) => values[b] - values[a]).slice(0, count), most = values[order[0]] || 1;
  const lines = order.filter((patch) => patch !== row * cols + col).map((patch) =>
    `<line x1="${col + 0.5}" y1="${row + 0.5}" x2="${(patch % cols) + 0.5}" y2="${Math.floor(patch / cols) + 0.5}" stroke-width="${(0.6 + (4.4 * values[patch]) / most).toFixed(2)}"/>`);
  return `<g class="vw-threads">${lines.join("")}</g>`;
}

// RGB bytes [rows, cols, 3] as an enlarged tile with its label above.
export function tile(rgb, rows, cols, label, { name = "", query = null, chosen = false } = {}) {
  return `<figure class="vw-map${chosen ? " chosen" : ""}" data-draw="${name}"><figcaption>${label}</figcaption><div style="aspect-ratio:${cols}/${rows}">`
    + `<img class="vw-heat" src="${imageOf(rgb, rows, cols)}" alt="${escaped(label)}"><svg viewBox="0 0 ${cols} ${rows}">${outlineOf(query)}</svg></div></figure>`;
}

function outlineOf(patch) {
  if (!patch) return "";
  const box = `<rect x="${patch[1]}" y="${patch[0]}" width="1" height="1" fill="none" vector-effect="non-scaling-stroke"`;
  return `${box} stroke="#fff" stroke-width="5.5"/>${box} class="vw-query" stroke-width="3"/>`;
}

export function gallery(tiles, width = "130px") {
  return `<div class="vw-gallery" style="--tile:${width}">${tiles.join("")}</div>`;
}

// A map's colours between the values that they stand for, as `write` writes them.
export function colourBar(low, high, label, map = "viridis", write = number) {
  const shades = shadesOf(Float64Array.from({ length: STOPS }, (_, i) => i / (STOPS - 1)), map, 0, 1);
  const gradient = Array.from({ length: STOPS }, (_, i) => `rgb(${shades[3 * i]} ${shades[3 * i + 1]} ${shades[3 * i + 2]})`).join(", ");
  return `<div class="vz-bar"><span>${write(low)}</span><i style="background: linear-gradient(90deg, ${gradient})"></i><span>${write(high)}</span><span>${label}</span></div>`;
}
