// Lines over patches, on the page and on a sheet: the grid, and the outline of some patches.

import { rounded } from "./numbers.js";

// Patches [row, col, rows, cols] as SVG's rect has them, where a patch is [width, height].
export function rectOf([row, col, rows, cols], [width, height] = [1, 1]) {
  return { x: col * width, y: row * height, width: cols * width, height: rows * height };
}

// How opaque the grid is, whose many lines would hide a picture of small patches.
export function gridFade(cols) {
  return Math.min(0.28, Math.max(0.1, 4 / cols));
}

// The lines between rows × cols patches, as an SVG path.
export function gridPath(rows, cols, [width, height] = [1, 1]) {
  const lines = [];
  for (let row = 1; row < rows; row++) lines.push(`M0 ${rounded(row * height)}h${rounded(cols * width)}`);
  for (let col = 1; col < cols; col++) lines.push(`M${rounded(col * width)} 0v${rounded(rows * height)}`);
  return lines.join("");
}
