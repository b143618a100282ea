// Token vectors, their components and norms as vizvit/explorer/features.py writes them.

import { componentsOfLayers } from "./components.js";
import { createBody, frameOf } from "./encode.js";
import { highPopulation } from "./populations.js";

const COMPONENTS = 3;

// streams: [layer + 1] of [token, dim]; name: the capture's.
export function encodeFeatures({ tokens, prefix, dim, layers, rows, cols }, streams, name) {
  const body = createBody(), patches = rows * cols, count = Math.min(COMPONENTS, patches);
  const norms = new Float32Array((layers + 1) * tokens);
  streams.forEach((stream, layer) => normsOf(stream, dim, norms.subarray(layer * tokens, (layer + 1) * tokens)));
  const after = streams.slice(1), vectors = after.map((stream) => stream.subarray(prefix * dim));
  const { scores, shares } = componentsOfLayers(vectors, patches, dim, count);
  return frameOf({ explorer: "lesson", name: "features" }, frameOf({
    capture: name, dim, norms: body.add(norms),
    thresholds: after.map((_, layer) => highPopulation(norms.subarray((layer + 1) * tokens + prefix, (layer + 2) * tokens))),
    components: { ...body.addFloats(joined(scores)), count },
    shares,
    layers: after.map((stream, layer) => ({ layer, ...codesOf(stream, norms.subarray((layer + 1) * tokens), tokens, dim, body) })),
  }, body.bytes()));
}

function normsOf(stream, dim, out) {
  for (let token = 0, at = 0; token < out.length; token++) {
    let sum = 0;
    for (let i = 0; i < dim; i++, at++) sum += stream[at] * stream[at];
    out[token] = Math.sqrt(sum);
  }
}

// Vectors one long, about mean + step · code with codes of 8 bits.
function codesOf(stream, norms, tokens, dim, body) {
  const unit = new Float32Array(tokens * dim), sums = new Float64Array(dim), step = new Float32Array(dim), codes = new Int8Array(tokens * dim);
  for (let token = 0, at = 0; token < tokens; token++) {
    for (let i = 0; i < dim; i++, at++) sums[i] += unit[at] = stream[at] / (norms[token] || 1);
  }
  const mean = Float32Array.from(sums, (sum) => sum / tokens);
  for (let at = 0; at < unit.length; at++) step[at % dim] = Math.max(step[at % dim], Math.abs((unit[at] -= mean[at % dim])));
  for (let i = 0; i < dim; i++) step[i] /= 127;
  for (let at = 0; at < unit.length; at++) codes[at] = Math.round(unit[at] / (step[at % dim] || 1));
  return { mean: body.add(mean), step: body.add(step), codes: body.add(codes) };
}

function joined(arrays) {
  const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}
