// Vectors as strips of colours, numbers, bars and badges, as HTML: what vizvit/pages/walkthrough/html.py writes.

import { percent, plain, roundingText } from "../js/draw/numbers.js";
import { fill } from "../js/draw/words.js";
import { imageOf, shadesOf } from "./raster.js";

const CLEAR = 1e-4; // a difference above this is more than rounding
const MOST_CELLS = 400; // up to here each cell of a strip tells its value under the pointer

export const number = (value) => plain(value, 3);
export const share = percent;

export function escaped(text) {
  return String(text).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

export function mostOf(...arrays) {
  return arrays.reduce((most, array) => array.reduce((all, value) => Math.max(all, Math.abs(value)), most), 0);
}

// As NumPy finds it; part: 0 to 1.
export function quantile(values, part) {
  const sorted = Float64Array.from(values).sort(), place = part * (sorted.length - 1), index = Math.floor(place);
  return sorted[index] + (place - index) * (sorted[Math.min(index + 1, sorted.length - 1)] - sorted[index]);
}

// A vector as a row of colours, signed ones around white. limit: the value of the full colour.
export function strip(values, label, { name = "", limit = mostOf(values) || 1, shape = "", extremes = true } = {}) {
  const ends = extremes ? `${number(Math.min(...values))} … ${number(Math.max(...values))}` : "";
  return `<figure class="vw-strip ${shape}" data-draw="${name}"><figcaption><span>${label}</span><span>${ends}</span></figcaption>${cells(values, limit)}</figure>`;
}

function cells(values, limit) {
  const shades = shadesOf(values, "difference", -limit, limit);
  if (values.length > MOST_CELLS) return `<img class="vw-cells" src="${imageOf(shades, 1, values.length)}" alt="">`;
  const rects = Array.from(values, (value, index) =>
    `<rect x="${index}" width="1.03" height="1" fill="rgb(${shades[3 * index]} ${shades[3 * index + 1]} ${shades[3 * index + 2]})" data-tip="${index}: ${number(value)}"/>`);
  return `<svg class="vw-cells" viewBox="0 0 ${values.length} 1" preserveAspectRatio="none">${rects.join("")}</svg>`;
}

export function firstNumbers(values, count = 8) {
  return `<p class="vw-numbers">[${Array.from(values.slice(0, count), number).join(", ")}${values.length > count ? ", …" : ""}]</p>`;
}

// [what, how much], large.
export function facts(...pairs) {
  return `<dl class="vw-facts">${pairs.map(([what, value]) => `<div><dt>${what}</dt><dd>${value}</dd></div>`).join("")}</dl>`;
}

// Horizontal bars of [label, value, written value]; signed values go both ways from the middle. chosen: the row in the
// accent colour, all of them where null; top: the value of a full bar; images: data URLs, one before each label.
export function bars(rows, { name = "", chosen = null, top = 0, images = [] } = {}) {
  const signed = rows.some(([, value]) => value < 0), full = top || mostOf(rows.map(([, value]) => value)) || 1;
  const drawn = rows.map(([label, value, said], index) => {
    const width = Math.min((100 * Math.abs(value)) / full, 100) / (signed ? 2 : 1), left = !signed ? 0 : value >= 0 ? 50 : 50 - width;
    const quiet = chosen !== null && index !== chosen ? "quiet" : value < 0 ? "less" : "", picture = images[index] ? `<img class="vw-tiny" src="${images[index]}" alt="">` : "";
    const bar = `<b class="${quiet}" style="left:${left.toFixed(2)}%;width:${width.toFixed(2)}%"></b>`;
    return `<span class="vw-label">${picture}<span>${label}</span></span><i class="vw-rail${signed ? " signed" : ""}">${bar}</i><span>${said}</span>`;
  });
  return `<div class="vw-bars" data-draw="${name}">${drawn.join("")}</div>`;
}

// How far what was computed by hand is from the model's own.
export function badge(difference, t) {
  const fine = difference < CLEAR, text = fill(t[fine ? "badge" : "badge_off"], { difference: `<nobr>${roundingText(difference)}</nobr>` });
  return `<div class="vw-badge${fine ? "" : " off"}" data-difference="${difference.toExponential(3)}"><b>${fine ? "✓" : "✗"}</b><span>${text}</span></div>`;
}

export function heading(text, told = "") {
  return `<h4 class="vw-title">${text}</h4>${told ? note(told) : ""}`;
}

export function note(text) {
  return `<p class="vw-note">${text}</p>`;
}

// Parts beside each other as far as there is room for `least` each.
export function sideBySide(parts, least = "260px") {
  return `<div class="vw-beside" style="--least:${least}">${parts.map((part) => `<div>${part}</div>`).join("")}</div>`;
}
