// The maps of a frame: over the pictures, on the heads' tiles, and the difference of two.

import { prefixPart, shareOf } from "../compute/attention.js";
import { blendTable } from "../compute/blending.js";
import { comparable, differenceOf } from "../compute/link.js";
import { limitsOf, signedLimits } from "../compute/scaling.js";
import { mapOf } from "../state/content.js";
import { prefixCount, sidesOf } from "../state/sides.js";
import { clearCanvas, coloursFor, paintMap } from "./colour.js";
import { setText } from "./elements.js";
import { drawLegend } from "./legend.js";
import { MARKS } from "./marking.js";
import { outlinePatches } from "./marks.js";
import { percentShort } from "./numbers.js";

const TILE_SIDE = 48, PICTURE_SIDE = 256; // pixels of a smoothed map

export function drawMaps(app) {
  const { a, b, dom, options } = app;
  const drawn = sidesOf(app).filter((side) => side.content.items.length);
  setLimits(drawn, scaleOf(app), options.curve);
  for (const side of drawn) {
    drawTiles(app, side);
    drawPicture(app, side);
  }
  if (b) drawDifference(app, a, b);
  app.legend = dom.figures.a.legend;
}

// item.limits for the tiles; content.limits for the map on the picture. Where two are compared, "own" is one scale for the
// two maps of a pair: an even map beside a pointed one has to look even.
function setLimits(drawn, scale, curve) {
  const paired = drawn.length > 1 && scale === "own";
  const set = (pairs) => {
    const limits = limitsOf(pairs.map(([side, item]) => mapOf(side, item)), paired ? "shared" : scale, curve);
    pairs.forEach(([, item], i) => (item.limits = limits[i]));
    return limits;
  };
  const all = drawn.flatMap((side) => side.content.items.map((item, at) => [side, item, at])).filter(([, { row }]) => row);
  if (!paired) set(all);
  else for (let at = 0; at < Math.max(...drawn.map(({ content }) => content.items.length)); at++) set(all.filter((one) => one[2] === at));
  for (const { content } of drawn) content.limits = content.items[content.shown].limits;
  if (paired) {
    const shown = drawn.map((side) => [side, { ...side.content.items[side.content.shown] }]);
    set(shown).forEach((limits, i) => (drawn[i].content.limits = limits));
  }
}

// Each step of a rollout spreads wider than the one before: on one scale with them the last would be dark.
function scaleOf({ options, choice }) {
  return choice.rollout && options.scale === "shared" ? "own" : options.scale;
}

function drawTiles(app, side) {
  const { options } = app, { rows, cols } = side.capture, prefix = prefixCount(side), second = side === app.b;
  const colours = coloursFor(side, options);
  app.dom.tile.forEach((tile, i) => {
    const item = side.content.items[i], canvas = second ? tile.second : tile.map;
    if (!second) tile.button.classList.toggle("waiting", !item?.row); // steps of a long chain, while the pointer moves
    if (!item?.row) {
      setText(tile.share, "");
      return clearCanvas(canvas);
    }
    if (item.change) return drawChange(tile, canvas, side, { ...item, row: item.change }, options);
    paintMap(canvas, mapOf(side, item), rows, cols, item.limits, colours, options.smooth ? TILE_SIDE : 0);
    if (!prefix || second) return;
    const share = prefixPart(item.row, prefix);
    setText(tile.share, item.name === null && side.content.outstanding ? "" : percentShort(share)); // the reading has it
    tile.bar.style.setProperty("--share", share.toFixed(4));
  });
}

// What a layer moved of the flow, beside which share of it: half of what patches and prefix tokens gained and lost.
function drawChange(tile, canvas, side, item, { smooth }) {
  const { rows, cols } = side.capture, map = mapOf(side, item), { changeLimits } = side.content;
  paintMap(canvas, map, rows, cols, changeLimits, side.colours.difference, smooth ? TILE_SIDE : 0);
  if (canvas !== tile.map) return;
  const onPrefix = shareOf(map.row, map.first);
  setText(tile.share, percentShort(map.row.subarray(map.first).reduce((sum, value) => sum + Math.abs(value), Math.abs(onPrefix)) / 2));
}

function drawPicture(app, side) {
  const { options } = app, { rows, cols } = side.capture, figure = app.dom.figures[side.name];
  const item = side.content.items[side.content.shown];
  const map = mapOf(side, item), { limits } = side.content;
  const blended = blendTable(side.colours[options.colours], options.blend, options.opacity);
  paintMap(figure.overlay, map, rows, cols, limits, blended, options.smooth ? PICTURE_SIDE : 0);
  outlinePatches(figure, side, side.content.outstanding ?? [], MARKS.outstanding);
  drawLegend(figure, map, limits, coloursFor(side, options), scaleText(app, limits));
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
  const { blend, opacity } = app.options; // brightness alone could not tell less from more
  const blended = blendTable(a.colours.difference, blend === "light" ? "fade" : blend, opacity, true);
  paintMap(figure.overlay, map, rows, cols, limits, blended, app.options.smooth ? PICTURE_SIDE : 0);
  const flipped = b.linked.kind === "flip" ? ` · ${app.texts.flipped_back}` : "";
  drawLegend(figure, map, limits, a.colours.difference, app.texts.difference_scale + flipped);
}

// Where the query has no counterpart there is nothing to show.
export function clearSide({ dom }, side) {
  const figure = dom.figures[side.name];
  clearCanvas(figure.overlay);
  outlinePatches(figure, side, [], MARKS.outstanding);
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
function scaleText(app, { even }) {
  const { texts, options, choice } = app;
  const what = choice.rollout ? texts.what_rollout : choice.direction === "to" ? texts.what_to : texts.what_from;
  const scale = scaleOf(app), together = app.b && scale === "own";
  const parts = [what, texts[together ? "scale_together_note" : `scale_${scale}_note`]];
  if (even) parts.push(texts.scale_even_note);
  if (options.curve === "log") parts.push(texts.curve_log_note);
  if (options.smooth) parts.push(texts.smooth_note);
  return parts.join(" · ");
}
