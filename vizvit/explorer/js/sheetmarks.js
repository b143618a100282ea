// What a sheet is drawn with besides text: pictures, patch grids and outlines of patches.

import { xmlText } from "./lettering.js";

export function sheetImage(source, width, height, pixelated, opacity = 1) {
  const fade = opacity === 1 ? "" : ` opacity="${sheetNumber(opacity)}"`;
  const sharp = pixelated ? ' style="image-rendering:pixelated"' : "";
  return `<image href="${xmlText(source)}" width="${sheetNumber(width)}" height="${sheetNumber(height)}" preserveAspectRatio="none"${fade}${sharp}/>`;
}

export function sheetGrid(rows, cols, [width, height]) {
  const lines = [];
  for (let row = 1; row < rows; row++) lines.push(`M0 ${sheetNumber(row * height)}h${sheetNumber(cols * width)}`);
  for (let col = 1; col < cols; col++) lines.push(`M${sheetNumber(col * width)} 0v${sheetNumber(rows * height)}`);
  return `<path d="${lines.join("")}" fill="none" stroke="#fff" stroke-opacity="0.28"/>`;
}

export function sheetMark([row, col, rows, cols], [width, height], colour, thick, opacity = 1, dashes = "") {
  const dashed = dashes ? ` stroke-dasharray="${dashes}"` : "";
  return `<rect x="${sheetNumber(col * width)}" y="${sheetNumber(row * height)}" width="${sheetNumber(cols * width)}" height="${sheetNumber(rows * height)}" `
    + `fill="none" stroke="${xmlText(colour)}" stroke-width="${thick}" stroke-opacity="${opacity}"${dashed}/>`;
}

export function sheetNumber(value) {
  return Number(value.toFixed(3));
}
