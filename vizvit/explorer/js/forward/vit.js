// The forward pass of timm's plain Vision Transformer, and what it leaves on its way: queries, keys and the stream of
// tokens of every layer. vizvit/model/plain.py writes the model down; the letters are the paper's.

import { createMatrices, packColumns } from "./matrices.js";

// model: the description; tensors: name -> Float32Array. Returns { forward, trace, classify, logitsOfEach }.
//
// forward: normalised pixels, [rows · cols patches, channel · y · x], -> { logits: [classes] or null, queries, keys: [layer]
// of [head, token, dim], streams: [layer + 1] of [token, dim], the first one what enters the first block; embedded: [patch,
// dim]; sequence: [token, dim], with prefix tokens and positions; features: [dim], what the classifier reads }.
// trace(stream, layer): one block again on what entered it, and what it computed on its way: { norm1, qkv, mixed,
// attended, norm2, hiddenPre, hidden, written, after }, [token, …], and queries and keys as above.
export function createVit(model, tensors) {
  const { tokens, prefix, dim, heads, head_dim: size, layers, patch_size: patch } = model;
  const matrices = createMatrices(), { room, linear, multiply } = matrices;
  const layerNamed = (name, out, into, scale = null) => linear({ weight: tensors[`${name}.weight`], bias: tensors[`${name}.bias`], out, into }, scale);
  const normOf = (name, width) => (tensors[`${name}.weight`] || model.norms.includes(name)
    ? { weight: tensors[`${name}.weight`], bias: tensors[`${name}.bias`], width, eps: model.eps[name] } : null);

  const embedding = layerNamed("patch", dim, patch * patch * 3);
  const blocks = Array.from({ length: layers }, (_, number) => {
    const name = `blocks.${number}`, hidden = model.hidden;
    return {
      norm1: normOf(`${name}.norm1`, dim), norm2: normOf(`${name}.norm2`, dim),
      queryNorm: normOf(`${name}.q_norm`, size), keyNorm: normOf(`${name}.k_norm`, size),
      qkv: layerNamed(`${name}.qkv`, 3 * heads * size, dim),
      output: layerNamed(`${name}.output`, dim, heads * size, tensors[`${name}.scale1`]),
      first: layerNamed(`${name}.first`, hidden, dim),
      second: layerNamed(`${name}.second`, dim, hidden, tensors[`${name}.scale2`]),
    };
  });
  const head = model.classes ? layerNamed("head", model.classes, dim) : null;
  const distilled = tensors["head_dist.weight"] ? layerNamed("head_dist", model.classes, dim) : null;

  const patches = room(tokens - prefix, patch * patch * 3), embedded = room(tokens - prefix, dim);
  const normed = room(tokens, dim), qkv = room(tokens, 3 * heads * size), scores = room(tokens, tokens);
  const mixed = room(tokens, heads * size), added = room(tokens, dim), hidden = room(tokens, model.hidden);
  const keysOfHead = matrices.columns(size, tokens), valuesOfHead = matrices.columns(tokens, size);
  let alone = null; // [token, classes], where each is read out
  const pooled = room(1, dim), answer = model.classes ? room(1, model.classes) : null;

  // One block's attention: queries and keys go out as [head, token, dim], what the heads mixed stands in `mixed`.
  function attend(block, out) {
    const width = heads * size, stride = qkv.stride, values = qkv.values();
    for (let h = 0; h < heads; h++) {
      for (const [what, norm, rows] of [[0, block.queryNorm, out.queries], [1, block.keyNorm, out.keys]]) {
        const from = what * width + h * size;
        if (norm) normalise(values, values, norm, tokens, stride, stride, from);
        for (let token = 0; token < tokens; token++) rows.set(values.subarray(token * stride + from, token * stride + from + size), (h * tokens + token) * size);
      }
      const keys = width + h * size, given = 2 * width + h * size;
      packColumns(keysOfHead, (key, i) => values[key * stride + keys + i]);
      packColumns(valuesOfHead, (i, key) => values[key * stride + given + i]);
      multiply(qkv, keysOfHead, scores, { from: h * size });
      matrices.softmaxRows(scores, model.scale);
      multiply(scores, valuesOfHead, mixed, { to: h * size });
    }
  }

  function activate() {
    if (model.activation === "gelu") return matrices.geluAll(hidden);
    const values = hidden.values(), act = ACTIVATIONS[model.activation];
    for (let i = 0; i < values.length; i++) values[i] = act(values[i]);
  }

  // The stream goes through a block; see(name, matrix) gets what it computes on its way.
  function through(block, stream, out, see = () => {}) {
    normalise(stream, normed.values(), block.norm1, tokens, dim, normed.stride);
    see("norm1", normed);
    multiply(normed, block.qkv, qkv);
    attend(block, out);
    see("qkv", qkv);
    see("mixed", mixed);
    multiply(mixed, block.output, added);
    see("attended", added);
    addRows(stream, added, dim);
    normalise(stream, normed.values(), block.norm2, tokens, dim, normed.stride);
    see("norm2", normed);
    multiply(normed, block.first, hidden);
    see("hiddenPre", hidden);
    activate();
    see("hidden", hidden);
    multiply(hidden, block.second, added);
    see("written", added);
    addRows(stream, added, dim);
  }

  function trace(stream, layer) {
    const after = stream.slice(), seen = { queries: new Float32Array(heads * tokens * size), keys: new Float32Array(heads * tokens * size) };
    through(blocks[layer], after, seen, (name, matrix) => (seen[name] = rowsOf(matrix)));
    return { ...seen, after };
  }

  function forward(pixels) {
    const stream = new Float32Array(tokens * dim);
    stream.set(tensors.position);
    tensors.prefix?.forEach((value, i) => (stream[i] += value));
    fillRows(patches, pixels);
    multiply(patches, embedding, embedded);
    addRows(stream.subarray(prefix * dim), embedded, dim);
    const sequence = stream.slice();
    const entrance = normOf("norm_pre", dim);
    if (entrance) normalise(stream, stream, entrance, tokens, dim, dim);
    const found = { streams: [stream.slice()], queries: [], keys: [], sequence, embedded: rowsOf(embedded) };
    for (const block of blocks) {
      const out = { queries: new Float32Array(heads * tokens * size), keys: new Float32Array(heads * tokens * size) };
      through(block, stream, out);
      found.queries.push(out.queries);
      found.keys.push(out.keys);
      found.streams.push(stream.slice());
    }
    return { ...found, ...classify(stream) };
  }

  // The read-out of the last stream, which is normalised in place.
  function classify(stream) {
    const last = normOf("norm", dim), after = normOf("fc_norm", dim);
    if (last) normalise(stream, stream, last, tokens, dim, dim);
    const read = (vector, classifier) => {
      if (after) normalise(vector, vector, after, 1, dim, dim);
      pooled.values().set(vector);
      if (!classifier) return null;
      multiply(pooled, classifier, answer);
      return answer.values().slice(0, model.classes);
    };
    const features = model.pooling === "mean" ? meanOf(stream, model.pool_prefix ? 0 : prefix, tokens, dim) : stream.slice(0, dim);
    const logits = read(features, head);
    if (distilled) read(stream.slice(dim, 2 * dim), distilled).forEach((value, i) => (logits[i] = (logits[i] + value) / 2));
    return { features, logits };
  }

  // [token, classes]: each token of a stream as if it were all that is read out.
  function logitsOfEach(stream) {
    const each = (classifier) => {
      multiply(normed, classifier, alone);
      return rowsOf(alone);
    };
    const last = normOf("norm", dim), after = normOf("fc_norm", dim), read = stream.slice();
    alone ??= room(tokens, model.classes);
    for (const norm of [last, after]) if (norm) normalise(read, read, norm, tokens, dim, dim);
    fillRows({ ...normed, cols: dim }, read);
    const logits = each(head);
    if (distilled) each(distilled).forEach((value, i) => (logits[i] = (logits[i] + value) / 2));
    return logits;
  }

  return { forward, trace, classify, logitsOfEach };
}

const logistic = (x) => 1 / (1 + Math.exp(-x));
const ACTIVATIONS = {
  gelu_tanh: (x) => x * logistic(1.5957691216057308 * (x + 0.044715 * x * x * x)),
  quick_gelu: (x) => x * logistic(1.702 * x),
  silu: (x) => x * logistic(x),
  relu: (x) => Math.max(x, 0),
};

// LayerNorm of each row, [rows, width], from `start` numbers within it on; null copies.
function normalise(source, target, norm, rows, stride, strideTo, start = 0) {
  const { width, weight, bias, eps } = norm ?? { width: stride };
  for (let row = 0; row < rows; row++) {
    const from = row * stride + start, to = row * strideTo + start;
    let mean = 0, variance = 0;
    for (let i = from; i < from + width; i++) mean += source[i];
    mean /= width;
    for (let i = from; i < from + width; i++) variance += (source[i] - mean) ** 2;
    const factor = 1 / Math.sqrt(variance / width + eps);
    for (let i = 0; i < width; i++) {
      const value = norm ? (source[from + i] - mean) * factor * (weight ? weight[i] : 1) + (bias ? bias[i] : 0) : source[from + i];
      target[to + i] = value;
    }
  }
}

function addRows(stream, { values, rows, stride }, dim) {
  const added = values();
  for (let row = 0, at = 0; row < rows; row++) for (let i = 0; i < dim; i++, at++) stream[at] += added[row * stride + i];
}

function fillRows({ values, rows, cols, stride }, numbers) {
  const target = values();
  for (let row = 0; row < rows; row++) target.set(numbers.subarray(row * cols, (row + 1) * cols), row * stride);
}

// [row, col] without what stands behind the rows.
function rowsOf({ values, rows, cols, stride }) {
  const source = values(), out = new Float32Array(rows * cols);
  for (let row = 0; row < rows; row++) out.set(source.subarray(row * stride, row * stride + cols), row * cols);
  return out;
}

function meanOf(stream, first, last, dim) {
  const mean = new Float32Array(dim);
  for (let token = first; token < last; token++) for (let i = 0; i < dim; i++) mean[i] += stream[token * dim + i];
  return mean.map((sum) => sum / (last - first));
}
