// What a sheet is drawn with besides text: pictures, patch grids and outlines of patches.

import { rounded } from "../draw/numbers.js";
import { gridPath, rectOf } from "../draw/outline.js";
import { xmlText } from "./lettering.js";

export function sheetImage(source, width, height, pixelated, opacity = 1) {
  const fade = opacity === 1 ? "" : ` opacity="${rounded(opacity)}"`;
  const sharp = pixelated ? ' style="image-rendering:pixelated"' : "";
  return `<image href="${xmlText(source)}" width="${rounded(width)}" height="${rounded(height)}" preserveAspectRatio="none"${fade}${sharp}/>`;
}

export function sheetGrid(rows, cols, cell) {
  return `<path d="${gridPath(rows, cols, cell)}" fill="none" stroke="#fff" stroke-opacity="0.28"/>`;
}

// The query: its outline in the accent colour with a white edge around it.
export function sheetQuery(areas, cell, accent, thick) {
  return areas.map((area) => outlineOf(area, cell, "#fff", thick.edge, thick.fade) + outlineOf(area, cell, accent, thick.line));
}

// The most attended patch, in white dashes.
export function sheetPeak([row, col], cell) {
  const area = [row, col, 1, 1];
  return outlineOf(area, cell, "#000", 3, 0.55) + outlineOf(area, cell, "#fff", 1.25, 1, "3 2.5");
}

function outlineOf(area, cell, colour, thick, opacity = 1, dashes = "") {
  const { x, y, width, height } = rectOf(area, cell), dashed = dashes ? ` stroke-dasharray="${dashes}"` : "";
  return `<rect x="${rounded(x)}" y="${rounded(y)}" width="${rounded(width)}" height="${rounded(height)}" `
    + `fill="none" stroke="${xmlText(colour)}" stroke-width="${thick}" stroke-opacity="${opacity}"${dashed}/>`;
}
