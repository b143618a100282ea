// Patches of a picture on a page: which one an event means, and where a mark of one stands.

import { MARKS, ringOf } from "../js/draw/marking.js";

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

// [row, col] under a pointer event; grid: { rows, cols }.
export function patchUnder(event, image, { rows, cols }) {
  const box = image.getBoundingClientRect();
  const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
  const col = Math.floor(((event.clientX - box.left) / box.width) * cols);
  return [clamp(row, 0, rows - 1), clamp(col, 0, cols - 1)];
}

// [row, col] an arrow key leads to from a patch, rows from `top`; null for another key.
export function patchBeside(event, [row, col], { rows, cols }, top = 0) {
  const step = STEPS[event.key];
  return step ? [clamp(row + step[0], top, rows - 1), clamp(col + step[1], 0, cols - 1)] : null;
}

export function placePatch(element, [row, col], { rows, cols }) {
  const box = { left: col / cols, top: row / rows, width: 1 / cols, height: 1 / rows };
  for (const [side, part] of Object.entries(box)) element.style[side] = `${100 * part}%`;
}

// The query and the patch under the pointer look as in the explorer: --query-ring and --inspect-ring, for box-shadow.
export function giveRings(root) {
  for (const name of ["query", "inspect"]) root.style.setProperty(`--${name}-ring`, ringOf(MARKS[name]));
}
