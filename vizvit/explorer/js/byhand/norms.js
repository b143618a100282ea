// Layer normalisation of one token, and batch normalisation of the same numbers beside it (vizvit/walk/norms.py).

import { affineOf, apartOf, momentsOf, normOf, rowOf } from "./formulas.js";

export function layerNorm(a, { layer, token }) {
  const { model, tensors, found } = a, name = `blocks.${layer}.norm1`, eps = model.eps[name];
  const before = rowOf(found.streams[layer], token, model.dim), { mean, variance } = momentsOf(before);
  const normalised = Float64Array.from(before, (value) => (value - mean) / Math.sqrt(variance + eps)), after = affineOf(normalised, tensors, name);
  return {
    before: before.slice(), normalised, after, mean, variance, eps, weight: tensors[`${name}.weight`] ?? null, bias: tensors[`${name}.bias`] ?? null,
    difference: apartOf([after, rowOf(a.trace(layer).norm1, token, model.dim)]),
  };
}

// The same token with mean and variance over all tokens of a batch. streams: [picture] of [token, dim], as they enter the
// layer, the token's own picture first; moved: the greatest change against the batch of one picture.
export function batchNorm(a, streams, { layer, token }) {
  const { model, tensors } = a, name = `blocks.${layer}.norm1`, own = rowOf(streams[0], token, model.dim);
  const inBatch = (batch) => {
    const count = batch.length * model.tokens, mean = new Float64Array(model.dim), variance = new Float64Array(model.dim);
    for (const stream of batch) for (let at = 0; at < stream.length; at++) mean[at % model.dim] += stream[at] / count;
    for (const stream of batch) for (let at = 0; at < stream.length; at++) variance[at % model.dim] += (stream[at] - mean[at % model.dim]) ** 2 / count;
    return affineOf(Float64Array.from(own, (value, i) => (value - mean[i]) / Math.sqrt(variance[i] + model.eps[name])), tensors, name);
  };
  const batch = inBatch(streams), alone = inBatch(streams.slice(0, 1)), layered = normOf(a, own, name);
  return { batchNorm: batch, layerNorm: layered, movedBatch: apartOf([batch, alone]), movedLayer: apartOf([layered, normOf(a, own, name)]) };
}
