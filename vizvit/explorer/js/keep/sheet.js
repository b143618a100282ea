// The view as one SVG sheet: pictures with their maps, colour bar, heads and caption, laid out from a plain object.

import { rounded } from "../draw/numbers.js";
import { SHEET_LETTERS, letterIn, sheetHeight, sheetLines, sheetText, sheetWidth, xmlText } from "./lettering.js";
import { sheetHeads } from "./sheetheads.js";
import { sheetGrid, sheetImage, sheetMarked, sheetPeak, sheetQuery } from "./sheetmarks.js";

const SHEET = { margin: 36, gap: 32, side: [540, 420, 340], heads: 560, narrowest: 320 };

// parts: { title, caption: [line], pictures: [picture], legend: { low, high, ticks: [{ at, text }], colours: [css], text },
//   tiles: [{ name, share, image, chosen }], tilesTitle, tilesNote, ink, paper, quiet, accent, font }. A picture: { label, photo,
//   overlay (data URLs; null for none), saturation (of the photo, 0 to 1), smooth, pixelated, width, height (pixels of the model's input),
//   cover: { width, height } (the share of the picture that patches cover), rows, cols, gridLines,
//   query: [[row, col, rows, cols]], peak: [row, col] or null, marked: [[row, col, rows, cols]] outlined as markedAs, badge: what is said upon it, or "" }.
// Returns { svg, width, height } in CSS pixels. Text stays text, and the marks stay lines.
export function composeSheet(parts) {
  letterIn(parts.font);
  const letters = sheetPen(parts), pictures = sheetPictures(parts, letters), one = (parts.pictures ?? []).length === 1;
  const heads = one ? sheetHeads(parts, parts.pictures[0], SHEET.heads, pictures.height, letters)
    : sheetHeads(parts, parts.pictures?.[0], pictures.width || SHEET.heads, 0, letters);
  const beside = one && heads.width > 0;
  const inner = Math.max(beside ? pictures.width + SHEET.gap + heads.width : Math.max(pictures.width, heads.width), SHEET.narrowest);

  const out = [];
  let y = SHEET.margin;
  const put = (block, x = 0, space = 0) => {
    if (!block.height) return 0;
    out.push(`<g transform="translate(${rounded(SHEET.margin + x)} ${rounded(y + space)})">${block.svg}</g>`);
    return space + block.height;
  };
  const title = sheetLines(parts.title ?? "", inner, SHEET_LETTERS.title, true);
  y += put(letters.block(0, 0, title, SHEET_LETTERS.title, "title")) + (title.length ? 18 : 0);
  if (beside) y += Math.max(put(pictures), put(heads, pictures.width + SHEET.gap));
  else {
    y += put(pictures);
    y += put(heads, 0, pictures.height ? 26 : 0);
  }
  y += put(sheetCaption(parts, inner, letters), 0, 24) + SHEET.margin;
  const width = Math.ceil(inner + 2 * SHEET.margin), height = Math.ceil(y);
  return { svg: sheetFrame(out, parts, width, height), width, height };
}

// The pictures side by side, their labels above on one line, the colour bar below.
function sheetPictures(parts, letters) {
  const pictures = parts.pictures ?? [], side = SHEET.side[Math.min(pictures.length, 3) - 1];
  const shown = pictures.map((picture) => fitPicture(picture, side));
  const labels = shown.map(({ label, width }) => sheetLines(label ?? "", width, SHEET_LETTERS.label, true));
  const above = Math.max(0, ...labels.map((lines) => sheetHeight(lines, SHEET_LETTERS.label)));
  const out = [];
  let x = 0, y = above && above + 6;
  shown.forEach((picture, index) => {
    out.push(letters.block(rounded(x), 0, labels[index], SHEET_LETTERS.label, "label").svg);
    out.push(sheetPicture(picture, x, y, parts, letters));
    x += picture.width + SHEET.gap;
  });
  const width = Math.max(0, x - SHEET.gap);
  y += Math.max(0, ...shown.map(({ height }) => height));
  if (parts.legend && shown.length) {
    const legend = sheetLegend(parts.legend, 0, y + 14, width, letters);
    out.push(legend.svg);
    y += 14 + legend.height;
  }
  return { svg: out.join("\n"), width, height: y };
}

// What is seen first, then what it is of; below a thin line.
function sheetCaption({ caption = [], quiet }, width, letters) {
  const lines = caption.filter(Boolean);
  if (!lines.length) return { svg: "", height: 0 };
  const out = [`<path d="M0 0h${rounded(width)}" stroke="${xmlText(quiet)}" stroke-opacity="0.35"/>`];
  let y = 14;
  lines.forEach((line, index) => {
    const broken = sheetLines(line, width, SHEET_LETTERS.body);
    const block = letters.block(0, y, broken, SHEET_LETTERS.body, index ? "quiet" : "body");
    out.push(block.svg);
    y += block.height + 4;
  });
  return { svg: out.join("\n"), height: y - 4 };
}

function sheetFrame(out, { paper, font, title }, width, height) {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" `
    + `font-family="${xmlText(font ?? "sans-serif")}">\n<title>${xmlText(title ?? "")}</title>\n`
    + `<rect width="${width}" height="${height}" fill="${xmlText(paper)}"/>\n${out.join("\n")}\n</svg>\n`;
}

// Text in the sheet's inks, by its top left corner.
function sheetPen({ ink, quiet }) {
  const styles = { title: [ink, 600], label: [ink, 600], body: [ink, 400], quiet: [quiet, 400] };
  const line = (x, y, text, size, style, anchor = "start") =>
    sheetText(x, y, text, { size, fill: styles[style][0], weight: styles[style][1], anchor });
  const block = (x, y, lines, size, style) => ({
    svg: lines.map((text, index) => line(x, y + sheetHeight(lines.slice(0, index), size), text, size, style)).join("\n"),
    height: sheetHeight(lines, size),
  });
  return { line, block };
}

// As large as fits a square of this side, with its own proportions.
function fitPicture(picture, side) {
  const factor = side / Math.max(picture.width, picture.height);
  return { ...picture, width: picture.width * factor, height: picture.height * factor };
}

function sheetPicture(picture, x, y, { accent, paper, quiet }, letters) {
  const { width, height, rows, cols, cover, query = [], peak, marked = [], markedAs, badge } = picture;
  const cell = [(width * cover.width) / cols, (height * cover.height) / rows];
  const parts = [sheetImage(picture.photo, width, height, picture.pixelated, picture.saturation)];
  if (picture.overlay) parts.push(sheetImage(picture.overlay, cell[0] * cols, cell[1] * rows, !picture.smooth));
  if (picture.gridLines) parts.push(sheetGrid(rows, cols, cell));
  parts.push(...sheetMarked(marked, cell, markedAs));
  if (peak) parts.push(sheetPeak(peak, cell));
  parts.push(...sheetQuery(query, cell, accent));
  if (badge) {
    const size = SHEET_LETTERS.small, wide = rounded(sheetWidth(badge, size) + 18), high = rounded(sheetHeight([""], size) + 5);
    parts.push(`<rect x="10" y="10" width="${wide}" height="${high}" rx="${high / 2}" fill="${xmlText(paper)}" `
      + `stroke="${xmlText(quiet)}" stroke-opacity="0.35"/>`, letters.line(19, 12.5, badge, size, "body"));
  }
  return `<g transform="translate(${rounded(x)} ${rounded(y)})">${parts.join("")}</g>`;
}

// The colour bar with its values below and what it means beside it, or below where there is no room.
function sheetLegend({ low, high, ticks = [], colours, text }, x, y, width, letters) {
  const bar = Math.min(260, Math.max(120, rounded(0.4 * width))), size = SHEET_LETTERS.small, taken = [];
  const stops = colours.map((colour, i) => `<stop offset="${rounded(i / (colours.length - 1))}" stop-color="${xmlText(colour)}"/>`);
  const svg = [`<linearGradient id="colours">${stops.join("")}</linearGradient>`,
    `<rect x="${x}" y="${rounded(y)}" width="${bar}" height="11" rx="2" fill="url(#colours)"/>`];
  const number = (at, label, anchor) => {
    const reach = sheetWidth(label, size), from = at * bar - { start: 0, middle: reach / 2, end: reach }[anchor];
    if (!label || taken.some(([left, right]) => from < right + 10 && from + reach > left - 10)) return;
    taken.push([from, from + reach]);
    svg.push(letters.line(rounded(x + at * bar), y + 15, label, size, "body", anchor));
  };
  number(0, low ?? "", "start");
  number(1, high ?? "", "end");
  for (const tick of ticks) if (tick.at > 0 && tick.at < 1) number(tick.at, tick.text, "middle");
  let height = 15 + sheetHeight([""], size);
  const room = width - bar - 16, aside = sheetLines(text ?? "", room, size), under = sheetLines(text ?? "", width, size);
  if (room > 180 && aside.length < 3) {
    svg.push(letters.block(x + bar + 16, y - 3, aside, size, "quiet").svg);
    height = Math.max(height, sheetHeight(aside, size) - 3);
  } else {
    svg.push(letters.block(x, y + height + 2, under, size, "quiet").svg);
    height += 2 + sheetHeight(under, size);
  }
  return { svg: svg.join("\n"), height };
}
