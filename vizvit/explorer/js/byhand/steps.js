// The walk through the pictures that come in: which place is looked at, and what a stage is drawn from.

import { patchesOf, viewOf } from "../forward/resize.js";
import { lengthOf } from "./formulas.js";
import { takeApart } from "./stages.js";

const BATCHES = 8; // pictures, at most, that batch normalisation is shown with

// Of one model. arrive({ view, pixels, found }) -> { stage(asked, samples) } of a picture.
export function createSteps(model, tensors, vit) {
  const kept = new Map(); // what holds for every picture

  // Other pictures than this one, run through the model: the samples, then their mirror images.
  function others(samples, view, count, mirrors = true) {
    const views = samples.map((picture, index) => remembered(`view ${index}`, () => viewOf(picture, model)));
    const known = [...views.keys()].filter((index) => views[index].some((byte, at) => byte !== view[at]));
    const order = [...known.map((index) => [index, false]), ...(mirrors ? known.map((index) => [index, true]) : [])].slice(0, count);
    return order.map(([index, mirrored]) => remembered(`run ${index} ${mirrored}`, () => {
      const { streams, features } = vit.forward(patchesOf(mirrored ? mirror(views[index]) : views[index], model));
      return { index, streams, features };
    }));
  }

  function mirror(view) {
    const width = model.cols * model.patch_size, out = new Uint8Array(view.length);
    for (let pixel = 0; pixel < view.length / 3; pixel++) {
      const other = pixel - 2 * (pixel % width) + width - 1;
      for (let channel = 0; channel < 3; channel++) out[3 * pixel + channel] = view[3 * other + channel];
    }
    return out;
  }

  function remembered(name, make) {
    if (!kept.has(name)) kept.set(name, make());
    return kept.get(name);
  }

  function arrive({ view, pixels, found }) {
    const parts = takeApart({ model, tensors, vit, kept }, { view, pixels, found });

    // What was chosen, and for the rest where the picture's attention tells most; found: nothing was chosen.
    function settle({ layer, head, token, patch }) {
      const { prefix, cols, layers, heads, tokens } = model, onPatch = token !== null && token >= prefix;
      const known = layer !== null && head !== null && (onPatch || patch !== null), look = known ? null : parts.look();
      const place = { layer: layer ?? look.layer, token };
      [place.row, place.col] = onPatch ? [Math.floor((token - prefix) / cols), (token - prefix) % cols] : patch ?? [look.row, look.col];
      place.token ??= prefix + place.row * cols + place.col;
      place.head = head ?? (look.layer === place.layer ? look.head : 0);
      place.found = layer === null && head === null && token === null && patch === null && look.excess > 0;
      return { ...place, layer: Math.min(place.layer, layers - 1), head: Math.min(place.head, heads - 1), token: Math.min(place.token, tokens - 1) };
    }

    // asked: { name, place: { layer, head, token, patch }, null for what is not chosen; kind; batch: pictures in one }.
    function stage({ name, place: chosen, kind, batch }, samples) {
      const place = settle(chosen), count = Math.min(batch ?? 1, BATCHES);
      if (name === "norm") place.streams = [found, ...others(samples, view, count - 1)].map(({ streams }) => streams[place.layer]);
      const made = parts.stage(name, place, kind);
      const near = name === "head" && kind === "features" ? nearest(others(samples, view, samples.length, false)) : null;
      delete place.streams;
      return {
        name, place, made: near ? { ...made, near } : made, outline: parts.outline(place), logits: found.logits, view,
        queries: ofHead(found.queries, place), keys: ofHead(found.keys, place),
      };
    }

    function ofHead(layers, { layer, head }) {
      const count = model.tokens * model.head_dim;
      return layers[layer].slice(head * count, (head + 1) * count);
    }

    // The samples by the cosine of their features with this picture's, the most alike first.
    function nearest(runs) {
      const own = found.features, cosine = ({ features }) => own.reduce((sum, value, i) => sum + value * features[i], 0) / (lengthOf(own) * lengthOf(features));
      return runs.map((run) => ({ index: run.index, cosine: cosine(run) })).sort((one, other) => other.cosine - one.cosine);
    }

    return { stage };
  }

  return { arrive };
}
