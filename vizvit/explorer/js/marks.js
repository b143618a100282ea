// The outlines on the pictures and the head maps: the query, the most attended patch, the token being read.

import { peakOf } from "./attention.js";
import { tokensOn } from "./content.js";
import { linkedToken } from "./link.js";
import { areaOf, placeOf, prefixCount, sidesOf } from "./state.js";

export function drawMarks(app) {
  const { root, options } = app;
  for (const side of sidesOf(app)) {
    const figure = app.dom.figures[side.name], query = boundsOf(side, tokensOn(app, side));
    placeMark(figure, "query", query);
    placeMark(figure, "inspect", boundsOf(side, readTokens(app, side)));
    placeMark(figure, "peak", peakBounds(side));
    if (side === app.a) {
      placeMark(app.dom.figures.d, "query", query);
      placeMark(app.dom.figures.d, "inspect", boundsOf(side, readTokens(app, side)));
      placeMark(app.dom.figures.d, "peak", null);
      setPlace(root, "q", query);
      setPlace(root, "i", boundsOf(side, readTokens(app, side)));
    } else setPlace(root, "q2", query);
  }
  root.classList.toggle("area-query", Boolean(areaOf(app)));
  root.style.setProperty("--opacity", options.opacity);
  root.classList.toggle("grid-lines", options.grid_lines);
  root.classList.toggle("true-pixels", options.true_pixels);
}

// The token whose number is read: under the pointer, or kept.
export function readToken(app) {
  return app.inspect?.token ?? (app.folds.why || app.tool === "read" ? app.choice.key : null);
}

function readTokens(app, side) {
  const token = readToken(app);
  if (token === null || token === undefined) return [];
  const found = side === app.a ? token : linkedToken(app.a.capture, side.capture, side.linked, token);
  return found === null ? [] : [found];
}

function peakBounds(side) {
  const row = side.content?.items[side.content.shown]?.row;
  if (!row) return null;
  const peak = peakOf(row, prefixCount(side));
  return side.content.tokens.includes(peak) ? null : boundsOf(side, [peak]);
}

// The smallest rectangle around patches, [row, col, rows, cols]; null where there is none.
function boundsOf(side, tokens) {
  const places = tokens.map((token) => placeOf(side.capture, token)).filter(Boolean);
  if (!places.length) return null;
  const rows = places.map(([row]) => row), cols = places.map(([, col]) => col);
  const top = Math.min(...rows), left = Math.min(...cols);
  return [top, left, Math.max(...rows) - top + 1, Math.max(...cols) - left + 1];
}

function placeMark(figure, name, bounds) {
  figure.bounds = { ...figure.bounds, [name]: bounds };
  for (const rect of figure.marks[name]) {
    rect.style.display = bounds ? "" : "none";
    if (!bounds) continue;
    const [y, x, height, width] = bounds;
    for (const [attribute, value] of Object.entries({ x, y, width, height })) rect.setAttribute(attribute, value);
  }
}

// The same place for the small maps, through CSS.
function setPlace(root, name, bounds) {
  root.classList.toggle(`no-${name}`, !bounds);
  if (!bounds) return;
  ["row", "col", "rows", "cols"].forEach((part, i) => root.style.setProperty(`--${name}-${part}`, bounds[i]));
}
