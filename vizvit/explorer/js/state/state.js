// What is being looked at. `choice` and `options` are settled and known to Python; `hover`, `drag` and `inspect` live
// only while pointing. A side is one capture: `app.a`, and `app.b` where something is compared.

import { tokensOfArea } from "../compute/patches.js";
import { createSide } from "./sides.js";

export const FUSIONS = ["mean", "max", "min"];
export const SCALES = ["own", "shared", "absolute", "percentile"]; // and, where two are compared, "apart"
export const TOOLS = ["look", "area", "read"];
export const VIEWS = ["attention", "similarity", "components", "norms"];
export const HOME = 0; // the query to fall back to: the first prefix token, or the first patch

export function createState() {
  return {
    choice: {
      layer: 0,
      head: null, // null: the heads fused
      token: HOME,
      area: null, // [top, left, bottom, right] of patches, inclusive: the query is their mean
      key: null, // the token whose number is explained
      direction: "from", // "from": what the query attends to; "to": what attends to it
      fuse: "mean", // mean, max, min
      rollout: false,
      steps: "chain", // of the rollout: "chain" up to each layer, or "changes", what each layer changed
      view: "attention", // attention, similarity, components, norms
    },
    options: {
      scale: "own", curve: "linear", smooth: false, colours: "viridis", blend: "fade", opacity: 0.6, grid_lines: true, true_pixels: false,
    },
    folds: { atlas: false, numbers: false, why: false },
    tool: "look", // look, area, read
    hover: null, // a query token tried out
    drag: null, // a rectangle being drawn, as `area`
    pressed: null, // where the pointer went down
    inspect: null, // { token, head }: a key whose value is read out
    a: createSide("a"),
    b: null,
    pins: [],
    asked: Date.now(), // number of the last request to Python; never one of an earlier visit
  };
}

// Of two pictures "own" is a scale for each pair of maps; "apart" one for each map.
export function scalesOf({ b }) {
  return b ? ["own", "apart", ...SCALES.slice(1)] : SCALES;
}

export function queryOf(app) {
  return app.hover ?? app.choice.token;
}

// The patches of the query as [top, left, bottom, right]; null where it is a single token.
export function areaOf(app) {
  return app.drag ?? (app.hover === null ? app.choice.area : null);
}

// All tokens of the query, whose mean is shown.
export function queryTokens(app) {
  const area = areaOf(app);
  return area ? tokensOfArea(app.a.capture, area) : [queryOf(app)];
}
