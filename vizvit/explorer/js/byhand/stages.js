// Each stage of the walk by hand, from its input and the weights, beside what the model computed: vizvit/walk.

import { mlp, outline } from "./feedforward.js";
import { head } from "./logits.js";
import { batchNorm, layerNorm } from "./norms.js";
import { embedding, filtersOf, flatten } from "./pixels.js";
import { heads, qkv, scores, tellingLook, weightedSum } from "./selfattention.js";
import { position, prefix } from "./sequence.js";
import { depth } from "./streams.js";

// By the stages' names. Each: (a, place, kind) -> its numbers, `difference` among them, or { absent } where the model has
// no such stage; place: { layer, head, token, row, col }; kind: what the outputs are.
const BY_HAND = {
  patches: () => ({}),
  flatten,
  embedding: (a, place) => ({ ...embedding(a, place), matrix: a.tensors["patch.weight"], filters: a.once("filters", () => filtersOf(a)) }),
  tokens: prefix,
  position,
  norm: (a, place) => ({ ...layerNorm(a, place), batch: place.streams ? batchNorm(a, place.streams, place) : null }),
  qkv,
  scores,
  sum: weightedSum,
  heads,
  mlp,
  depth: (a, place, kind) => a.once("depth", () => depth(a, place, kind)),
  head,
};

// A forward pass to be taken apart. vit: of createVit; found: what it left of this picture; view: the RGB bytes that the
// model saw; pixels: the same normalised, by patch.
export function takeApart({ model, tensors, vit, kept }, { view, pixels, found }) {
  let traced = null;
  const own = new Map(), once = (name, make) => {
    const of = name === "filters" ? kept : own; // the filters are the model's, whatever the picture
    if (!of.has(name)) of.set(name, make());
    return of.get(name);
  };
  const trace = (layer) => {
    if (traced?.layer !== layer) traced = { layer, ...vit.trace(found.streams[layer], layer) };
    return traced;
  };
  const a = { model, tensors, found, view, pixels, trace, once, logitsOfEach: vit.logitsOfEach };
  return {
    found,
    look: () => once("look", () => tellingLook(a)),
    outline: (place) => outline(a, place),
    stage: (name, place, kind) => BY_HAND[name](a, place, kind),
  };
}
