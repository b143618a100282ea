// What a kept view is called, and which view of a second capture goes with it.

import { comparable } from "../compute/link.js";
import { headOn, layerOn, tokensOn } from "../state/counterparts.js";
import { isFeatured } from "../state/featureviews.js";

// vizvit-cat-layer4-head1: what a file of this view is called.
export function keepName({ session, choice }) {
  const name = String(session.name || "view").replace(/[^\p{L}\p{N}.]+/gu, "-").replace(/^[-.]+|[-.]+$/g, "") || "view";
  const what = isFeatured({ choice }) ? `${choice.view}-layer${choice.layer}` : choice.rollout ? "rollout" : `layer${choice.layer}${choice.head === null ? "" : `-head${choice.head}`}`;
  return `vizvit-${name}-${what}`;
}

// The second capture's own layer, head and query, which are linked to the first's.
export function keepOther(app) {
  if (!app.b) return null;
  const { choice, b } = app, [token] = tokensOn(app, b);
  if (token === undefined) return null;
  const difference = comparable(app.a.capture, b.capture, b.linked);
  return { capture: b.capture, flipped: b.linked.kind === "flip", difference, choice: { ...choice, layer: layerOn(app, b), head: headOn(app, b), token, area: keepArea(app) } };
}

function keepArea(app) {
  const bounds = app.choice.area && app.dom.figures.b.bounds?.query;
  return bounds ? [bounds[0], bounds[1], bounds[0] + bounds[2] - 1, bounds[1] + bounds[3] - 1] : null;
}
