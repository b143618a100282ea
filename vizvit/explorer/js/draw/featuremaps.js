// The maps of the views of features: over the pictures, and one of each layer on the tiles.

import { blendTable } from "../compute/blending.js";
import { featureLimits } from "../compute/features.js";
import { artefactsOf, mapOfRow } from "../state/featureviews.js";
import { sidesOf } from "../state/sides.js";
import { paintMap, paintWords } from "./colour.js";
import { setText } from "./elements.js";
import { drawLegend } from "./legend.js";
import { MARKS } from "./marking.js";
import { outlinePatches } from "./marks.js";
import { percent, plain } from "./numbers.js";
import { fill } from "./words.js";

const SOFT_SIDES = { picture: 256, tile: 48 }; // pixels of a smoothed map
export const FEATURE_COLOURS = { similarity: "cividis", norms: "inferno" }; // one meaning, one colour map

export function drawFeatureMaps(app) {
  const sides = sidesOf(app).filter((side) => side.content.items.length);
  sides[0].content.items.forEach((_, i) => shareLimits(sides, i));
  for (const side of sides) {
    drawLayerTiles(app, side);
    drawFeature(app, side);
  }
  app.root.classList.remove("with-difference");
  app.legend = app.dom.figures.a.legend;
}

// One scale for both pictures, and one for each layer.
function shareLimits(sides, index) {
  const items = sides.map((side) => ({ side, item: side.content.items[index] })).filter(({ item }) => item?.row);
  if (items.every(({ item }) => item.limits && item.sharing === items.length)) return;
  const limits = featureLimits(items.map(({ side, item }) => mapOfRow(side, item.row)));
  for (const { item } of items) Object.assign(item, { limits, sharing: items.length, drawn: new Set() });
}

function drawLayerTiles(app, side) {
  const second = side === app.b;
  app.dom.tile.forEach((tile, i) => {
    const item = side.content.items[i] ?? { row: null }, canvas = second ? tile.second : tile.map, there = Boolean(item.row || item.colours);
    if (!second) {
      tile.button.classList.toggle("waiting", Boolean(item?.missing)); // what was drawn before stays until its turn comes
      setText(tile.share, "");
    }
    item.drawn ??= new Set();
    if (!there || item.drawn.has(canvas)) return;
    paintFeature(app, canvas, side, item);
    item.drawn.add(canvas);
  });
}

// An item of a view on a canvas of its own.
export function paintFeature(app, canvas, side, item, view = app.choice.view) {
  const { rows, cols } = side.capture;
  if (item.colours) return paintWords(canvas, item.colours, rows, cols);
  paintMap(canvas, mapOfRow(side, item.row), rows, cols, item.limits, side.colours[FEATURE_COLOURS[view]], app.options.smooth ? SOFT_SIDES.tile : 0);
}

// Similarity lets the photograph through; components and norms stand by themselves.
function drawFeature(app, side) {
  const { view } = app.choice, { opacity, smooth } = app.options, { rows, cols } = side.capture;
  const figure = app.dom.figures[side.name], item = side.content.items[side.content.shown];
  if (view === "similarity") {
    const veil = blendTable(side.colours[FEATURE_COLOURS.similarity], "veil", opacity);
    paintMap(figure.overlay, mapOfRow(side, item.row), rows, cols, item.limits, veil, smooth ? SOFT_SIDES.picture : 0);
  } else paintFeature(app, figure.overlay, side, item);
  outlinePatches(figure, side, view === "norms" ? artefactsOf(side, side.content.layer) : [], MARKS.artefact);
  const text = legendText(app, side);
  if (item.row) return drawLegend(figure, mapOfRow(side, item.row), item.limits, side.colours[FEATURE_COLOURS[view]], text, plainShort);
  figure.ticks.replaceChildren();
  setText(figure.text, text);
  Object.assign(figure, { stamp: null, legend: null });
}

function legendText({ texts, choice }, side) {
  if (choice.view === "components") {
    const shares = side.features.shares[side.content.layer].map((share) => percent(share, 0));
    return fill(side.features.compared ? texts.what_components_both : texts.what_components, { shares: shares.join(" · ") });
  }
  return side.content.correspondence ? texts.what_correspondence : choice.view === "norms" ? texts.what_norms : texts.what_similarity;
}

export function plainShort(value) {
  return plain(value, Math.abs(value) < 1 ? 2 : 3);
}
