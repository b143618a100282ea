// A side is one capture, as much of it as is here: its header, its layers' arrays, and what was made of them.

const DECODED_BYTES = 320 * 2 ** 20; // arrays kept in float32; the half-precision bytes stay, so it costs a decoding

export function createSide(name) {
  return {
    name,
    capture: null, // the header of its blob
    sections: new Map(), // layer -> bytes
    decoded: new Map(), // layer -> arrays, the latest used last
    surveys: new Map(), // layer -> what one pass over all its queries found
    place: null, // its name with the surveyor
    chain: new Map(), // layer -> the rollout's matrix of it
    chainOf: null, // how they were fused
    failed: new Set(), // what could not be surveyed
    requested: null, // the layer asked of Python
    task: null, // a mean over a rectangle, on its way
    content: null, // what is drawn: see content.js and featureviews.js
    features: null, // vectors, components and norms, as much as is here
    vectors: new Map(), // layer -> decoded vectors
  };
}

export function sidesOf(app) {
  return app.b ? [app.a, app.b] : [app.a];
}

export function prefixCount(side) {
  return side.capture.prefix_names.length;
}

// The decoded arrays of a layer, or null where Python has not sent it.
export function layerOf(side, layer) {
  const known = side.decoded.get(layer);
  if (known) {
    side.decoded.delete(layer); // the latest used stand last
    side.decoded.set(layer, known);
    return known;
  }
  if (!side.sections.has(layer)) return null;
  const arrays = side.decode(side.capture, side.sections.get(layer));
  const size = 4 * (arrays.queries.length + arrays.keys.length + (arrays.bias?.length ?? 0));
  while (side.decoded.size && (side.decoded.size + 1) * size > DECODED_BYTES) side.decoded.delete(side.decoded.keys().next().value);
  side.decoded.set(layer, arrays);
  return arrays;
}

// Whether all layers are here, or can be asked for: a file may hold some of them alone.
export function isWhole({ a, session }) {
  return !session?.standalone || !a.capture || a.sections.size === a.capture.num_layers;
}

// A layer that was wished for while `from` was shown; of a file that lacks it the next one that way, or the nearest.
export function layerAtHand(app, layer, from) {
  if (isWhole(app) || app.a.sections.has(layer)) return layer;
  const onward = (one) => (layer > from ? one > layer : layer < from && one < layer);
  const known = [...app.a.sections.keys()].sort((one, other) => Math.abs(one - layer) - Math.abs(other - layer));
  return known.find(onward) ?? known[0];
}
