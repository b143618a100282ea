// The outlines on the pictures and the head maps: the query, the most attended patch, the token being read.

import { peakOf } from "../compute/attention.js";
import { saturationOf } from "../compute/blending.js";
import { linkedToken } from "../compute/link.js";
import { boundsOf } from "../compute/patches.js";
import { tokensOn } from "../state/counterparts.js";
import { hasQuery, isCorrespondence, isFeatured } from "../state/featureviews.js";
import { prefixCount, sidesOf } from "../state/sides.js";
import { areaOf } from "../state/state.js";
import { readToken } from "../state/weight.js";
import { shape } from "./elements.js";
import { strokesOf } from "./marking.js";
import { rectOf } from "./outline.js";

export function drawMarks(app) {
  const { root, options } = app;
  for (const side of sidesOf(app)) {
    const figure = app.dom.figures[side.name], query = boundsOf(side.capture, queryOn(app, side));
    placeMark(figure, "query", query);
    placeMark(figure, "inspect", boundsOf(side.capture, readTokens(app, side)));
    placeMark(figure, "peak", peakBounds(side));
    if (side === app.a) {
      placeMark(app.dom.figures.d, "query", query);
      placeMark(app.dom.figures.d, "inspect", boundsOf(side.capture, readTokens(app, side)));
      placeMark(app.dom.figures.d, "peak", null);
      setPlace(root, "q", query);
      setPlace(root, "i", boundsOf(side.capture, readTokens(app, side)));
    } else setPlace(root, "q2", query);
  }
  root.classList.toggle("area-query", Boolean(areaOf(app)));
  root.style.setProperty("--saturation", isFeatured(app) ? 1 : saturationOf(options.blend, options.opacity));
  root.classList.toggle("grid-lines", options.grid_lines);
  root.classList.toggle("true-pixels", options.true_pixels);
}

// A thin outline around each of some patches, beside which the map itself stays to be seen. mark: one of MARKS.
export function outlinePatches(figure, side, tokens, mark) {
  figure.outlines ??= strokesOf(mark).map(() => figure.svg.insertBefore(shape("path", "outlined"), figure.marks.peak[0]));
  figure.marked = tokens.map((token) => boundsOf(side.capture, [token]));
  const path = figure.marked.map(([row, col]) => `M${col} ${row}h1v1h-1z`).join("");
  if (figure.markedAs === mark && figure.markedPath === path) return;
  Object.assign(figure, { markedAs: mark, markedPath: path });
  strokesOf(mark).forEach((stroke, i) => {
    for (const [name, value] of Object.entries({ ...stroke, d: path })) figure.outlines[i].setAttribute(name, value);
  });
}

function readTokens(app, side) {
  const token = readToken(app);
  if (token === null || token === undefined) return [];
  const found = side === app.a ? token : linkedToken(app.a.capture, side.capture, side.linked, token);
  return found === null ? [] : [found];
}

// The second picture of a correspondence has no query of its own.
function queryOn(app, side) {
  return isFeatured(app) && hasQuery(app) && isCorrespondence(app, side) ? [] : tokensOn(app, side);
}

function peakBounds(side) {
  if (side.content && "peak" in side.content) return side.content.peak === null ? null : boundsOf(side.capture, [side.content.peak]);
  const row = side.content?.items[side.content.shown]?.row;
  if (!row) return null;
  const peak = peakOf(row, prefixCount(side));
  return side.content.tokens.includes(peak) ? null : boundsOf(side.capture, [peak]);
}

function placeMark(figure, name, bounds) {
  figure.bounds = { ...figure.bounds, [name]: bounds };
  for (const rect of figure.marks[name]) {
    rect.style.display = bounds ? "" : "none";
    if (!bounds) continue;
    for (const [attribute, value] of Object.entries(rectOf(bounds))) rect.setAttribute(attribute, value);
  }
}

// The same place for the small maps, through CSS.
function setPlace(root, name, bounds) {
  root.classList.toggle(`no-${name}`, !bounds);
  if (!bounds) return;
  ["row", "col", "rows", "cols"].forEach((part, i) => root.style.setProperty(`--${name}-${part}`, bounds[i]));
}
