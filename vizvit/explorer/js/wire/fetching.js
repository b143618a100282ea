// Which layers are wanted that are not here: the one looked at, what an open panel needs, then the neighbours.

import { layerOn } from "../state/counterparts.js";
import { pinnedViews } from "../state/pins.js";

// The next layer to ask Python for; null when all that may soon be looked at is here.
export function missingLayer(app, side) {
  const here = (layer) => layer < 0 || layer >= side.capture.num_layers || side.sections.has(layer);
  return wantedLayers(app, side).find((layer) => !here(layer)) ?? null;
}

function wantedLayers(app, side) {
  const layer = layerOn(app, side), count = side.capture.num_layers, all = [...Array(count).keys()];
  const byDistance = all.sort((one, other) => Math.abs(one - layer) - Math.abs(other - layer));
  if (app.choice.rollout || app.playing || (app.folds.atlas && side === app.a)) return byDistance;
  const pinned = side === app.a ? pinnedViews(app).map((view) => view.layer) : [];
  const window = side.capture.layers.length; // so many come at once: the windows on both sides of this one
  return byDistance.filter((other) => Math.abs(other - layer) <= window || pinned.includes(other));
}
