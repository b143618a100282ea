// Self-attention from one token: its query, key and value, its scores, the weighted sum, the heads together
// (vizvit/walk/attention.py).

import { apartOf, lengthOf, linearOf, nats, normOf, rowOf, softmaxBy } from "./formulas.js";

// [dim of a head] of one token: `what` is 0 for its query, 1 for its key, 2 for its value, as the model has it.
function modelsOwn({ model }, traced, what, head, token) {
  const { heads, head_dim: size } = model, at = (token * 3 + what) * heads * size + head * size;
  return traced.qkv.subarray(at, at + size);
}

export function qkv(a, { layer, head, token }) {
  const { model, tensors } = a, { heads, head_dim: size, dim } = model, traced = a.trace(layer), name = `blocks.${layer}`;
  const x = rowOf(traced.norm1, token, dim), project = (what) => linearOf(x, tensors, `${name}.qkv`, (what * heads + head) * size, size);
  const query = normOf(a, project(0), `${name}.q_norm`), key = normOf(a, project(1), `${name}.k_norm`), value = project(2);
  return { query, key, value, difference: apartOf(...[query, key, value].map((hand, what) => [hand, modelsOwn(a, traced, what, head, token)])) };
}

// products, scaled, attention, and attentionUnscaled: softmax of the products; entropy in nats and the largest weight.
export function scores(a, { layer, head, token }) {
  const { model } = a, traced = a.trace(layer), query = modelsOwn(a, traced, 0, head, token);
  const products = Float64Array.from({ length: model.tokens }, (_, other) => {
    const key = modelsOwn(a, traced, 1, head, other);
    return query.reduce((sum, value, i) => sum + value * key[i], 0);
  });
  const scaled = products.map((product) => product * model.scale), attention = softmaxBy(scaled), attentionUnscaled = softmaxBy(products);
  return {
    products, scaled, attention, attentionUnscaled, entropy: nats(attention), entropyUnscaled: nats(attentionUnscaled),
    largest: Math.max(...attention), largestUnscaled: Math.max(...attentionUnscaled),
    difference: apartOf([mixedBy(a, traced, attention, head), outputOf(a, traced, head, token)]),
  };
}

// weights; valueNorms; contributions: weight · ‖v‖ (Kobayashi et al., EMNLP 2020); output: Σ weight · v.
export function weightedSum(a, place) {
  const { layer, head, token } = place, traced = a.trace(layer), weights = scores(a, place).attention, output = mixedBy(a, traced, weights, head);
  const valueNorms = weights.map((_, other) => lengthOf(modelsOwn(a, traced, 2, head, other)));
  return { weights, valueNorms, contributions: weights.map((weight, i) => weight * valueNorms[i]), output, difference: apartOf([output, outputOf(a, traced, head, token)]) };
}

function mixedBy(a, traced, weights, head) {
  const output = new Float64Array(a.model.head_dim);
  weights.forEach((weight, other) => modelsOwn(a, traced, 2, head, other).forEach((value, i) => (output[i] += weight * value)));
  return output;
}

function outputOf({ model }, traced, head, token) {
  const { heads, head_dim: size } = model, at = (token * heads + head) * size;
  return traced.mixed.subarray(at, at + size);
}

// outputs: [head] of what each found; concatenated; projected: times W^O, plus its bias; writes: how much each head adds to
// the residual stream, layer scale included; written: what they add together; maps: [head] of the token's attention.
export function heads(a, { layer, token }) {
  const { model, tensors } = a, { heads: count, head_dim: size, dim } = model, traced = a.trace(layer), name = `blocks.${layer}`;
  const concatenated = Float64Array.from(rowOf(traced.mixed, token, count * size)), weight = tensors[`${name}.output.weight`];
  const projected = linearOf(concatenated, tensors, `${name}.output`), scale = tensors[`${name}.scale1`];
  const scaledBy = (vector) => (scale ? vector.map((value, i) => value * scale[i]) : vector), attended = rowOf(traced.attended, token, dim);
  const outputs = Array.from({ length: count }, (_, head) => rowOf(concatenated, head, size));
  const writes = outputs.map((output, head) => lengthOf(scaledBy(Float64Array.from({ length: dim }, (_, row) =>
    output.reduce((sum, value, i) => sum + value * weight[row * count * size + head * size + i], 0)))));
  return {
    outputs, concatenated, projected, writes, written: lengthOf(scaledBy(projected)),
    maps: outputs.map((_, head) => scores(a, { layer, head, token }).attention), difference: apartOf([scaledBy(projected), attended]),
  };
}

// The head and the patch that look far, and elsewhere than other patches do: vizvit/analysis/telling.py.
export function tellingLook({ model, found }) {
  const { heads: count, tokens, prefix, rows, cols, layers, scale, head_dim: size } = model, edge = (of) => Math.floor(of / 10), patches = rows * cols;
  const isInner = (patch) => {
    const row = Math.floor(patch / cols), col = patch % cols;
    return Math.min(row, rows - 1 - row) >= edge(rows) && Math.min(col, cols - 1 - col) >= edge(cols);
  };
  const inner = Array.from({ length: patches }, (_, patch) => isInner(patch)), all = [...inner.keys()].filter((patch) => inner[patch]);
  const step = Math.ceil(all.length / 256), tried = all.filter((_, i) => i % step === 0), far = Math.floor(Math.max(rows, cols) / 4);
  let best = { layer: 0, head: 0, row: Math.floor(rows / 2), col: Math.floor(cols / 2), excess: -Infinity };
  for (let layer = 0; layer < layers; layer++) for (let head = 0; head < count; head++) {
    const looks = tried.map((patch) => {
      const query = rowOf(found.queries[layer], head * tokens + prefix + patch, size), row = new Float32Array(tokens);
      for (let key = 0, at = head * tokens * size; key < tokens; key++) {
        let sum = 0;
        for (let i = 0; i < size; i++, at++) sum += query[i] * found.keys[layer][at];
        row[key] = sum * scale;
      }
      return softmaxBy(row).subarray(prefix);
    });
    const mean = new Float64Array(patches);
    for (const look of looks) for (let patch = 0; patch < patches; patch++) mean[patch] += look[patch] / tried.length;
    looks.forEach((look, i) => {
      const row = Math.floor(tried[i] / cols), col = tried[i] % cols;
      let excess = 0;
      for (let patch = 0; patch < patches; patch++) {
        const apart = Math.max(Math.abs(row - Math.floor(patch / cols)), Math.abs(col - (patch % cols)));
        if (apart > far && inner[patch]) excess += look[patch] * Math.log((look[patch] + 1e-12) / (mean[patch] + 1e-12));
      }
      if (excess > best.excess) best = { layer, head, row, col, excess };
    });
  }
  return best;
}

