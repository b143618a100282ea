// The maps of a frame: over the pictures, on the heads' tiles, and the difference of two.

import { prefixPart } from "../compute/attention.js";
import { comparable, differenceOf } from "../compute/link.js";
import { limitsOf, signedLimits } from "../compute/scaling.js";
import { mapOf } from "../state/content.js";
import { prefixCount, sidesOf } from "../state/sides.js";
import { clearCanvas, paintMap } from "./colour.js";
import { drawLegend } from "./legend.js";
import { percentShort } from "./numbers.js";

const TILE_SIDE = 48, PICTURE_SIDE = 256; // pixels of a smoothed map

export function drawMaps(app) {
  const { a, b, options, dom } = app;
  const drawn = sidesOf(app).filter((side) => side.content.items.length);
  const maps = drawn.flatMap((side) => side.content.items.filter(({ row }) => row).map((item) => mapOf(side, item)));
  const limits = limitsOf(maps, scaleOf(app), options.curve);
  let next = 0;
  for (const side of drawn) for (const item of side.content.items) item.limits = item.row ? limits[next++] : null;
  for (const side of drawn) {
    drawTiles(app, side);
    drawPicture(app, side);
  }
  if (b) drawDifference(app, a, b);
  app.legend = dom.figures.a.legend;
}

// Each step of a rollout spreads wider than the one before: on one scale with them the last would be dark.
function scaleOf({ options, choice }) {
  return choice.rollout && options.scale === "shared" ? "own" : options.scale;
}

function drawTiles(app, side) {
  const { options } = app, { rows, cols } = side.capture, prefix = prefixCount(side), second = side === app.b;
  const colours = side.colours[options.colours];
  app.dom.tile.forEach((tile, i) => {
    const item = side.content.items[i], canvas = second ? tile.second : tile.map;
    if (!second) tile.button.classList.toggle("waiting", !item?.row); // steps of a long chain, while the pointer moves
    if (!item?.row) {
      tile.share.textContent = "";
      return clearCanvas(canvas);
    }
    paintMap(canvas, mapOf(side, item), rows, cols, item.limits, colours, options.smooth ? TILE_SIDE : 0);
    if (!prefix || second) return;
    const share = prefixPart(item.row, prefix);
    tile.share.textContent = percentShort(share);
    tile.bar.style.setProperty("--share", share.toFixed(4));
  });
}

function drawPicture(app, side) {
  const { options } = app, { rows, cols } = side.capture, figure = app.dom.figures[side.name];
  const item = side.content.items[side.content.shown];
  paintMap(figure.overlay, mapOf(side, item), rows, cols, item.limits, side.colours[options.colours], options.smooth ? PICTURE_SIDE : 0);
  drawLegend(figure, mapOf(side, item), item.limits, side.colours[options.colours], scaleText(app));
}

// What B's map has more or less than A's, in a map of its own.
function drawDifference(app, a, b) {
  const figure = app.dom.figures.d, possible = comparable(a.capture, b.capture, b.linked);
  app.root.classList.toggle("with-difference", possible);
  figure.box.classList.toggle("stale", !b.content.items.length);
  if (!possible || !b.content.items.length) return;
  const { rows, cols } = a.capture;
  const [rowA, rowB] = [a, b].map(({ content }) => content.items[content.shown].row);
  const row = (app.difference = differenceOf(rowA, rowB, a.capture, b.capture, b.linked, app.difference));
  const map = mapOf(a, { row }), limits = signedLimits(row, map.first, map.count);
  paintMap(figure.overlay, map, rows, cols, limits, a.colours.difference, app.options.smooth ? PICTURE_SIDE : 0);
  const flipped = b.linked.kind === "flip" ? ` · ${app.texts.flipped_back}` : "";
  drawLegend(figure, map, limits, a.colours.difference, app.texts.difference_scale + flipped);
}

// Where the query has no counterpart there is nothing to show.
export function clearSide({ dom }, side) {
  const figure = dom.figures[side.name];
  clearCanvas(figure.overlay);
  figure.ticks.replaceChildren();
  Object.assign(figure, { stamp: null, legend: null });
  figure.text.textContent = "";
  for (const tile of dom.tile) clearCanvas(side.name === "b" ? tile.second : tile.map);
}

// Nothing of the capture before may stand over a new picture while its layer is being fetched.
export function clearMaps({ dom, a }) {
  for (const figure of Object.values(dom.figures)) clearCanvas(figure.overlay);
  for (const tile of dom.tile ?? []) {
    for (const canvas of [tile.map, tile.second]) clearCanvas(canvas);
    tile.share.textContent = "";
  }
  for (const part of Object.values(dom.reading)) part.replaceChildren("–");
  a.content = null;
}

// How the colours are to be read, in words.
function scaleText(app) {
  const { texts, options, choice } = app;
  const what = choice.rollout ? texts.what_rollout : choice.direction === "to" ? texts.what_to : texts.what_from;
  const parts = [what, texts[`scale_${scaleOf(app)}_note`]];
  if (options.curve === "log") parts.push(texts.curve_log_note);
  parts.push(options.smooth ? texts.smooth_note : texts.patches_note);
  return parts.join(" · ");
}
