// From the state to the screen: one call draws one frame of the pictures and the head maps.

import { computeContent } from "../state/content.js";
import { featureContent, isFeatured } from "../state/featureviews.js";
import { sidesOf } from "../state/sides.js";
import { queryOf } from "../state/state.js";
import { setText } from "./elements.js";
import { drawFeatureMaps } from "./featuremaps.js";
import { drawFeatureReading, exchangeReading } from "./featurereading.js";
import { clearSide, drawMaps } from "./maps.js";
import { drawMarks } from "./marks.js";
import { drawReading } from "./reading.js";
import { fill } from "./words.js";

export function drawFrame(app) {
  const { root, choice, a } = app, started = performance.now(), moved = root.dataset.query !== String(queryOf(app));
  for (const side of sidesOf(app)) side.content = isFeatured(app) ? featureContent(app, side) : computeContent(app, side);
  drawMarks(app);
  drawPending(app);
  if (!a.content.items.length) return; // what was drawn before stays, dimmed
  if (exchangeReading(app)) {
    drawFeatureMaps(app);
    drawFeatureReading(app);
  } else {
    drawMaps(app);
    drawReading(app);
  }
  if (!root.dataset.ready) performance.mark("vizvit-ready");
  Object.assign(root.dataset, {
    query: String(queryOf(app)), layer: choice.rollout ? "rollout" : String(choice.layer),
    head: choice.head === null ? choice.fuse : String(choice.head), direction: choice.direction,
    rows: String(a.capture.rows), cols: String(a.capture.cols), ready: "true",
  });
  if (app.hover !== null && moved) root.dataset.frameMs = (performance.now() - started).toFixed(2);
}

function drawPending(app) {
  for (const side of sidesOf(app)) {
    const { pending, nowhere } = side.content, figure = app.dom.figures[side.name];
    setText(figure.note, nowhere ? app.texts.nowhere : pending ? pendingText(app, pending) : "");
    figure.box.classList.toggle("stale", Boolean(pending));
    if (nowhere) clearSide(app, side);
  }
  app.root.classList.toggle("fetching", Boolean(app.a.content.pending));
  setText(app.dom.fetching, app.a.content.pending?.what === "fetching" ? pendingText(app, app.a.content.pending) : "");
  if (!app.a.content.pending) app.root.dataset.pending = "";
  else app.root.dataset.pending = app.a.content.pending.what;
}

function pendingText({ texts }, { what, layer, done, of }) {
  return fill({ fetching: texts.fetching, computing: texts.computing, averaging: texts.averaging, rollout: texts.rollout_pending, features: texts.features_pending }[what], { layer, done, of });
}
